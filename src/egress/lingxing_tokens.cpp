#include "egress/lingxing_tokens.hpp"

#include "net/crypto.hpp"
#include "net/deadline.hpp"
#include "net/log.hpp"

#include <initializer_list>
#include <utility>

namespace rockdove::egress {
namespace {

constexpr std::string_view fetch_path = "/api/auth-server/oauth/access-token";
constexpr std::string_view refresh_path = "/api/auth-server/oauth/refresh";

struct FormField {
  std::string_view name, value;
};

/// multipart/form-data (RFC 7578), as both endpoints want it.
http::Request form_request(std::string_view path, std::initializer_list<FormField> fields) {
  const std::string boundary = "rockdove-" + net::random_hex(16);
  http::Request request;
  request.method = "POST";
  request.target = path;
  request.has_body = true;
  for (const FormField& field : fields)
    request.content.append("--" + boundary + "\r\nContent-Disposition: form-data; name=\"")
        .append(field.name)
        .append("\"\r\n\r\n")
        .append(field.value)
        .append("\r\n");
  request.content.append("--" + boundary + "--\r\n");
  request.fields.add("Content-Type", "multipart/form-data; boundary=" + boundary);
  request.fields.add("Content-Length", std::to_string(request.content.size()));
  request.fields.add("Accept", "application/json");
  return request;
}

/// Lingxing's own words, unless a secret of ours is among them.
std::string refusal_of(const http::Response& response, const std::optional<LingxingAnswer>& answer,
                       std::string_view secret) {
  if (!answer) return "status " + std::to_string(response.status) + " without its JSON";
  std::string words = "code " + answer->code + ": " + answer->message;
  return words.find(secret) == words.npos ? words : "an answer that repeats the secret, withheld";
}

}  // namespace

struct LingxingTokens::Waiter {
  Waiter(LingxingTokens& its_tokens, net::Duration limit)
      : tokens(its_tokens),
        news(tokens.tasks_.executor()),
        deadline(net::Deadlines::of(tokens.tasks_.executor().context()), [this] {
          is_late = true;
          news.notify();
        }) {
    tokens.waiting_.push_back(this);
    deadline.set(limit);
  }
  ~Waiter() { tokens.waiting_.remove(this); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  LingxingTokens& tokens;
  net::Event news;
  net::Deadline deadline;
  bool is_late = false, is_told = false;
};

LingxingTokens::LingxingTokens(net::Executor executor, LingxingApi& api, Options options, WallClock clock)
    : api_(api),
      options_(std::move(options)),
      clock_(std::move(clock)),
      token_(options_.token),
      tasks_(executor, net::abort_on_error) {}
LingxingTokens::~LingxingTokens() = default;

Awaitable<LingxingTokens::Given> LingxingTokens::get(net::Duration limit) {
  const WallTime now = clock_();
  if (!token_.wants_renewal(now) || (!is_renewing_ && !token_.may_renew(now))) co_return given();
  const bool has_token = token_.usable(now) != nullptr;
  Given late;
  late.error = Error::timed_out;
  if (!has_token && limit <= net::Duration::zero()) co_return late;
  if (!std::exchange(is_renewing_, true)) tasks_.spawn(renew(this));
  if (has_token) co_return given();
  Waiter waiter(*this, limit);
  while (!waiter.is_told && !waiter.is_late) co_await waiter.news.wait();
  if (!waiter.is_told) co_return late;
  co_return given();
}

/// What there is now: also a token that could not be renewed, as long as it lives.
LingxingTokens::Given LingxingTokens::given() const {
  Given given = failure_;
  if (const std::string* token = token_.usable(clock_())) given.token = *token;
  else if (!given.error) given.error = Error::unavailable;  // it died on its way here
  return given;
}

/// By the refresh token if there is one. If Lingxing does not take it (2001008, 2001009), or nobody knows
/// whether it did, from the start.
Awaitable<void> LingxingTokens::renew(LingxingTokens* self) {
  const std::string refresh = self->token_.take_refresh_token(self->clock_());
  bool has_worked = false;
  if (!refresh.empty()) {
    http::Request request =
        form_request(refresh_path, {{"appId", self->options_.app_id}, {"refreshToken", refresh}});
    has_worked = co_await self->ask(std::move(request));
    self->counters_.refreshed += has_worked;
    if (!has_worked) log::debug("egress", "lingxing: the token could not be refreshed, fetching another");
  }
  if (!has_worked) {
    http::Request request = form_request(
        fetch_path, {{"appId", self->options_.app_id}, {"appSecret", self->options_.app_secret}});
    has_worked = co_await self->ask(std::move(request));
    self->counters_.fetched += has_worked;
  }
  self->settle(has_worked);
}

void LingxingTokens::settle(bool has_worked) {
  if (!has_worked) {
    ++counters_.failed;
    token_.renewal_failed(clock_());
    log::warn("egress", "lingxing: no access token: {}",
              failure_.refusal.empty() ? failure_.error.message() : failure_.refusal);
  }
  is_renewing_ = false;
  for (Waiter* waiter : waiting_) {
    waiter->is_told = true;
    waiter->news.notify();
  }
}

Awaitable<bool> LingxingTokens::ask(http::Request request) {
  const auto response = co_await api_.call(std::move(request), options_.fetch_limit);
  failure_ = Given();
  if (!response) {
    failure_.error = response.error();
    co_return false;
  }
  auto answer = response->body ? std::nullopt : parse_lingxing_answer(response->content);
  if (answer && answer->grant && (answer->code == "200" || answer->code == "0")) {
    log::debug("egress", "lingxing: have an access token for {} s", answer->grant->lifetime.count());
    token_.granted(std::move(*answer->grant), clock_());
    co_return true;
  }
  failure_.error = Error::upstream_malformed;
  failure_.refusal = refusal_of(*response, answer, options_.app_secret);
  co_return false;
}

bool LingxingTokens::refuse(std::string_view token, std::string_view code) {
  if (is_renewing_) {
    token_.replaced(token);
    return true;
  }
  const auto what = token_.refused(token, clock_());
  if (what == LingxingToken::Refused::dropped)
    log::info("egress", "lingxing: the access token was refused with {}{}", code,
              code == "2001005" ? ": does another program fetch tokens for this app?" : "");
  return what != LingxingToken::Refused::kept;
}

void LingxingTokens::set_secret(std::string app_secret) {
  if (app_secret == options_.app_secret) return;
  options_.app_secret = std::move(app_secret);
  token_ = LingxingToken(options_.token);
}

Awaitable<void> LingxingTokens::close() {
  tasks_.cancel();
  co_await tasks_.join();
}

}  // namespace rockdove::egress
