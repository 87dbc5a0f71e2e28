#include "egress/lingxing.hpp"

#include "http/error_response.hpp"
#include "net/crypto.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>
#include <variant>

namespace rockdove::egress {
namespace {

LingxingTokens::Options token_options(const Lingxing::Options& options) {
  if (!is_lingxing_app_id(options.app_id))
    throw std::invalid_argument("the appId of Lingxing has to be 16, 24 or 32 characters long");
  if (options.app_secret.empty()) throw std::invalid_argument("Lingxing needs an appSecret");
  return {options.app_id, options.app_secret, options.token, options.fetch_limit};
}

/// What a whole answer says; a streaming one is no refusal, those are short.
std::string code_of(const http::Response& response) {
  if (response.body) return {};
  auto answer = parse_lingxing_answer(response.content);
  return answer ? std::move(answer->code) : std::string();
}

}  // namespace

/// What is left of wait_limit: only waiting counts, not an exchange.
struct Lingxing::Wait {
  explicit Wait(net::Duration limit) : left(limit) {}
  void start() { started = net::Clock::now(); }
  void stop() { left -= net::Clock::now() - started; }

  net::Duration left;
  net::Clock::time_point started;
};

/// A long answer keeps its path's place until it has been sent, but no longer than Lingxing keeps its own: a
/// caller that reads slowly holds up nobody.
class Lingxing::PlacedBody final : public http::Body {
 public:
  PlacedBody(const net::Executor& executor, std::unique_ptr<http::Body> body, Place place,
             net::Duration limit)
      : place_(std::move(place)),
        body_(std::move(body)),
        end_(net::Deadlines::of(executor.context()), [this] { place_.reset(); }) {
    end_.set(limit);
  }
  Awaitable<Result<std::string_view>> read() override { return body_->read(); }
  const http::Fields& trailers() const override { return body_->trailers(); }

