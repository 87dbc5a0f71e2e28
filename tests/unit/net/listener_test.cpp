#include "net/listener.hpp"

#include "support/sockets.hpp"

#include <gtest/gtest.h>
#include <boost/asio/ip/address.hpp>

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

#include <list>
#include <optional>

namespace rockdove::net {
namespace {

using test::read_bytes;
using test::read_error;
using test::run;
using test::run_until;
using test::write_bytes;

Awaitable<void> echo(TcpSocket socket) {
  char piece[1024];
  for (;;) {
    const auto [error, count] = co_await socket.async_read_some(asio::buffer(piece), token);
    if (error) co_return;
    co_await asio::async_write(socket, asio::buffer(piece, count), token);
  }
}

Awaitable<void> say_full(TcpSocket socket) {
  const std::string text = "full";
  co_await asio::async_write(socket, asio::buffer(text), token);
}

Awaitable<void> hang(TcpSocket socket) {
  char piece[64];
  co_await socket.async_read_some(asio::buffer(piece), token);
  co_await socket.async_read_some(asio::buffer(piece), token);
}

class Listening : public testing::Test {
 protected:
  void listen(const Listener::Options& options = {}, Listener::OnConnection overflow = {}) {
    listener_.emplace(io_.get_executor(), test::loopback(), options, echo, std::move(overflow));
    group_.spawn(listener_->run());
  }
  void TearDown() override {
    if (listener_) run(io_, listener_->cancel());
    run(io_, group_.join());
  }
  Stream connect() {
    TcpSocket socket(io_.get_executor());
    socket.connect(listener_->endpoint());
    return Stream(std::move(socket));
  }
  std::string ask(Stream& stream, std::string text) {
    const auto size = text.size();
    run(io_, write_bytes(stream, std::move(text)));
    return run(io_, read_bytes(stream, size));
  }

