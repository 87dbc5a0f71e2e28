#include "http/server.hpp"

#include "net/task_group.hpp"
#include "support/bodies.hpp"
#include "support/sockets.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::http {
namespace {

using test::Answer;
using test::run;
using test::run_until;
using namespace std::chrono_literals;

Awaitable<Answer> echo(Request request) {
  auto read = co_await read_all(request, 1 << 20);
  if (!read) co_return read.error();
  co_return make_response(200, "text/plain", request.target + ":" + request.content);
}

/// A caller on one connection to a server.
class OneCaller : public testing::Test {
 protected:
  OneCaller() {
    options_.on_done = [this](const Record& record) { records_.push_back(record); };
  }
  void TearDown() override {
    test::on_loop(io_, [this] { group_.cancel(); });
    run(io_, group_.join());
  }
  void connect() {
    if (!server_) server_.emplace(handler_, options_);
    auto [left, right] = test::socket_pair(io_);
    caller_.emplace(std::move(left));
    group_.spawn(server_->serve(net::Stream(std::move(right))));
  }
  void send(std::string bytes) { EXPECT_FALSE(run(io_, test::write_bytes(*caller_, std::move(bytes)))); }
  /// What comes until `end` has come, or the connection's end.
  std::string receive(std::string_view end) { return run(io_, receive_until(*caller_, std::string(end))); }
  std::string receive_all() { return receive("never"); }
  static Awaitable<std::string> receive_until(net::Stream& stream, std::string end) {
    std::string text;
    while (!text.ends_with(end)) {
      const std::string byte = co_await test::read_bytes(stream, 1);
      if (byte.empty()) break;
      text += byte;
    }
    co_return text;
  }

  net::IoContext io_;
  test::FunctionHandler handler_{echo};
  Server::Options options_;
  std::vector<Record> records_;
  net::TaskGroup group_{io_.get_executor(), net::abort_on_error};
  std::optional<Server> server_;
  std::optional<net::Stream> caller_;
};

std::string ok(const std::string& text) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(text.size()) +
         "\r\n\r\n" + text;
}

TEST_F(OneCaller, is_answered_request_after_request) {
  connect();
  send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(receive("/a:"), ok("/a:"));
  send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(receive(":abc"), ok("/b:abc"));
  send("POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nd\r\n0\r\n\r\n");
  EXPECT_EQ(receive(":d"), ok("/c:d"));
  ASSERT_TRUE(run_until(io_, [&] { return records_.size() == 3; }));
  EXPECT_EQ(server_->stats().requests, 3U);
  EXPECT_EQ(server_->stats().connections, 1U);
  EXPECT_EQ(records_[1].method, "POST");
  EXPECT_EQ(records_[1].target, "/b");
  EXPECT_EQ(records_[1].status, 200);
  EXPECT_EQ(records_[1].bytes_in, 3U);
  EXPECT_EQ(records_[2].bytes_in, 1U);
  EXPECT_EQ(records_[2].bytes_out, 4U);
  EXPECT_NE(records_[0].request_id, records_[1].request_id);
}

TEST_F(OneCaller, is_answered_in_order_when_all_requests_come_at_once) {
  connect();
  send(
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
      "POST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nyo\r\n0\r\n\r\n"
      "GET /4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string all = receive_all();
  const std::string first = ok("/1:") + ok("/2:hi") + ok("/3:yo");
  EXPECT_EQ(all.substr(0, first.size()), first);
  EXPECT_NE(all.find("Connection: close\r\n\r\n/4:"), std::string::npos) << all;
}

TEST_F(OneCaller, gets_an_error_of_the_handler_as_json) {
  handler_.function = [](Request) { return ready(Error::upstream_refused); };
  connect();
  send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = receive("}}\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n")) << answer;
  EXPECT_NE(answer.find(R"("hop":"upstream","cause":"upstream_refused")"), std::string::npos) << answer;
  ASSERT_TRUE(run_until(io_, [&] { return !records_.empty(); }));
  EXPECT_EQ(records_[0].error, Error::upstream_refused);
  EXPECT_NE(answer.find(records_[0].request_id), std::string::npos) << "the body names the request";
  handler_.function = echo;
  send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(receive("/next:"), ok("/next:")) << "such an answer is no reason to hang up";
}

