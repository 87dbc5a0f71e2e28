#include "net/dial.hpp"

#include "net/task_group.hpp"
#include "support/sockets.hpp"

#include <gtest/gtest.h>

#include <list>

namespace rockdove::net {
namespace {

using std::chrono::milliseconds;
using test::run;

HostPort at(const std::string& host, const TcpAcceptor& acceptor) {
  return {host, acceptor.local_endpoint().port()};
}

TEST(Dial, connects_to_an_address) {
  IoContext io;
  TcpAcceptor acceptor(io.get_executor(), test::loopback());
  const auto socket = run(io, dial(at("127.0.0.1", acceptor), {}));
  ASSERT_TRUE(socket) << socket.error().message();
  EXPECT_EQ(socket->remote_endpoint(), acceptor.local_endpoint());
}

TEST(Dial, connects_to_a_name_even_if_only_one_family_listens) {
  IoContext io;
  TcpAcceptor acceptor(io.get_executor(), test::loopback());  // "localhost" may mean ::1 first
  const auto socket = run(io, dial(at("localhost", acceptor), {}));
  ASSERT_TRUE(socket) << socket.error().message();
}

TEST(Dial, connects_to_permitted_addresses_only) {
  IoContext io;
  TcpAcceptor acceptor(io.get_executor(), test::loopback());
  std::vector<Address> asked;
  DialOptions options;
  options.permits = [&](const Address& address) {
    asked.push_back(address);
    return address.is_v4();
  };
  for (const char* host : {"localhost", "127.0.0.1"})
    EXPECT_TRUE(run(io, dial(at(host, acceptor), options))) << host;
  EXPECT_FALSE(asked.empty());
  options.permits = [](const Address&) { return false; };
  for (const char* host : {"localhost", "127.0.0.1", "::1"})
    EXPECT_EQ(run(io, dial(at(host, acceptor), options)).error(), Error::address_denied) << host;
  // Nobody has come meanwhile but those two.
  acceptor.non_blocking(true);
  TcpSocket socket(io.get_executor());
  boost::system::error_code none;
  for (int i = 0; i < 2; ++i) acceptor.accept(socket = TcpSocket(io.get_executor()), none);
  EXPECT_FALSE(none);
  acceptor.accept(socket = TcpSocket(io.get_executor()), none);
  EXPECT_EQ(none, asio::error::would_block);
}

TEST(Dial, a_refused_connection_is_reported_as_such) {
  IoContext io;
  TcpAcceptor acceptor(io.get_executor(), test::loopback());
  const HostPort gone = at("127.0.0.1", acceptor);
  acceptor.close();
  const auto socket = run(io, dial(gone, {}));
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error(), asio::error::connection_refused);
}

TEST(Dial, a_name_that_does_not_exist_is_an_error) {
  IoContext io;
  const HostPort nowhere{"no-such-host.invalid", 80};
  DialOptions options;
  options.timeout = std::chrono::seconds(3);
  EXPECT_FALSE(run(io, dial(nowhere, options)));
}

/// A listening socket whose queue is full: the kernel leaves further connections unanswered.
struct Deaf {
  explicit Deaf(IoContext& io) : acceptor(io.get_executor()) {
    acceptor.open(asio::ip::tcp::v4());
    acceptor.bind(test::loopback());
    acceptor.listen(0);
    for (int i = 0; i < 4; ++i) {
      waiting.emplace_back(io.get_executor());
      waiting.back().async_connect(acceptor.local_endpoint(), [](boost::system::error_code) {});
    }
    test::run_for(io, milliseconds(5));
  }
  TcpAcceptor acceptor;
  std::list<TcpSocket> waiting;
};

TEST(Dial, a_silent_peer_costs_the_timeout_and_no_more) {
  IoContext io;
  Deaf deaf(io);
  DialOptions options;
  options.timeout = milliseconds(40);
  const auto start = Clock::now();
  const auto socket = run(io, dial(at("127.0.0.1", deaf.acceptor), options));
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error(), Error::timed_out);
  EXPECT_GE(Clock::now() - start, milliseconds(40));
}

Awaitable<void> dial_and_forget(HostPort target) {
  const auto socket = co_await dial(std::move(target), {});
  EXPECT_TRUE(socket.has_error());
}

TEST(Dial, cancelling_gives_everything_up) {
  IoContext io;
  Deaf deaf(io);
  TaskGroup group(io.get_executor(), abort_on_error);
  group.spawn(dial_and_forget(at("127.0.0.1", deaf.acceptor)));
  group.spawn(dial_and_forget({"no-such-host.invalid", 80}));
  test::run_for(io, milliseconds(2));
  asio::post(io, [&] { group.cancel(); });
  run(io, group.join());
  EXPECT_TRUE(group.empty());
}

}  // namespace
}  // namespace rockdove::net