 private:
  Place place_;
  std::unique_ptr<http::Body> body_;
  net::Deadline end_;
};

Lingxing::Lingxing(net::Executor executor, std::shared_ptr<http::Handler> next, Options options,
                   WallClock clock)
    : executor_(executor),
      options_(std::move(options)),
      clock_(std::move(clock)),
      api_(executor, std::move(next), options_.peek_bytes),
      tokens_(executor, api_, token_options(options_), clock_),
      gates_(executor, options_.gates),
      readings_(executor, net::abort_on_error) {}
Lingxing::~Lingxing() = default;

Awaitable<Result<http::Response>> Lingxing::handle(http::Request&& request) {
  ++counters_.calls;
  if (running_ >= options_.calls) {
    ++counters_.refused;
    co_return Error::queue_full;
  }
  struct Counted {
    explicit Counted(std::size_t& its_count) : count(its_count) { ++count; }
    ~Counted() { --count; }
    std::size_t& count;
  } counted(running_);
  const auto read = co_await read_body(request);
  if (!read) {
    ++counters_.refused;
    co_return read.error();
  }
  const std::string request_id = request.context.request_id;
  auto checked = lingxing_call(std::move(request));
  if (const auto* refusal = std::get_if<LingxingRefusal>(&checked)) {
    ++counters_.refused;
    auto response = http::error_response(refusal->status, refusal->cause, refusal->message, request_id);
    if (refusal->status == 405) response.fields.add("Allow", "GET, POST");
    co_return response;
  }
  LingxingCall call = std::get<LingxingCall>(std::move(checked));
  auto response = co_await serve(std::move(call));
  co_return response;
}

/// Shared by the task and the call: either may end first.
struct Lingxing::Reading {
  Reading(net::Executor executor, http::Request of) : request(std::move(of)), news(executor) {}
  http::Request request;
  net::Event news;
  std::optional<Result<void>> result;
  std::optional<net::TaskGroup::Task> task;  // until it has ended
  bool is_late = false;
};

Awaitable<Result<void>> Lingxing::read_body(http::Request& request) {
  if (!request.body) co_return co_await http::read_all(request, options_.body_bytes);
  const auto reading = std::make_shared<Reading>(executor_, std::move(request));
  struct GiveUp {
    Reading& reading;
    ~GiveUp() {
      if (reading.task) reading.task->cancel();
    }
  } give_up{*reading};
  net::Deadline deadline(net::Deadlines::of(executor_.context()), [state = reading.get()] {
    state->is_late = true;
    state->news.notify();
  });
  deadline.set(options_.body_limit);
  reading->task = readings_.spawn(read(options_.body_bytes, reading));
  while (reading->task && !reading->is_late) co_await reading->news.wait();
  if (!reading->result) co_return Error::body_timed_out;
  request = std::move(reading->request);
  co_return *reading->result;
}

Awaitable<void> Lingxing::read(std::size_t limit, std::shared_ptr<Reading> reading) {
  struct Ended {
    Reading& reading;
    ~Ended() {
      reading.task.reset();
      reading.news.notify();
    }
  } ended{*reading};
  const auto read = co_await http::read_all(reading->request, limit);
  reading->result.emplace(read);
}

Awaitable<Result<http::Response>> Lingxing::serve(LingxingCall call) {
  Wait wait(options_.wait_limit);
  Backoff backoff(options_.busy);
  bool has_renewed = false;
  wait.start();
  auto place = co_await gates_.enter(call.path, wait.left);
  wait.stop();
  if (!place) {
    ++counters_.refused;
    co_return place.error();
  }
  while (true) {
    wait.start();
    const auto given = co_await tokens_.get(wait.left);
    wait.stop();
    if (given.token.empty()) co_return without_token(given, call.context.request_id);
    const auto started = net::Clock::now();
    auto response = co_await send(call, given.token);
    if (!response) co_return response.error();
    if (response->status >= 300 && response->status < 400)
      co_return http::error_response(502, "lingxing_redirect",
                                     "Lingxing answered with a redirect, which may repeat the token",
                                     call.context.request_id);
    for (const char* name : {"Location", "Content-Location", "Refresh", "Link"})
      response->fields.remove(name);
    const std::string code = code_of(*response);
    const LingxingVerdict verdict = judge_lingxing(code);
    if (verdict == LingxingVerdict::stale && !has_renewed && tokens_.refuse(given.token, code)) {
      ++counters_.stale;
      has_renewed = true;
      continue;
    }
    if (verdict == LingxingVerdict::busy) {
      const bool goes_on = co_await pause(backoff.next(net::random_u32()), wait);
      if (goes_on) continue;
    }
    if (response->body) {
      const net::Duration left = options_.call_limit - (net::Clock::now() - started);
      response->body =
          std::make_unique<PlacedBody>(executor_, std::move(response->body), std::move(*place),
                                       std::max<net::Duration>(left, std::chrono::milliseconds(1)));
    }
    co_return response;
  }
}

Awaitable<Result<http::Response>> Lingxing::send(const LingxingCall& call, const std::string& token) {
  ++counters_.sent;
  LingxingCommon common;
  common.app_id = options_.app_id;
  common.access_token = token;
  common.time = std::chrono::floor<std::chrono::seconds>(clock_());
  return api_.call(lingxing_request(call, common), options_.call_limit);
}

/// False if there is not so much time left.
Awaitable<bool> Lingxing::pause(std::chrono::milliseconds time, Wait& wait) {
  if (time >= wait.left) co_return false;
  ++counters_.busy;
  bool is_over = false;
  net::Event over(executor_);
  net::Deadline deadline(net::Deadlines::of(executor_.context()), [&] {
    is_over = true;
    over.notify();
  });
  wait.start();
  deadline.set(time);
  while (!is_over) co_await over.wait();
  wait.stop();
  co_return true;
}

http::Response Lingxing::without_token(const LingxingTokens::Given& given, const std::string& request_id) {
  ++counters_.refused;
  if (given.refusal.empty()) {
    const bool is_late = given.error == Error::timed_out;
    return http::error_response(is_late ? make_error_code(Error::upstream_timeout) : given.error, request_id);
  }
  return http::error_response(502, "lingxing_token", "Lingxing gave no access token: " + given.refusal,
                              request_id);
}

void Lingxing::adopt(std::shared_ptr<http::Handler> next, std::string app_secret,
                     LingxingGates::Buckets buckets) {
  api_.set_next(std::move(next));
  tokens_.set_secret(std::move(app_secret));
  gates_.set_buckets(std::move(buckets));
}

Lingxing::Counters Lingxing::counters() const {
  Counters counters = counters_;
  counters.tokens = tokens_.counters();
  return counters;
}

Awaitable<void> Lingxing::close() {
  readings_.cancel();
  co_await readings_.join();
  co_await tokens_.close();
  co_await api_.close();
}

}  // namespace rockdove::egress