TEST_F(OneCaller, is_turned_away_before_the_handler_sees_it) {
  const struct {
    const char* what;
    std::string request;
    const char* status;
  } cases[] = {
      {"no HTTP", "hello\r\n\r\n", "400"},
      {"no host", "GET / HTTP/1.1\r\n\r\n", "400"},
      {"two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"},
      {"too large a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", "413"},
      {"too large a head", "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(200'000, 'a') + "\r\n\r\n",
       "431"},
      {"another version", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", "505"},
      {"another coding", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501"},
  };
  options_.body_bytes = 1000;
  for (const auto& each : cases) {
    connect();
    send(each.request);
    const std::string answer = receive_all();
    EXPECT_EQ(answer.substr(0, 12), std::string("HTTP/1.1 ") + each.status) << each.what;
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << each.what;
    EXPECT_NE(answer.find("\"hop\":\"edge\""), std::string::npos) << each.what;
  }
  EXPECT_EQ(handler_.calls, 0U);
  EXPECT_EQ(server_->stats().rejected, std::size(cases));
}

TEST_F(OneCaller, has_only_so_long_for_a_head) {
  options_.head_timeout = 40ms;
  connect();
  send("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(receive_all().substr(0, 12), "HTTP/1.1 408");
}

TEST_F(OneCaller, is_let_go_without_a_word_when_it_stays_idle) {
  options_.keep_alive_timeout = 40ms;
  connect();
  EXPECT_EQ(receive_all(), "");
}

TEST_F(OneCaller, is_let_go_without_a_word_when_an_idle_server_is_drained) {
  options_.next_wait = 0ms;
  connect();
  send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(receive("/a:"), ok("/a:"));
  ASSERT_TRUE(run_until(io_, [&] { return records_.size() == 1; }));
  test::run_for(io_, 0ms);
  server_->drain();
  EXPECT_TRUE(server_->is_draining());
  EXPECT_EQ(receive_all(), "");
  EXPECT_TRUE(run_until(io_, [&] { return server_->stats().connections == 0; }));
}

TEST_F(OneCaller, is_answered_when_its_first_request_comes_just_after_the_drain) {
  for (const bool is_early : {true, false}) {
    server_.emplace(handler_, options_);
    if (is_early) {
      connect();
      ASSERT_TRUE(run_until(io_, [&] { return server_->stats().connections == 1; }));
      test::run_for(io_, 1ms);
    }
    server_->drain();
    if (!is_early) connect();  // accepted before, and served only now
    test::run_for(io_, 40ms);
    EXPECT_TRUE(server_->awaits_requests());
    send("POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    const std::string answer = receive_all();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("Connection: close\r\n\r\n/late:hi")) << answer;
    EXPECT_FALSE(server_->awaits_requests());
    caller_->close();
    EXPECT_TRUE(run_until(io_, [&] { return server_->stats().connections == 0; }));
  }
}

TEST_F(OneCaller, is_answered_once_more_when_it_was_answered_just_before_the_drain) {
  connect();
  send("GET /one HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(run_until(io_, [&] { return records_.size() == 1; }));
  test::run_for(io_, 0ms);
  server_->drain();
  EXPECT_TRUE(server_->awaits_requests());
  test::run_for(io_, 40ms);
  send("GET /two HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answers = receive_all();
  EXPECT_TRUE(answers.starts_with("HTTP/1.1 200 OK\r\n")) << answers;
  EXPECT_NE(answers.find("/one:HTTP/1.1 200 OK\r\n"), std::string::npos) << answers;
  EXPECT_TRUE(answers.ends_with("Connection: close\r\n\r\n/two:")) << answers;
  EXPECT_FALSE(server_->awaits_requests());
}

TEST_F(OneCaller, has_only_so_long_for_a_next_request_once_the_server_is_drained) {
  options_.next_wait = 60ms;
  for (const auto silence : {0ms, 80ms}) {  // since its last answer
    server_.emplace(handler_, options_);
    records_.clear();
    connect();
    send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(run_until(io_, [&] { return records_.size() == 1; }));
    test::run_for(io_, silence);
    server_->drain();
    EXPECT_EQ(server_->awaits_requests(), silence == 0ms);
    EXPECT_TRUE(run_until(
        io_, [&] { return server_->stats().connections == 0; }, 1s));
  }
}

TEST_F(OneCaller, has_only_so_long_for_a_first_request_once_the_server_is_drained) {
  options_.first_wait = 60ms;
  connect();
  test::run_for(io_, 1ms);
  server_->drain();
  const auto began = net::Clock::now();
  EXPECT_EQ(receive_all(), "");
  EXPECT_LT(net::Clock::now() - began, 5s);
  EXPECT_TRUE(run_until(io_, [&] { return server_->stats().connections == 0; }));
  connect();  // the same for one that is served only now
  EXPECT_EQ(receive_all(), "");
  EXPECT_TRUE(run_until(io_, [&] { return server_->stats().connections == 0; }));
  server_.reset();
  connect();
  test::run_for(io_, 80ms);
  server_->drain();  // it has been silent for too long already
  EXPECT_TRUE(run_until(
      io_, [&] { return server_->stats().connections == 0; }, 1s));
}

TEST_F(OneCaller, gets_its_answer_before_a_drained_server_lets_it_go) {
  net::Event go(io_.get_executor());
  const auto wait = [](net::Event& until) -> Awaitable<Answer> {
    co_await until.wait();
    co_return make_response(200, "text/plain", "late");
  };
  handler_.function = [&](Request) { return wait(go); };
  connect();
  send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(run_until(io_, [&] { return handler_.calls == 1; }));
  server_->drain();
  go.notify();
  const std::string answer = receive_all();
  EXPECT_TRUE(answer.ends_with("Connection: close\r\n\r\nlate")) << answer;
}

TEST_F(OneCaller, gives_its_request_up_by_going_away) {
  const auto dropped = std::make_shared<bool>(false);
  struct Guard {
    std::shared_ptr<bool> dropped;
    ~Guard() { *dropped = true; }
  };
  const auto hang = [](std::shared_ptr<bool> flag, net::Executor executor) -> Awaitable<Answer> {
    const Guard guard{std::move(flag)};
    net::Event never(executor);
    while (true) co_await never.wait();
  };
  handler_.function = [&](Request) { return hang(dropped, io_.get_executor()); };
  connect();
  send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(run_until(io_, [&] { return handler_.calls == 1; }));
  EXPECT_FALSE(*dropped);
  caller_->close();
  EXPECT_TRUE(run_until(io_, [&] { return *dropped; }));
  ASSERT_TRUE(run_until(io_, [&] { return records_.size() == 1; }));
  EXPECT_EQ(records_[0].status, 0);
}

TEST_F(OneCaller, gives_a_switch_up_by_going_away_before_its_answer) {
  const auto hang = [](std::size_t& left, net::Executor executor) -> Awaitable<Answer> {
    struct Guard {
      std::size_t& left;
      ~Guard() { ++left; }
    } guard{left};
    net::Event never(executor);
    while (true) co_await never.wait();
  };
  std::size_t left = 0, asked = 0;
  handler_.function = [&](Request) { return hang(left, io_.get_executor()); };
  for (const char* head : {"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n",
                           "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"}) {
    for (const char* early : {"", "what comes early"}) {
      connect();
      send(std::string(head) + early);
      ASSERT_TRUE(run_until(io_, [&] { return handler_.calls == asked + 1; })) << head;
      ++asked;
      test::run_for(io_, 1ms);
      if (*early) send("and more");
      EXPECT_EQ(left, asked - 1);
      caller_->close();
      EXPECT_TRUE(run_until(io_, [&] { return left == asked; })) << head << early;
    }
  }
}

}  // namespace
}  // namespace rockdove::http
