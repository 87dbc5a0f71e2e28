#include "http/client.hpp"

#include "support/bodies.hpp"
#include "support/sockets.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace rockdove::http {
namespace {

using test::Answer;
using test::run;
using test::run_until;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A client and an upstream whose moves the test makes itself; nothing of it waits.
class Reuse : public testing::Test {
 protected:
  Reuse() { acceptor_.non_blocking(true); }
  void TearDown() override {
    test::on_loop(io_, [this] { group_.cancel(); });
    run(io_, group_.join());
    run(io_, client_.close());
  }
  static Client::Options options_of(const net::TcpAcceptor& acceptor) {
    Client::Options options;
    options.address = {"127.0.0.1", acceptor.local_endpoint().port()};
    return options;
  }
  /// Answers what has come, over the newest connection, and returns it; "" if there is nothing yet.
  std::string serve() {
    boost::system::error_code error;
    auto fresh = acceptor_.accept(error);
    if (!error) upstream_ = std::move(fresh);
    if (!upstream_.is_open()) return {};
    upstream_.non_blocking(true);
    char piece[4096];
    const auto size = upstream_.read_some(net::asio::buffer(piece), error);
    if (!error) net::asio::write(upstream_, net::asio::buffer(ok));
    return std::string(piece, size);
  }
  /// What the upstream sees of a request that is made right after `move`: the loop comes to that later.
  std::string ask_right_after(std::function<void()> move) {
    answer_ = Error::cancelled;
    group_.spawn(ask(std::move(move)));
    std::string seen;
    EXPECT_TRUE(run_until(io_, [&] { return !(seen = serve()).empty(); }));
    EXPECT_TRUE(run_until(io_, [&] { return group_.empty(); }));
    EXPECT_TRUE(answer_ && answer_->status == 200);
    return seen.substr(0, seen.find(" HTTP"));
  }
  Awaitable<void> ask(std::function<void()> move) {
    move();
    Request request = test::request_of("POST", "/" + std::to_string(++asked_));
    answer_ = co_await client_.handle(std::move(request));
  }

  net::IoContext io_;
  net::TcpAcceptor acceptor_{io_.get_executor(), test::loopback()};
  net::TcpSocket upstream_{io_.get_executor()};
  Client client_{io_.get_executor(), options_of(acceptor_)};
  net::TaskGroup group_{io_.get_executor(), net::abort_on_error};
  Answer answer_ = Error::cancelled;
  int asked_ = 0;
};

TEST_F(Reuse, no_connection_is_used_again_that_the_kernel_knows_to_be_of_no_use) {
  const std::function<void()> nothing = [] {};
  const std::function<void()> moves[] = {
      [&] { upstream_.close(); },
      [&] {
        upstream_.set_option(net::asio::socket_base::linger(true, 0));
        upstream_.close();
      },
      [&] { net::asio::write(upstream_, net::asio::buffer(ok)); },  // nobody has asked for it
  };
  for (const auto& move : moves) {
    const std::string before = "POST /" + std::to_string(asked_ + 1),
                      after = "POST /" + std::to_string(asked_ + 2);
    EXPECT_EQ(ask_right_after(nothing), before);
    EXPECT_EQ(ask_right_after(move), after);
    EXPECT_EQ(client_.connections(), 1U);
  }
}

TEST_F(Reuse, a_good_connection_is_used_again) {
  EXPECT_EQ(ask_right_after([] {}), "POST /1");
  const auto peer = upstream_.remote_endpoint();
  EXPECT_EQ(ask_right_after([] {}), "POST /2");
  EXPECT_EQ(upstream_.remote_endpoint(), peer);
}

}  // namespace
}  // namespace rockdove::http
