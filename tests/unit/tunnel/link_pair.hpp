// Two ends of one link over loopback, for the tests of links.
#pragma once

#include "support/links.hpp"
#include "tunnel/link.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::tunnel {

using test::Answer;
using test::ask;
using test::Feed;
using test::FeedBody;
using test::request_of;
using test::run;
using test::run_for;
using test::run_until;
using test::summary_of;
using test::text_of;
using namespace std::chrono_literals;

inline Awaitable<Answer> echo(http::Request request) {
  auto read = co_await http::read_all(request, 1 << 20);
  if (!read) co_return read.error();
  co_return http::make_response(200, "text/plain", request.method + request.target + request.content);
}

inline Awaitable<void> note_summary(Awaitable<Answer> call, std::shared_ptr<std::vector<std::string>> into) {
  const std::string summary = co_await summary_of(std::move(call));
  into->push_back(summary);
}

/// The asking end (a server's) and the answering end (an agent's) of one link.
class LinkPair : public testing::Test {
 protected:
  void start(Link::Options asking = {}, Link::Options answering = {}) {
    auto [left, right] = test::socket_pair(io_);
    const auto note = [this](std::string_view text) { notes_.emplace_back(text); };
    const auto drained = [this](std::string_view why) { drained_.emplace_back(why); };
    asking_ = test::start_link(
        group_, std::make_shared<Link>(net::Stream(std::move(left)), Side::server, Role::opener, nullptr,
                                       asking, Link::Hooks{note, drained}));
    answering_ = test::start_link(
        group_, std::make_shared<Link>(net::Stream(std::move(right)), Side::client, Role::answerer,
                                       &upstream_, answering, Link::Hooks{note, drained}));
    ASSERT_TRUE(run_until(io_, [this] { return asking_.link->takes_streams(); }));
  }
  void TearDown() override {
    test::on_loop(io_, [this] {
      for (const auto& each : {asking_, answering_})
        if (each.link) each.link->abort();
      group_.cancel();
    });
    run(io_, group_.join());
  }
  Answer call(http::Request request) { return run(io_, asking_.link->handle(std::move(request))); }

  net::IoContext io_;
  test::FunctionHandler upstream_{echo};
  net::TaskGroup group_{io_.get_executor(), net::abort_on_error};
  std::vector<std::string> notes_, drained_;
  test::RunningLink asking_, answering_;
};

/// Never answers; tells when it is given up.
inline Awaitable<Answer> hang(std::shared_ptr<bool> gone, net::Executor executor) {
  struct Guard {
    std::shared_ptr<bool> gone;
    ~Guard() { *gone = true; }
  } guard{gone};
  net::Event never(executor);
  while (true) co_await never.wait();
}

}  // namespace rockdove::tunnel