  IoContext io_;
  TaskGroup group_{io_.get_executor(), abort_on_error};
  std::optional<Listener> listener_;
};

TEST_F(Listening, serves_many_connections_side_by_side) {
  listen();
  EXPECT_NE(listener_->endpoint().port(), 0);
  std::list<Stream> streams;
  for (int i = 0; i < 50; ++i) streams.push_back(connect());
  for (auto& stream : streams) EXPECT_EQ(ask(stream, "hello"), "hello");
  EXPECT_EQ(listener_->counters().accepted, 50U);
  EXPECT_EQ(listener_->counters().active, 50U);
  EXPECT_EQ(listener_->counters().overflow, 0U);
  streams.clear();
  EXPECT_TRUE(run_until(io_, [&] { return listener_->counters().active == 0; }));
}

TEST_F(Listening, connections_over_the_limit_are_told_and_a_free_place_is_used_again) {
  Listener::Options options;
  options.connections_max = 2;
  listen(options, say_full);
  Stream first = connect(), second = connect();
  EXPECT_EQ(ask(first, "1"), "1");
  EXPECT_EQ(ask(second, "2"), "2");
  Stream third = connect();
  EXPECT_EQ(run(io_, read_bytes(third, 100)), "full");
  EXPECT_EQ(listener_->counters().overflow, 1U);
  first.close();
  EXPECT_TRUE(run_until(io_, [&] { return listener_->counters().active == 1; }));
  Stream fourth = connect();
  EXPECT_EQ(ask(fourth, "4"), "4");
  EXPECT_EQ(listener_->counters().accepted, 3U);
}

TEST_F(Listening, without_on_overflow_connections_over_the_limit_are_closed) {
  Listener::Options options;
  options.connections_max = 0;
  listen(options);
  Stream stream = connect();
  EXPECT_TRUE(run(io_, read_error(stream)));
  EXPECT_EQ(listener_->counters().overflow, 1U);
}

TEST_F(Listening, overflow_is_bounded_in_number_and_time) {
  Listener::Options options;
  options.connections_max = 0;
  options.overflow_max = 1;
  options.overflow_time = std::chrono::milliseconds(30);
  listen(options, hang);
  Stream first = connect();
  EXPECT_TRUE(run_until(io_, [&] { return listener_->counters().overflow == 1; }));
  Stream second = connect();
  EXPECT_TRUE(run(io_, read_error(second)));  // closed at once
  EXPECT_TRUE(run(io_, read_error(first)));   // closed when its time is over
  EXPECT_EQ(listener_->counters().overflow, 2U);
}

TEST_F(Listening, those_who_have_connected_before_the_stop_are_served) {
  listener_.emplace(io_.get_executor(), test::loopback(), Listener::Options(), echo);
  std::list<Stream> streams;  // they wait in the kernel
  for (int i = 0; i < 20; ++i) streams.push_back(connect());
  group_.spawn(listener_->run());
  test::on_loop(io_, [&] { listener_->stop(); });
  run(io_, group_.join());
  for (auto& stream : streams) EXPECT_EQ(ask(stream, "hello"), "hello");
  EXPECT_EQ(listener_->counters().accepted, 20U);
}

TEST_F(Listening, after_stop_nobody_gets_in_and_the_rest_goes_on) {
  listen();
  Stream stream = connect();
  EXPECT_EQ(ask(stream, "before"), "before");
  listener_->stop();
  run(io_, group_.join());  // run() has returned
  TcpSocket late(io_.get_executor());
  boost::system::error_code error;
  late.connect(listener_->endpoint(), error);
  EXPECT_EQ(error, asio::error::connection_refused);
  EXPECT_EQ(ask(stream, "after"), "after");
  EXPECT_FALSE(run(io_, listener_->drain(std::chrono::milliseconds(10))));
  stream.close();
  EXPECT_TRUE(run(io_, listener_->drain(std::chrono::seconds(5))));
}

TEST_F(Listening, cancel_ends_connections_that_do_not_end_themselves) {
  listen();
  Stream stream = connect();
  EXPECT_EQ(ask(stream, "x"), "x");
  run(io_, listener_->cancel());
  EXPECT_EQ(listener_->counters().active, 0U);
  EXPECT_TRUE(run(io_, read_error(stream)));
}

TEST_F(Listening, a_port_in_use_is_named) {
  listen();
  try {
    const Listener second(io_.get_executor(), listener_->endpoint(), {}, echo);
    FAIL() << "no exception";
  } catch (const std::runtime_error& failure) {
    const auto wanted = "cannot listen on 127.0.0.1:" + std::to_string(listener_->endpoint().port());
    EXPECT_NE(std::string(failure.what()).find(wanted), std::string::npos) << failure.what();
  }
}

TEST_F(Listening, the_ipv6_wildcard_takes_ipv4_callers) {
  const Endpoint any(asio::ip::address_v6::any(), 0);
  try {
    listener_.emplace(io_.get_executor(), any, Listener::Options{}, echo);
  } catch (const std::runtime_error&) { GTEST_SKIP() << "no IPv6 here"; }
  group_.spawn(listener_->run());
  TcpSocket socket(io_.get_executor());
  socket.connect(test::loopback(listener_->endpoint().port()));
  Stream stream(std::move(socket));
  EXPECT_EQ(ask(stream, "four"), "four");
}

#if defined(__linux__)
TEST_F(Listening, an_inherited_socket_is_served) {
  TcpAcceptor parent(io_.get_executor(), test::loopback());
  const auto listener =
      Listener::adopt(io_.get_executor(), ::dup(parent.native_handle()), Listener::Options{}, echo);
  EXPECT_EQ(listener->endpoint(), parent.local_endpoint());
  group_.spawn(listener->run());
  TcpSocket socket(io_.get_executor());
  socket.connect(parent.local_endpoint());
  Stream stream(std::move(socket));
  EXPECT_EQ(ask(stream, "inherited"), "inherited");
  run(io_, listener->cancel());
}

TEST_F(Listening, a_socket_that_does_not_listen_is_not_adopted) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_THROW(Listener::adopt(io_.get_executor(), socket, {}, echo), std::runtime_error);
  EXPECT_EQ(::close(socket), 0);  // still ours
  EXPECT_THROW(Listener::adopt(io_.get_executor(), -1, {}, echo), std::runtime_error);
}

#endif

// The sanitizers need descriptors themselves.
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
TEST_F(Listening, lack_of_descriptors_is_outlived) {
  listen();
  rlimit usual{};
  ::getrlimit(RLIMIT_NOFILE, &usual);
  TcpSocket client(io_.get_executor());
  client.connect(listener_->endpoint());
  const int lowest = ::dup(0);  // every descriptor below the limit must be taken
  ::close(lowest);
  rlimit none = usual;
  none.rlim_cur = static_cast<rlim_t>(lowest);
  ::setrlimit(RLIMIT_NOFILE, &none);
  test::run_for(io_, std::chrono::milliseconds(30));
  const auto accepted = listener_->counters().accepted;
  ::setrlimit(RLIMIT_NOFILE, &usual);
  EXPECT_EQ(accepted, 0U);
  Stream stream(std::move(client));
  EXPECT_EQ(ask(stream, "served later"), "served later");
}

TEST_F(Listening, stop_ends_the_pause_after_a_shortage) {
  listen();
  rlimit usual{};
  ::getrlimit(RLIMIT_NOFILE, &usual);
  TcpSocket client(io_.get_executor());
  client.connect(listener_->endpoint());
  const int lowest = ::dup(0);
  ::close(lowest);
  rlimit none = usual;
  none.rlim_cur = static_cast<rlim_t>(lowest);
  ::setrlimit(RLIMIT_NOFILE, &none);
  test::run_for(io_, std::chrono::milliseconds(10));
  ::setrlimit(RLIMIT_NOFILE, &usual);
  listener_->stop();
  run(io_, group_.join());
  EXPECT_EQ(listener_->counters().accepted, 1U);  // there are descriptors again
}
#endif

}  // namespace
}  // namespace rockdove::net
