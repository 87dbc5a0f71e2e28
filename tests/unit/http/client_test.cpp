#include "http/client.hpp"

#include "net/task_group.hpp"
#include "support/bodies.hpp"
#include "support/sockets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::http {
namespace {

using test::Answer;
using test::request_of;
using test::run;
using test::run_until;
using test::summary_of;
using namespace std::chrono_literals;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// An upstream that reads requests without a body (or with one in the same packet) and plays what `script`
/// says: the bytes to answer the given request of the given connection with; "" hangs up.
class Upstream {
 public:
  using Script = std::function<std::string(std::size_t connection, std::size_t request)>;

  Upstream(net::IoContext& io, Script script)
      : acceptor_(io.get_executor(), test::loopback()),
        script_(std::move(script)),
        group_(io.get_executor(), net::abort_on_error) {
    group_.spawn(accept());
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::size_t connections() const { return connections_; }
  const std::vector<std::string>& requests() const { return requests_; }
  Awaitable<void> stop() {  // on the loop
    acceptor_.close();
    group_.cancel();
    co_await group_.join();
  }

 private:
  Awaitable<void> accept() {
    while (true) {
      auto [error, socket] = co_await acceptor_.async_accept(net::token);
      if (error) co_return;
      group_.spawn(serve(std::move(socket), connections_++));
    }
  }
  Awaitable<void> serve(net::TcpSocket socket, std::size_t connection) {
    for (std::size_t number = 0;; ++number) {
      std::string request;
      char piece[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        auto [error, size] = co_await socket.async_read_some(net::asio::buffer(piece), net::token);
        if (error) co_return;
        request.append(piece, size);
      }
      requests_.push_back(request);
      std::string answer = script_(connection, number);
      if (answer.empty()) co_return;
      const bool hangs_up = answer.ends_with("\x04");
      if (hangs_up) answer.pop_back();
      auto [error, size] = co_await net::asio::async_write(socket, net::asio::buffer(answer), net::token);
      if (error || hangs_up) co_return;
    }
  }

  net::TcpAcceptor acceptor_;
  Script script_;
  net::TaskGroup group_;
  std::size_t connections_ = 0;
  std::vector<std::string> requests_;
};

class AClient : public testing::Test {
 protected:
  void start(Upstream::Script script, Client::Options options = {}) {
    upstream_.emplace(io_, std::move(script));
    options.address = {"127.0.0.1", upstream_->port()};
    client_.emplace(io_.get_executor(), std::move(options));
  }
  void TearDown() override {
    test::on_loop(io_, [this] { group_.cancel(); });
    run(io_, group_.join());
    if (client_) run(io_, client_->close());
    if (upstream_) run(io_, upstream_->stop());
  }
  std::string call(Request request) { return run(io_, summary_of(client_->handle(std::move(request)))); }
  static Awaitable<void> note(Client& client, std::string target,
                              std::shared_ptr<std::vector<std::string>> done) {
    auto request = request_of("GET", target);
    auto called = client.handle(std::move(request));
    const std::string summary = co_await summary_of(std::move(called));
    done->push_back(target + " " + summary);
  }

