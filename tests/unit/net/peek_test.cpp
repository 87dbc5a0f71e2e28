#include "net/peek.hpp"

#include "support/sockets.hpp"

#include <gtest/gtest.h>

#include <boost/asio/read.hpp>

namespace rockdove::net {
namespace {

/// One end of a connection over which something has been said both ways already, as on one that is kept.
struct Peek : testing::Test {
  IoContext io;
  std::pair<TcpSocket, TcpSocket> pair = test::socket_pair(io);
  TcpSocket &ours = pair.first, &theirs = pair.second;

  void SetUp() override {
    say(ours, "ask");
    hear(theirs, 3);
    say(theirs, "answer");
    hear(ours, 6);
  }
  static void say(TcpSocket& socket, const std::string& text) {
    boost::system::error_code ignored;
    asio::write(socket, asio::buffer(text), ignored);
  }
  static boost::system::error_code hear(TcpSocket& socket, std::size_t size) {
    std::string text(size, ' ');
    boost::system::error_code error;
    socket.non_blocking(false, error);
    asio::read(socket, asio::buffer(text), error);
    return error;
  }
};

TEST_F(Peek, a_connection_is_readable_by_bytes_an_end_or_a_reset) {
  EXPECT_FALSE(is_readable(ours));
  say(theirs, "x");
  EXPECT_TRUE(is_readable(ours));
  EXPECT_TRUE(is_readable(ours)) << "it has not been read";
  EXPECT_FALSE(hear(ours, 1));
  EXPECT_FALSE(is_readable(ours));
  theirs.close();
  EXPECT_TRUE(is_readable(ours));
  auto [other, reset] = test::socket_pair(io);
  reset.set_option(asio::socket_base::linger(true, 0));
  reset.close();
  EXPECT_TRUE(is_readable(other));
  other.close();
  EXPECT_TRUE(is_readable(other));
}

#if defined(__linux__)

TEST_F(Peek, what_comes_after_the_end_is_never_acknowledged) {
  EXPECT_EQ(unacknowledged(ours), 0U);
  theirs.close();
  say(ours, "0123456789");
  EXPECT_EQ(unacknowledged(ours), 10U);
  EXPECT_EQ(hear(ours, 1), asio::error::eof);
  EXPECT_EQ(unacknowledged(ours), 10U);
}

TEST_F(Peek, what_came_before_the_end_is_acknowledged_with_it) {
  say(ours, "0123456789");
  hear(theirs, 10);
  theirs.close();
  EXPECT_EQ(hear(ours, 1), asio::error::eof);
  EXPECT_EQ(unacknowledged(ours), 0U);
  auto [other, halved] = test::socket_pair(io);
  say(other, "0123456789");  // it waits there, unread
  halved.shutdown(TcpSocket::shutdown_send);
  EXPECT_EQ(hear(other, 1), asio::error::eof);
  EXPECT_EQ(unacknowledged(other), 0U);
}

TEST_F(Peek, an_end_with_something_unread_is_no_orderly_one) {
  say(ours, "0123456789");
  theirs.close();
  EXPECT_EQ(hear(ours, 1), asio::error::connection_reset);
}

#endif

}  // namespace
}  // namespace rockdove::net
