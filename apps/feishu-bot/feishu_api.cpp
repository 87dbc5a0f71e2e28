#include "feishu-bot/feishu_api.hpp"

#include "base/percent.hpp"
#include "feishu-bot/json.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>

namespace rockdove::feishu_bot {
namespace {

constexpr std::string_view too_frequent = "99991400";
constexpr std::string_view token_missing = "99991661", token_invalid = "99991663";
constexpr std::size_t token_bytes_max = 4096;  // Feishu says to reserve so much

/// Seconds until the limit's window ends (x-ogw-ratelimit-reset); 1 if it does not say.
std::chrono::seconds reset_time(const http::Fields& fields) {
  const auto text = fields.get("x-ogw-ratelimit-reset").value_or("");
  unsigned seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::chrono::seconds(std::clamp(seconds, 1U, 60U));
}

/// Nothing if Feishu did what it was asked to.
std::optional<Failure> refusal(const JsonApi::Answer& answer) {
  std::string code = text_at(answer.body, {"code"});
  if (answer.status == 200 && code == "0") return std::nullopt;
  Failure failure;
  failure.kind = code.empty() ? Failure::Kind::unreadable : Failure::Kind::refused;
  failure.status = answer.status;
  failure.message = text_at(answer.body, {"msg"});
  if (answer.status == 429 || code == too_frequent) failure.retry_after = reset_time(answer.fields);
  failure.code = std::move(code);
  return failure;
}

bool is_about_token(const Failure& failure) {
  return failure.code == token_missing || failure.code == token_invalid;
}

/// Fit for a header field.
bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= token_bytes_max &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

/// One of those who want a token while it is being fetched.
struct FeishuApi::Waiter {
  explicit Waiter(FeishuApi& owner) : api(owner), fetched(owner.executor_) { api.waiting_.push_back(this); }
  ~Waiter() { api.waiting_.remove(this); }
  FeishuApi& api;
  net::Event fetched;
};

Awaitable<Outcome<void>> FeishuApi::reply(const std::string& message_id, const Message& message,
                                          const std::string& uuid) {
  boost::json::object body;
  body["msg_type"] = message.type;
  body["content"] = message.content;
  body["uuid"] = uuid;
  JsonApi::Call call{"POST", "/open-apis/im/v1/messages/" + percent_encode(message_id) + "/reply", "",
                     boost::json::serialize(body)};
  for (bool is_first = true;; is_first = false) {
    auto token = co_await access_token();
    if (!token) co_return token.error();
    call.authorization = "Bearer " + *token;
    JsonApi::Call attempt = call;
    auto answer = co_await api_.call(std::move(attempt));
    if (!answer) co_return answer.error();
    auto refused = refusal(*answer);
    if (!refused) co_return Outcome<void>();
    if (!is_first || !is_about_token(*refused)) co_return std::move(*refused);
    // Somebody may have replaced it meanwhile.
    if (!fetching_ && token_ && *token_ && (*token_)->text == *token) token_.reset();
  }
}

Awaitable<Outcome<std::string>> FeishuApi::access_token() {
  if (fetching_) {
    // Whoever waits takes what comes, also a failure: not each of many tries in turn.
    Waiter waiter(*this);
    while (fetching_) co_await waiter.fetched.wait();
  } else if (!token_ || !*token_ || (*token_)->use_until <= net::Clock::now()) {
    struct Fetching {
      FeishuApi& api;
      explicit Fetching(FeishuApi& owner) : api(owner) { api.fetching_ = true; }
      ~Fetching() {
        api.fetching_ = false;
        for (Waiter* each : api.waiting_) each->fetched.notify();
      }
    } fetching(*this);
    auto fetched = co_await fetch_token();
    token_ = std::move(fetched);
  }
  // Cancelled while it fetched: then there may be none.
  if (!token_) co_return Failure{};
  if (!*token_) co_return token_->error();
  co_return (*token_)->text;
}

/// POST /open-apis/auth/v3/tenant_access_token/internal:
/// {"code":0,"tenant_access_token":"t-…","expire":7200}.
Awaitable<Outcome<FeishuApi::Token>> FeishuApi::fetch_token() {
  boost::json::object body;
  body["app_id"] = options_.app_id;
  body["app_secret"] = options_.app_secret;
  JsonApi::Call call{"POST", "/open-apis/auth/v3/tenant_access_token/internal", "",
                     boost::json::serialize(body)};
  auto answer = co_await api_.call(std::move(call));
  if (!answer) co_return answer.error();
  if (auto refused = refusal(*answer)) co_return std::move(*refused);
  const auto* expire = find(answer->body, {"expire"});
  const auto* seconds = expire ? expire->if_int64() : nullptr;
  Token token;
  token.text = text_at(answer->body, {"tenant_access_token"});
  if (!is_token(token.text) || !seconds || *seconds < 0) {
    Failure failure;
    failure.kind = Failure::Kind::unreadable;
    failure.message = "the answer has no usable tenant_access_token";
    co_return failure;
  }
  // Never earlier than at half time, or a short-lived token would be fetched for every call.
  const net::Duration life = std::chrono::seconds(std::min<std::int64_t>(*seconds, 24 * 3600));
  token.use_until = net::Clock::now() + std::max(life - options_.refresh_before, life / 2);
  co_return token;
}

bool may_pass(const Failure& failure) {
  return failure.kind != Failure::Kind::refused || failure.retry_after.count() > 0 || failure.status >= 500;
}

}  // namespace rockdove::feishu_bot