  net::IoContext io_;
  net::TaskGroup group_{io_.get_executor(), net::abort_on_error};
  std::optional<Upstream> upstream_;
  std::optional<Client> client_;
};

TEST_F(AClient, writes_what_it_was_given_and_uses_a_kept_connection_again) {
  start([](auto, auto) { return ok; });
  Request request = request_of("POST", "/a?b", "body");
  request.fields.add("x-b", "2");
  request.fields.add("x-a", "1");
  request.fields.add("content-length", "4");
  EXPECT_EQ(call(std::move(request)), "200 ok");
  EXPECT_EQ(call(request_of("GET", "/second")), "200 ok");
  ASSERT_EQ(upstream_->requests().size(), 2U);
  const std::string host = "Host: 127.0.0.1:" + std::to_string(upstream_->port()) + "\r\n";
  EXPECT_EQ(upstream_->requests()[0],
            "POST /a?b HTTP/1.1\r\n" + host + "X-B: 2\r\nX-A: 1\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_EQ(upstream_->requests()[1], "GET /second HTTP/1.1\r\n" + host + "\r\n");
  EXPECT_EQ(upstream_->connections(), 1U);
  EXPECT_EQ(client_->connections(), 1U);
}

TEST_F(AClient, sends_no_body_of_another_length_than_it_announces) {
  start([](auto, auto) { return ok; });
  const auto with_length = [](const char* length, std::string content) {
    Request request = request_of("POST", "/", std::move(content));
    request.fields.add("content-length", length);
    return request;
  };
  EXPECT_EQ(call(with_length("3", "abcPOST /smuggled HTTP/1.1\r\n\r\n")), "malformed");
  EXPECT_EQ(call(with_length("30", "abc")), "malformed");
  EXPECT_EQ(call(with_length("3x", "abc")), "malformed");
  EXPECT_EQ(call(with_length("3", "")), "malformed");
  Request framed = request_of("POST", "/", "abc");
  framed.fields.add("Transfer-Encoding", "chunked");
  EXPECT_EQ(call(std::move(framed)), "malformed");
  Request twice = with_length("3", "abc");
  twice.fields.add("content-length", "3");
  EXPECT_EQ(call(std::move(twice)), "malformed");
  EXPECT_TRUE(upstream_->requests().empty());
  EXPECT_EQ(call(with_length("0", "")), "200 ok");
}

TEST_F(AClient, keeps_no_connection_on_which_a_streaming_body_had_another_length) {
  for (const char* length : {"2", "9"}) {
    upstream_.reset();
    client_.reset();
    start([](auto, auto) { return std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); });
    Request request = request_of("POST", "/");
    request.fields.add("content-length", length);
    request.has_body = true;
    const auto feed = std::make_shared<test::Feed>(io_);
    feed->add("abcd");
    feed->end();
    request.body = std::make_unique<test::FeedBody>(feed);
    call(std::move(request));
    EXPECT_TRUE(run_until(io_, [&] { return client_->connections() == 0; })) << length;
    EXPECT_EQ(call(request_of("GET", "/next")), "200 ok");
    EXPECT_EQ(upstream_->connections(), 2U) << "not the one with the wrong body";
    run(io_, client_->close());
    run(io_, upstream_->stop());
  }
}

TEST_F(AClient, reads_bodies_however_they_are_framed) {
  const struct {
    const char *answer, *summary;
    std::size_t kept;
  } cases[] = {
      {"HTTP/1.1 204 No Content\r\n\r\n", "204 ", 1},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "200 hi", 1},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi", "200 hi", 0},
      {"HTTP/1.1 200 OK\r\n\r\nto the end\x04", "200 to the end", 0},
      {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "200 hi", 0},
      {"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 ", 1},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi\x04", "200 broken: truncated", 0},
  };
  for (const auto& each : cases) {
    start([&](auto, auto) { return std::string(each.answer); });
    EXPECT_EQ(call(request_of("GET", "/")), each.summary) << each.answer;
    EXPECT_EQ(client_->connections(), each.kept) << each.answer;
    TearDown();
  }
}

TEST_F(AClient, retries_on_a_fresh_connection_only_what_may_be_repeated) {
  const struct {
    const char* method;
    bool streams;
    bool is_retried;
  } cases[] = {{"GET", false, true},   {"HEAD", false, true},   {"PUT", false, true}, {"DELETE", false, true},
               {"POST", false, false}, {"PATCH", false, false}, {"PUT", true, false}};
  for (const auto& each : cases) {
    const std::string name = std::string(each.method) + (each.streams ? " streaming" : "");
    // The first connection answers once and hangs up when it is used again.
    start([&](std::size_t connection, std::size_t number) {
      if (connection == 0 && number > 0) return std::string();
      return std::string(each.method) == "HEAD" ? "HTTP/1.1 204 No Content\r\n\r\n" : ok;
    });
    (void)call(request_of("GET", "/warm-up"));
    Request request = request_of(each.method, "/");
    if (each.streams) {
      const auto feed = std::make_shared<test::Feed>(io_);
      feed->end();
      request.has_body = true;
      request.body = std::make_unique<test::FeedBody>(feed);
    }
    const std::string summary = call(std::move(request));
    if (each.is_retried) EXPECT_TRUE(summary.starts_with("20")) << name << ": " << summary;
    else EXPECT_EQ(summary, "upstream_reset") << name;
    EXPECT_EQ(upstream_->connections(), each.is_retried ? 2U : 1U) << name;
    TearDown();
  }
}

TEST_F(AClient, repeats_nothing_after_the_first_byte_of_an_answer) {
  start([](std::size_t connection, std::size_t number) {
    return connection == 0 && number > 0 ? std::string("HTTP/1.1 2\x04") : ok;
  });
  EXPECT_EQ(call(request_of("GET", "/warm-up")), "200 ok");
  EXPECT_EQ(call(request_of("GET", "/")), "upstream_reset");
  EXPECT_EQ(upstream_->connections(), 1U);
}

TEST_F(AClient, does_not_repeat_a_request_that_a_fresh_connection_failed) {
  start([](auto, auto) { return std::string(); });
  EXPECT_EQ(call(request_of("GET", "/")), "upstream_reset");
  EXPECT_EQ(upstream_->requests().size(), 1U);
  EXPECT_EQ(client_->connections(), 0U);
}

TEST_F(AClient, makes_requests_wait_in_order_for_a_connection) {
  Client::Options options;
  options.connections = 2;
  start([](auto, auto) { return ok; }, std::move(options));
  const auto done = std::make_shared<std::vector<std::string>>();
  std::vector<std::string> expected;
  for (int i = 0; i < 8; ++i) {
    group_.spawn(note(*client_, "/" + std::to_string(i), done));
    expected.push_back("/" + std::to_string(i) + " 200 ok");
  }
  std::size_t most = 0;
  ASSERT_TRUE(run_until(io_, [&] {
    most = std::max(most, client_->connections());
    return done->size() == expected.size();
  }));
  EXPECT_EQ(most, 2U);
  EXPECT_EQ(upstream_->connections(), 2U);
  // Two run side by side, so neighbours may swap; nobody is overtaken by more than one.
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto at = std::find(done->begin(), done->end(), expected[i]) - done->begin();
    EXPECT_LE(std::abs(at - static_cast<std::ptrdiff_t>(i)), 1) << expected[i];
  }
}

