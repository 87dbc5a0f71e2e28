#include "net/stream.hpp"

#include "net/crypto.hpp"
#include "net/task_group.hpp"
#include "support/certificates.hpp"
#include "support/sockets.hpp"

#include <gtest/gtest.h>
#include <boost/asio/ssl/error.hpp>

#include <array>
#include <optional>

#if defined(__linux__)
#include <netinet/in.h>
#include <netinet/tcp.h>
#endif

namespace rockdove::net {
namespace {

using test::read_bytes;
using test::read_error;
using test::run;
using test::run_until;
using test::write_bytes;

Awaitable<void> accept(Stream& stream, TlsContext& context, bool& done) {
  const auto accepted = co_await stream.accept_tls(context);
  EXPECT_TRUE(accepted) << accepted.error().message();
  done = true;
}

/// Every test runs over plain TCP and over TLS: a Stream must behave the same.
class StreamPair : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    auto [left, right] = test::socket_pair(io_);
    client_.emplace(std::move(left));
    server_.emplace(std::move(right));
    if (!GetParam()) return;
    bool done = false;
    group_.spawn(accept(*server_, server_tls_, done));
    const auto connected = run(io_, client_->connect_tls(client_tls_, trust_, "localhost"));
    ASSERT_TRUE(connected) << connected.error().message();
    ASSERT_TRUE(run_until(io_, [&] { return done; }));
  }
  void TearDown() override {
    group_.cancel();
    run(io_, group_.join());
  }

  IoContext io_;
  test::ScratchDirectory directory_;
  test::Files own_ = test::own_certificate(directory_.path());
  TlsTrust trust_{certificate_pin(own_.certificate), {}};
  TlsContext server_tls_ = make_server_tls(own_.certificate, own_.key);
  TlsContext client_tls_ = make_client_tls(trust_);
  std::optional<Stream> client_;
  std::optional<Stream> server_;
  TaskGroup group_{io_.get_executor(), abort_on_error};
};

TEST_P(StreamPair, bytes_arrive_in_both_directions) {
  EXPECT_EQ(client_->is_tls(), GetParam());
  EXPECT_FALSE(run(io_, write_bytes(*client_, "question")));
  EXPECT_EQ(run(io_, read_bytes(*server_, 8)), "question");
  EXPECT_FALSE(run(io_, write_bytes(*server_, "answer")));
  EXPECT_EQ(run(io_, read_bytes(*client_, 6)), "answer");
}

Awaitable<void> write_all(Stream& stream, std::string bytes) {
  const auto error = co_await write_bytes(stream, std::move(bytes));
  EXPECT_FALSE(error) << error.message();
}

TEST_P(StreamPair, a_large_write_arrives_whole) {
  const std::string bytes = random_bytes(3'000'001);
  group_.spawn(write_all(*client_, bytes));
  EXPECT_EQ(sha256(run(io_, read_bytes(*server_, bytes.size()))), sha256(bytes));
}

TEST_P(StreamPair, several_buffers_go_out_as_one_run_of_bytes) {
  const std::string head = "head ", body = "body";
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(head), asio::buffer(body)};
  bool written = false;
  client_->async_write(
      buffers, [&](boost::system::error_code error, std::size_t count) { written = !error && count == 9; });
  EXPECT_EQ(run(io_, read_bytes(*server_, 9)), "head body");
  EXPECT_TRUE(run_until(io_, [&] { return written; }));
}

TEST_P(StreamPair, both_directions_flow_at_once) {
  const std::string bytes = random_bytes(1'000'000);
  group_.spawn(write_all(*client_, bytes));
  group_.spawn(write_all(*server_, bytes));
  EXPECT_EQ(run(io_, read_bytes(*server_, bytes.size())), bytes);
  EXPECT_EQ(run(io_, read_bytes(*client_, bytes.size())), bytes);
}

