#include "server/agents.hpp"

#include "support/links.hpp"

#include <gtest/gtest.h>

#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::server {
namespace {

using test::Answer;
using test::ask;
using test::request_of;
using test::run;
using test::run_for;
using test::run_until;
using test::summary_of;
using namespace std::chrono_literals;

using Done = std::shared_ptr<std::vector<std::string>>;

Awaitable<void> note_summary(Awaitable<Answer> call, Done into) {
  const std::string summary = co_await summary_of(std::move(call));
  into->push_back(summary);
}

/// An agent at the other end of a link that the server knows.
struct FakeAgent {
  test::FunctionHandler upstream;
  test::RunningLink server_end, agent_end;
  std::shared_ptr<AgentLink> known;
};

class SomeAgents : public testing::Test {
 protected:
  void start(Agents::Options options = {}) {
    options.agent_wait = agent_wait_;
    agents_.emplace(io_.get_executor(), std::move(options));
  }
  /// Links an agent whose upstream answers with `says`.
  FakeAgent& add(std::string name, std::string instance, int index, std::string says) {
    auto [left, right] = test::socket_pair(io_);
    const auto answer = [says](http::Request) { return http::ready(http::make_response(200, "", says)); };
    FakeAgent& agent = fakes_.emplace_back(FakeAgent{test::FunctionHandler(answer), {}, {}, {}});
    using tunnel::Link, tunnel::Role, tunnel::Side;
    const Link::Hooks hooks;
    agent.agent_end = test::start_link(
        group_, std::make_shared<Link>(net::Stream(std::move(right)), Side::client, Role::answerer,
                                       &agent.upstream, Link::Options{}, hooks));
    auto link = std::make_shared<Link>(net::Stream(std::move(left)), Side::server, Role::opener, nullptr,
                                       Link::Options{}, hooks);
    AgentLink added;
    added.link = link;
    added.hello.tunnel = "t";
    added.hello.agent = std::move(name);
    added.hello.instance = std::move(instance);
    added.hello.link_index = index;
    added.token_id = "token of " + added.hello.agent;
    agent.server_end.link = link;
    group_.spawn(serve(*agents_, std::move(added), agent));
    EXPECT_TRUE(run_until(io_, [&] { return link->takes_streams(); }));
    return agent;
  }
  /// As the server does it: a link runs from the moment it is known.
  static Awaitable<void> serve(Agents& agents, AgentLink added, FakeAgent& agent) {
    agent.known = agents.add(std::move(added));
    co_await test::run_link(agent.server_end.link, agent.server_end.end);
  }
  Awaitable<Answer> call(std::string tunnel = "t") {
    http::Request request = request_of("GET", "/");
    request.context.tunnel = std::move(tunnel);
    return ask(*agents_, std::move(request));
  }
  std::string answer(std::string tunnel = "t") { return run(io_, summary_of(call(std::move(tunnel)))); }
  /// What a few requests in a row are answered with.
  std::set<std::string> answers() {
    std::set<std::string> all;
    for (int i = 0; i < 6; ++i) all.insert(answer());
    return all;
  }
  void TearDown() override {
    test::on_loop(io_, [this] {
      for (FakeAgent& each : fakes_) {
        each.server_end.link->abort();
        each.agent_end.link->abort();
      }
      group_.cancel();
    });
    run(io_, group_.join());
  }