TEST_F(AClient, passes_the_turn_of_a_waiting_request_on_that_was_cancelled) {
  Client::Options options;
  options.connections = 1;
  start([](auto, auto) { return std::string("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhe"); },
        std::move(options));
  Answer first = run(io_, client_->handle(request_of("GET", "/first")));  // holds the one connection
  ASSERT_TRUE(first && first->body);
  const auto done = std::make_shared<std::vector<std::string>>();
  auto second = group_.spawn(note(*client_, "/second", done));
  group_.spawn(note(*client_, "/third", done));
  test::run_for(io_, 20ms);
  EXPECT_EQ(upstream_->requests().size(), 1U);
  test::on_loop(io_, [&] { second.cancel(); });
  first->body.reset();  // given up: its connection is of no more use
  ASSERT_TRUE(run_until(io_, [&] { return upstream_->requests().size() == 2; }));
  EXPECT_TRUE(upstream_->requests()[1].starts_with("GET /third "));
}

TEST_F(AClient, lets_nobody_who_comes_later_overtake_a_request_that_waits) {
  Client::Options options;
  options.connections = 1;
  start(
      [](std::size_t connection, auto) {
        return connection == 0 ? std::string("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhe") : ok;
      },
      std::move(options));
  Answer first = run(io_, client_->handle(request_of("GET", "/first")));  // holds the one connection
  ASSERT_TRUE(first && first->body);
  const auto done = std::make_shared<std::vector<std::string>>();
  test::on_loop(io_, [&] { group_.spawn(note(*client_, "/waits", done)); });
  test::on_loop(io_, [&] {  // it becomes free, and before the loop comes to who waits somebody else asks
    group_.spawn(note(*client_, "/late", done));
    first->body.reset();
  });
  ASSERT_TRUE(run_until(io_, [&] { return done->size() == 2; }));
  EXPECT_EQ(*done, (std::vector<std::string>{"/waits 200 ok", "/late 200 ok"}));
  EXPECT_EQ(client_->connections(), 1U);
}

TEST_F(AClient, lets_no_request_wait_for_a_connection_for_ever) {
  Client::Options options;
  options.connections = 1;
  options.queue_wait = 60ms;
  start([](auto, auto) { return std::string("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhe"); },
        std::move(options));
  Answer first = run(io_, client_->handle(request_of("GET", "/first")));  // holds the one connection
  ASSERT_TRUE(first && first->body);
  EXPECT_EQ(call(request_of("GET", "/second")), "queue_full");
  EXPECT_EQ(upstream_->requests().size(), 1U);
  first->body.reset();
  Answer third = run(io_, client_->handle(request_of("GET", "/third")));
  EXPECT_TRUE(third);
  EXPECT_EQ(client_->connections(), 1U);
}

TEST_F(AClient, says_refused_when_nobody_listens) {
  std::uint16_t port = 0;
  {
    net::TcpAcceptor acceptor(io_.get_executor(), test::loopback());
    port = acceptor.local_endpoint().port();
  }
  Client::Options options;
  options.address = {"127.0.0.1", port};
  std::vector<bool> attempts;
  options.on_connect = [&](const Result<void>& result) { attempts.push_back(result.has_value()); };
  client_.emplace(io_.get_executor(), std::move(options));
  EXPECT_EQ(call(request_of("POST", "/")), "upstream_refused");
  EXPECT_EQ(attempts, std::vector<bool>{false});
  EXPECT_FALSE(run(io_, client_->probe()));
  EXPECT_EQ(client_->connections(), 0U);
}

TEST_F(AClient, calls_a_bad_or_late_answer_by_its_name) {
  const struct {
    const char *answer, *error;
  } cases[] = {
      {"hello\r\n\r\n", "upstream_malformed"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "upstream_malformed"},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "upstream_malformed"},
      {"HTTP/1.1 200 O\x04", "upstream_reset"},
      {"HTTP/1.1 200 O", "upstream_timeout"},
  };
  for (const auto& each : cases) {
    start([&](auto, auto) { return std::string(each.answer); });
    Request request = request_of("GET", "/");
    request.context.first_byte_timeout = 60ms;
    EXPECT_EQ(call(std::move(request)), each.error) << each.answer;
    EXPECT_EQ(client_->connections(), 0U);
    TearDown();
  }
}

}  // namespace
}  // namespace rockdove::http
