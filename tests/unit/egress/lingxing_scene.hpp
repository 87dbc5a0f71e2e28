// Lingxing as the helper meets it, and bots that call it through the helper.
#pragma once

#include "egress/lingxing.hpp"

#include "base/percent.hpp"
#include "support/bodies.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::egress {

using namespace std::chrono_literals;

/// A refusal as Lingxing writes it; `code` may have quotes around it.
inline std::string json_answer(std::string_view code) {
  std::string digits(code);
  std::erase(digits, '"');
  return R"({"code":)" + std::string(code) + R"(,"message":"said )" + digits + R"(","data":[]})";
}

/// Gives tokens out, each of which ends the one before, and answers a call that has the last one with what
/// the script says next; `{"code":0}` after its end.
class FakeLingxing final : public http::Handler {
 public:
  explicit FakeLingxing(net::Executor executor) : executor_(executor) {}

  std::deque<std::string> script;  ///< codes of the business endpoints
  std::deque<std::string> fetch_script,
      refresh_script;                                ///< "" grants; "down" is no answer; a code, or its JSON
  std::function<Result<http::Response>()> business;  ///< instead of the script
  bool held = false, tokens_held = false;
  std::chrono::seconds lifetime{7199};
  std::size_t fetches = 0, refreshes = 0;
  std::size_t running = 0, most_running = 0, cancelled = 0;
  std::string token, refresh_token;
  std::vector<http::Request> seen;  ///< of the business endpoints
  std::vector<http::Request> token_seen;

  std::vector<std::string> paths() const {
    std::vector<std::string> all;
    for (const http::Request& request : seen)
      all.push_back(request.target.substr(0, request.target.find('?')));
    return all;
  }

  Awaitable<Result<http::Response>> handle(http::Request&& request) override {
    struct Stay {
      explicit Stay(FakeLingxing& its_host) : host(its_host) {
        host.most_running = std::max(host.most_running, ++host.running);
      }
      ~Stay() {
        --host.running;
        host.cancelled += !is_answered;
      }
      FakeLingxing& host;
      bool is_answered = false;
    } stay(*this);
    const bool is_fetch = request.target == "/api/auth-server/oauth/access-token";
    const bool is_refresh = request.target == "/api/auth-server/oauth/refresh";
    net::Timer pause(executor_);
    if (is_fetch || is_refresh) {
      token_seen.push_back(std::move(request));
      ++(is_fetch ? fetches : refreshes);
    } else {
      seen.push_back(std::move(request));
    }
    const std::size_t index = seen.size() - 1;
    while (is_fetch || is_refresh ? tokens_held : held) {
      pause.expires_after(1ms);
      co_await pause.async_wait(net::token);
    }
    stay.is_answered = true;
    if (is_fetch) co_return grant(fetch_script);
    if (is_refresh) co_return refresh(token_seen.back().content);
    co_return answer(seen[index]);
  }

  /// Somebody else fetches a token.
  void lose_token() { token = "somebody else's"; }

 private:
  static std::optional<std::string> next(std::deque<std::string>& from) {
    if (from.empty()) return std::nullopt;
    std::string first = std::move(from.front());
    from.pop_front();
    return first;
  }

  Result<http::Response> grant(std::deque<std::string>& from) {
    const std::string what = next(from).value_or("");
    if (what == "down") return Error::upstream_refused;
    if (what.starts_with('{')) return http::make_response(200, "application/json", what);
    if (!what.empty()) return http::make_response(200, "application/json", json_answer(what));
    token = "token-" + std::to_string(fetches + refreshes);
    refresh_token = "refresh-" + std::to_string(fetches + refreshes);
    return http::make_response(200, "application/json",
                               R"({"code":"200","msg":"OK","data":{"access_token":")" + token +
                                   R"(","refresh_token":")" + refresh_token + R"(","expires_in":)" +
                                   std::to_string(lifetime.count()) + "}}");
  }

  Result<http::Response> refresh(const std::string& form) {
    if (form.find("\r\n\r\n" + refresh_token + "\r\n") == form.npos)
      return http::make_response(200, "application/json", json_answer("2001009"));
    refresh_token = "used";
    return grant(refresh_script);
  }

  Result<http::Response> answer(const http::Request& request) {
    const bool is_ours = request.target.find("access_token=" + token + "&") != std::string::npos;
    if (!is_ours) return http::make_response(200, "application/json", json_answer("2001005"));
    if (business) return business();
    return http::make_response(200, "application/json", json_answer(next(script).value_or("0")));
  }

  net::Executor executor_;
};

class LingxingTest : public testing::Test {
 protected:
  /// "200 body" or the error's name, once the call is over.
  using Said = std::shared_ptr<std::optional<std::string>>;

  LingxingTest() {
    options_.app_id = "ak_test123456789";
    options_.app_secret = "the-secret";
    options_.busy = {2ms, 4ms, 10ms, 60s};
    options_.wait_limit = 2s;
  }

  void TearDown() override {
    api_.held = api_.tokens_held = false;
    ASSERT_TRUE(test::run_until(io_, [&] { return tasks_.empty(); }));
    if (lingxing_) test::run(io_, lingxing_->close());
    EXPECT_EQ(api_.running, 0U);
  }

  Lingxing& lingxing() {
    if (!lingxing_) lingxing_.emplace(io_.get_executor(), next(api_), options_, [this] { return now_; });
    return *lingxing_;
  }

  static std::shared_ptr<http::Handler> next(FakeLingxing& api) { return {std::shared_ptr<void>(), &api}; }
  static http::Request get(std::string target) { return test::request_of("GET", std::move(target)); }
  static http::Request post(std::string target, std::string json) {
    http::Request request = test::request_of("POST", std::move(target), std::move(json));
    request.fields.add("Content-Type", "application/json");
    return request;
  }

  std::string call(http::Request request) {
    return test::run(io_, test::summary_of(lingxing().handle(std::move(request))));
  }
  std::string call(std::string target) { return call(get(std::move(target))); }

  /// Starts a call; its answer is there when it is.
  std::pair<net::TaskGroup::Task, Said> start(std::string target) {
    const Said said = std::make_shared<std::optional<std::string>>();
    const auto task = tasks_.spawn(begin(get(std::move(target)), said));
    settle_down();
    return {task, said};
  }

  template <class Done>
  bool until(Done done) {
    return test::run_until(io_, done);
  }
  /// Does all that can be done without waiting for the time, however slow the machine is.
  void settle_down() {
    io_.restart();
    while (io_.poll() > 0) continue;
  }

  net::IoContext io_;
  WallTime now_{1'720'429'074'000ms};
  FakeLingxing api_{io_.get_executor()};
  Lingxing::Options options_;
  std::optional<Lingxing> lingxing_;
  net::TaskGroup tasks_{io_.get_executor(), net::abort_on_error};

 private:
  Awaitable<void> begin(http::Request request, Said said) {
    auto answer = co_await test::summary_of(lingxing().handle(std::move(request)));
    said->emplace(std::move(answer));
  }
};

}  // namespace rockdove::egress