  net::Duration agent_wait_ = 0ms;
  net::IoContext io_;
  net::TaskGroup group_{io_.get_executor(), net::abort_on_error};
  std::list<FakeAgent> fakes_;
  std::optional<Agents> agents_;
};

using Answers = std::set<std::string>;

TEST_F(SomeAgents, share_the_requests) {
  start();
  add("a", "1", 0, "from a");
  add("b", "2", 0, "from b");
  EXPECT_EQ(answers(), (Answers{"200 from a", "200 from b"}));
  EXPECT_EQ(agents_->agent_count(), 2U);
  EXPECT_EQ(agents_->link_count(), 2U);
}

TEST_F(SomeAgents, replace_an_older_run_of_the_same_agent) {
  start();
  FakeAgent& old_0 = add("a", "1", 0, "old");
  FakeAgent& old_1 = add("a", "1", 1, "old");
  FakeAgent& other = add("b", "9", 0, "other");
  add("a", "2", 0, "new");
  ASSERT_TRUE(run_until(io_, [&] { return old_0.agent_end.has_ended() && old_1.agent_end.has_ended(); }));
  EXPECT_EQ(old_0.agent_end.link->takes_streams(), false);
  EXPECT_FALSE(other.server_end.has_ended());
  EXPECT_EQ(agents_->link_count(), 2U);
  EXPECT_EQ(answers(), (Answers{"200 new", "200 other"}));
  agents_->remove(old_0.known);  // its run() returns only now: that must not take the new one's place
  EXPECT_EQ(agents_->link_count(), 2U);
}

TEST_F(SomeAgents, keep_the_other_links_of_the_same_run) {
  start();
  FakeAgent& first = add("a", "1", 0, "first");
  FakeAgent& second = add("a", "1", 1, "second");
  EXPECT_EQ(agents_->link_count(), 2U);
  EXPECT_EQ(agents_->agent_count(), 1U);
  add("a", "1", 1, "second again");
  ASSERT_TRUE(run_until(io_, [&] { return second.agent_end.has_ended(); }));
  EXPECT_FALSE(first.agent_end.has_ended());
  first.server_end.link->close("leaving");
  EXPECT_EQ(answers(), Answers{"200 second again"});
}

TEST_F(SomeAgents, are_cut_off_when_their_token_is_revoked) {
  start();
  FakeAgent& bad = add("a", "1", 0, "a");
  FakeAgent& good = add("b", "1", 0, "b");
  test::on_loop(io_, [&] { agents_->revoke([](const std::string& id) { return id != "token of a"; }); });
  EXPECT_EQ(agents_->link_count(), 1U);
  ASSERT_TRUE(run_until(io_, [&] { return bad.agent_end.has_ended(); }));
  EXPECT_FALSE(good.agent_end.has_ended());
  EXPECT_EQ(answers(), Answers{"200 b"});
}

TEST_F(SomeAgents, get_no_more_than_the_limits_allow) {
  Agents::Options options;
  options.limits = {1, 1};
  start(std::move(options));
  FakeAgent& agent = add("a", "1", 0, "");
  net::Event go(io_.get_executor());
  const auto wait = [](net::Event& until) -> Awaitable<Answer> {
    co_await until.wait();
    co_return http::make_response(200, "", "done");
  };
  agent.upstream.function = [&](http::Request) { return wait(go); };
  const auto done = std::make_shared<std::vector<std::string>>();
  group_.spawn(note_summary(call(), done));
  ASSERT_TRUE(run_until(io_, [&] { return agent.upstream.calls == 1; }));
  group_.spawn(note_summary(call(), done));
  run_for(io_, 20ms);
  EXPECT_EQ(agent.upstream.calls, 1U) << "the second waits";
  EXPECT_EQ(answer(), "queue_full");
  go.notify();
  ASSERT_TRUE(run_until(io_, [&] { return agent.upstream.calls == 2; }));
  go.notify();
  ASSERT_TRUE(run_until(io_, [&] { return done->size() == 2; }));
  EXPECT_EQ(*done, (std::vector<std::string>{"200 done", "200 done"}));
}

TEST_F(SomeAgents, free_a_place_when_a_waiting_caller_leaves) {
  Agents::Options options;
  options.limits = {1, 1};
  start(std::move(options));
  FakeAgent& agent = add("a", "1", 0, "");
  const auto wait = [](net::Executor executor) -> Awaitable<Answer> {
    net::Event never(executor);
    while (true) co_await never.wait();
  };
  agent.upstream.function = [&](http::Request) { return wait(io_.get_executor()); };
  const auto done = std::make_shared<std::vector<std::string>>();
  auto running = group_.spawn(note_summary(call(), done));
  ASSERT_TRUE(run_until(io_, [&] { return agent.upstream.calls == 1; }));
  auto waiting = group_.spawn(note_summary(call(), done));
  run_for(io_, 10ms);
  test::on_loop(io_, [&] { waiting.cancel(); });
  run_for(io_, 10ms);
  group_.spawn(note_summary(call(), done));  // takes the place in line that has become free
  run_for(io_, 10ms);
  EXPECT_TRUE(done->empty());
  test::on_loop(io_, [&] { running.cancel(); });
  EXPECT_TRUE(run_until(io_, [&] { return agent.upstream.calls == 2; }));
}

TEST_F(SomeAgents, are_waited_for_while_they_reconnect) {
  agent_wait_ = 2s;
  start();
  const auto done = std::make_shared<std::vector<std::string>>();
  group_.spawn(note_summary(call(), done));
  run_for(io_, 30ms);
  EXPECT_TRUE(done->empty());
  add("a", "1", 0, "back");
  ASSERT_TRUE(run_until(io_, [&] { return !done->empty(); }));
  EXPECT_EQ(done->front(), "200 back");
}

TEST_F(SomeAgents, are_waited_for_only_so_long) {
  agent_wait_ = 50ms;
  start();
  const auto begin = net::Clock::now();
  EXPECT_EQ(answer(), "no_agent");
  EXPECT_GE(net::Clock::now() - begin, 50ms);
}

TEST_F(SomeAgents, are_not_waited_for_with_what_is_stored) {
  agent_wait_ = 1h;
  start();
  http::Request request = request_of("POST", "/");
  request.context.tunnel = "t";
  request.context.stored = true;
  EXPECT_EQ(run(io_, summary_of(agents_->handle(std::move(request)))), "no_agent");
}

TEST_F(SomeAgents, get_what_another_could_not_take) {
  start();
  FakeAgent& down = add("a", "1", 0, "");
  down.upstream.function = [](http::Request) { return http::ready(Error::upstream_refused); };
  add("b", "1", 0, "b");
  EXPECT_EQ(answers(), Answers{"200 b"});
  EXPECT_GT(down.upstream.calls, 0U);
  FakeAgent& draining = add("c", "1", 0, "c");
  draining.agent_end.link->drain("upgrading");
  EXPECT_EQ(answers(), Answers{"200 b"});
}

TEST_F(SomeAgents, say_refused_only_if_no_upstream_is_up) {
  start();
  for (const std::string name : {"a", "b"})
    add(name, "1", 0, "").upstream.function = [](http::Request) {
      return http::ready(Error::upstream_refused);
    };
  EXPECT_EQ(answer(), "upstream_refused");
  EXPECT_EQ(fakes_.front().upstream.calls + fakes_.back().upstream.calls, 2U) << "each was asked once";
}

TEST_F(SomeAgents, never_get_a_request_twice_that_an_upstream_may_have_seen) {
  start();
  for (const std::string name : {"a", "b"})
    add(name, "1", 0, "").upstream.function = [](http::Request) {
      return http::ready(Error::upstream_reset);
    };
  EXPECT_EQ(answer(), "upstream_reset");
  EXPECT_EQ(fakes_.front().upstream.calls + fakes_.back().upstream.calls, 1U);
}

TEST_F(SomeAgents, of_the_only_tunnel_need_not_be_named) {
  start();
  add("a", "1", 0, "a");
  agents_->set_known({"t"});
  EXPECT_EQ(answer(""), "200 a");
  agents_->set_known({"t", "u"});
  EXPECT_EQ(answer(""), "no_route");
  agents_->set_known({});
  EXPECT_EQ(answer(""), "no_agent");
}

}  // namespace
}  // namespace rockdove::server