TEST_P(StreamPair, after_shutdown_write_the_peer_sees_an_orderly_end_and_can_still_send) {
  EXPECT_FALSE(run(io_, write_bytes(*client_, "last words")));
  run(io_, client_->shutdown_write());
  EXPECT_EQ(run(io_, read_bytes(*server_, 10)), "last words");
  EXPECT_EQ(run(io_, read_error(*server_)), asio::error::eof);
  const std::string answer = random_bytes(200'000);
  group_.spawn(write_all(*server_, answer));
  EXPECT_EQ(run(io_, read_bytes(*client_, answer.size())), answer);
  run(io_, server_->shutdown_write());
  EXPECT_EQ(run(io_, read_error(*client_)), asio::error::eof);
}

TEST_P(StreamPair, shutdown_write_does_not_disturb_a_read_in_flight) {
  std::string got;
  bool done = false;
  char piece[16];
  client_->async_read_some(asio::buffer(piece), [&](boost::system::error_code error, std::size_t count) {
    EXPECT_FALSE(error) << error.message();
    got.assign(piece, count);
    done = true;
  });
  run(io_, client_->shutdown_write());
  EXPECT_EQ(run(io_, read_error(*server_)), asio::error::eof);
  EXPECT_FALSE(done);
  EXPECT_FALSE(run(io_, write_bytes(*server_, "late")));
  EXPECT_TRUE(run_until(io_, [&] { return done; }));
  EXPECT_EQ(got, "late");
}

TEST_P(StreamPair, shutdown_write_of_a_connection_that_is_gone_is_harmless) {
  client_->close();
  run(io_, client_->shutdown_write());
  run(io_, client_->shutdown_write());
  EXPECT_FALSE(client_->is_open());
}

TEST_P(StreamPair, a_connection_that_breaks_off_is_not_an_orderly_end_under_tls) {
  EXPECT_FALSE(run(io_, write_bytes(*server_, "x")));
  EXPECT_EQ(run(io_, read_bytes(*client_, 1)), "x");  // leaves nothing unread: that would be a reset
  client_->close();
  const auto error = run(io_, read_error(*server_));
  const boost::system::error_code broken = asio::ssl::error::stream_truncated;
  const boost::system::error_code ended = asio::error::eof;  // TCP cannot tell
  EXPECT_EQ(error, GetParam() ? broken : ended);
}

TEST_P(StreamPair, close_ends_a_read_in_flight) {
  boost::system::error_code seen;
  bool done = false;
  char piece[16];
  client_->async_read_some(asio::buffer(piece), [&](boost::system::error_code error, std::size_t) {
    seen = error;
    done = true;
  });
  client_->close();
  EXPECT_TRUE(run_until(io_, [&] { return done; }));
  EXPECT_TRUE(seen);
}

TEST_P(StreamPair, cancel_ends_a_read_and_leaves_a_plain_connection) {
  boost::system::error_code seen;
  bool done = false;
  char piece[16];
  client_->async_read_some(asio::buffer(piece), [&](boost::system::error_code error, std::size_t) {
    seen = error;
    done = true;
  });
  client_->cancel();
  EXPECT_TRUE(run_until(io_, [&] { return done; }));
  EXPECT_TRUE(seen);
  EXPECT_EQ(client_->is_open(), !GetParam());
}

Awaitable<void> read_forever(Stream& stream) {
  for (;;) {
    const auto error = co_await read_error(stream);
    if (error) co_return;
  }
}

TEST_P(StreamPair, cancelling_the_coroutine_ends_its_read) {
  group_.spawn(read_forever(*client_));
  test::run_for(io_, std::chrono::milliseconds(2));
  asio::post(io_, [this] { group_.cancel(); });
  run(io_, group_.join());
}

TEST_P(StreamPair, a_moved_stream_is_the_same_connection) {
  Stream moved = std::move(*client_);
  EXPECT_FALSE(run(io_, write_bytes(moved, "x")));
  EXPECT_EQ(run(io_, read_bytes(*server_, 1)), "x");
  EXPECT_EQ(moved.peer(), server_->tcp().local_endpoint());
}

TEST_P(StreamPair, the_peer_is_known_after_the_connection_is_gone) {
  const auto peer = client_->peer();
  client_->close();
  EXPECT_EQ(client_->peer(), peer);
  EXPECT_NE(peer.port(), 0);
}

#if defined(__linux__)
int option(Stream& stream, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(stream.tcp().native_handle(), level, name, &value, &size);
  return value;
}

TEST_P(StreamPair, a_link_is_tuned_to_notice_a_dead_peer) {
  EXPECT_EQ(option(*client_, IPPROTO_TCP, TCP_NODELAY), 1);
  client_->tune_for_link(std::chrono::seconds(12));
  EXPECT_EQ(option(*client_, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(*client_, IPPROTO_TCP, TCP_USER_TIMEOUT), 12'000);
  EXPECT_LE(option(*client_, IPPROTO_TCP, TCP_KEEPIDLE) +
                option(*client_, IPPROTO_TCP, TCP_KEEPINTVL) * option(*client_, IPPROTO_TCP, TCP_KEEPCNT),
            12);
  EXPECT_GT(option(*client_, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 0);
}
#endif

INSTANTIATE_TEST_SUITE_P(Stream, StreamPair, testing::Bool(),
                         [](const auto& test) { return test.param ? "tls" : "plain"; });

}  // namespace
}  // namespace rockdove::net
