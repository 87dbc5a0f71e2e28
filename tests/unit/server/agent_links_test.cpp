#include "server/agent_links.hpp"

#include "support/links.hpp"

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::server {
namespace {

using test::Answer;
using test::request_of;
using test::run_until;
using namespace std::chrono_literals;
using tunnel::Link, tunnel::Role, tunnel::Side;

/// What the agents' local service does: /hold is never answered, /stream with a body that never ends.
Awaitable<Answer> work(net::IoContext& io, std::string target) {
  if (target == "/hold") {
    net::Event never(io.get_executor());
    while (true) co_await never.wait();
  }
  http::Response response;
  response.has_body = true;
  response.body = std::make_unique<test::FeedBody>(std::make_shared<test::Feed>(io));
  co_return response;
}

class LinksOfATunnel : public testing::Test {
 protected:
  AgentLink& add(const std::string& agent, int index) {
    auto [left, right] = test::socket_pair(io_);
    const Link::Hooks hooks;
    ends_.push_back(
        test::start_link(group_, std::make_shared<Link>(net::Stream(std::move(right)), Side::client,
                                                        Role::answerer, &upstream_, Link::Options{}, hooks)));
    auto known = std::make_shared<AgentLink>();
    known->link = std::make_shared<Link>(net::Stream(std::move(left)), Side::server, Role::opener, nullptr,
                                         Link::Options{}, hooks);
    known->hello.agent = agent;
    known->hello.link_index = index;
    ends_.push_back(test::start_link(group_, known->link));
    EXPECT_TRUE(run_until(io_, [&] { return known->link->takes_streams(); }));
    add_link(links_, known);
    return *known;
  }
  /// Returns whose link, and which: "a0".
  std::string choose(net::Duration later = {}) {
    const auto chosen = choose_link(links_, "", tried_, net::Clock::now() + later, 5s);
    if (!chosen) return "none";
    chosen->last_turn = ++turn_;
    return name_of(*chosen);
  }
  static std::string name_of(const AgentLink& link) {
    return link.hello.agent + std::to_string(link.hello.link_index);
  }
  Awaitable<void> call(std::shared_ptr<Link> link, http::Request request) {
    auto response = co_await link->call(request);
    if (response) answers_.push_back(std::move(*response));
  }
  /// Puts `count` more streams on the link, with requests of so many bytes.
  void occupy(AgentLink& link, std::size_t count, std::string target = "/hold", std::size_t bytes = 0) {
    const std::size_t before = link.link->open_streams();
    for (std::size_t i = 0; i < count; ++i) {
      http::Request request = request_of("POST", target);
      request.has_body = bytes > 0;
      request.content.assign(bytes, 'x');
      group_.spawn(call(link.link, std::move(request)));
    }
    EXPECT_TRUE(run_until(io_, [&] { return link.link->open_streams() == before + count; }));
  }
  void TearDown() override {
    test::on_loop(io_, [this] {
      answers_.clear();
      for (const auto& each : ends_) each.link->abort();
      group_.cancel();
    });
    test::run(io_, group_.join());
  }

  net::IoContext io_;
  net::TaskGroup group_{io_.get_executor(), net::abort_on_error};
  test::FunctionHandler upstream_{
      [this](http::Request request) { return work(io_, std::move(request.target)); }};
  std::list<test::RunningLink> ends_;
  std::vector<http::Response> answers_;
  AgentLinks links_;
  Tried tried_;
  std::uint64_t turn_ = 0;
};

TEST_F(LinksOfATunnel, stand_next_to_those_of_the_same_agent) {
  for (const auto& [agent, index] : {std::pair{"a", 0}, {"b", 0}, {"a", 1}, {"c", 0}, {"b", 1}})
    add(agent, index);
  std::string agents;
  for (const auto& each : links_) agents += each->hello.agent;
  EXPECT_EQ(agents.size(), 5U);
  for (const char* together : {"aa", "bb", "c"}) EXPECT_NE(agents.find(together), agents.npos) << agents;
}

TEST_F(LinksOfATunnel, take_turns_by_agent) {
  for (const char* agent : {"a", "b", "c"})
    for (const int index : {0, 1}) add(agent, index);
  std::string agents;
  for (int i = 0; i < 6; ++i) agents += choose().front();
  EXPECT_EQ(agents.substr(0, 3), agents.substr(3));
  EXPECT_EQ((std::set<char>(agents.begin(), agents.end())), (std::set<char>{'a', 'b', 'c'}));
}

TEST_F(LinksOfATunnel, share_the_work_by_agent_however_many_links_each_has) {
  AgentLink& single = add("single", 0);
  AgentLink& first = add("double", 0);
  AgentLink& second = add("double", 1);
  occupy(single, 3);
  occupy(first, 1);
  occupy(second, 1);
  EXPECT_TRUE(choose().starts_with("double")) << "two are fewer than three";
  occupy(first, 2);
  EXPECT_EQ(choose(), "single0") << "and four are more, whatever each link has";
}

TEST_F(LinksOfATunnel, carry_whole_messages_together) {
  AgentLink& first = add("a", 0);
  add("a", 1);
  const std::string together = choose();
  AgentLink& used = together == name_of(first) ? first : *links_[links_[0].get() == &first ? 1 : 0];
  for (int i = 0; i < 63; ++i) {
    occupy(used, 1);
    ASSERT_EQ(choose(), together) << i;
  }
  occupy(used, 1);
  EXPECT_NE(choose(), together) << "it has enough";
}

TEST_F(LinksOfATunnel, keep_out_of_the_way_of_a_body) {
  AgentLink& first = add("a", 0);
  AgentLink& second = add("a", 1);
  occupy(first, 1, "/stream");
  ASSERT_TRUE(run_until(io_, [&] { return first.link->open_bodies() == 1; }));
  EXPECT_EQ(choose(), "a1");
  occupy(second, 1, "/stream");
  occupy(second, 1, "/stream");
  ASSERT_TRUE(run_until(io_, [&] { return second.link->open_bodies() == 2; }));
  EXPECT_EQ(choose(), "a0");
  test::on_loop(io_, [this] { answers_.clear(); });
  EXPECT_TRUE(run_until(io_, [&] { return first.link->open_bodies() + second.link->open_bodies() == 0; }));
}

TEST_F(LinksOfATunnel, keep_out_of_the_way_of_a_large_request) {
  AgentLink& first = add("a", 0);
  AgentLink& second = add("a", 1);
  occupy(first, 1, "/hold", 64 * 1024 + 1);
  occupy(second, 1, "/hold", 64 * 1024);
  EXPECT_EQ(first.link->open_bodies(), 1U);
  EXPECT_EQ(second.link->open_bodies(), 0U) << "small enough to go with the others";
  EXPECT_EQ(choose(), "a1");
}

TEST_F(LinksOfATunnel, of_an_agent_whose_upstream_is_down_come_last) {
  AgentLink& down = add("a", 0);
  AgentLink& up = add("b", 0);
  down.upstreams = {{"default", "http://127.0.0.1:1", false, "refused"}};
  up.upstreams = {{"default", "http://127.0.0.1:1", true, ""}};
  occupy(up, 5);
  EXPECT_EQ(choose(), "b0");
  tried_.agents.insert("b");
  EXPECT_EQ(choose(), "a0");
  tried_.agents.insert("a");
  EXPECT_EQ(choose(), "none");
}

TEST_F(LinksOfATunnel, that_took_no_stream_are_not_asked_again) {
  const std::string asked = (add("a", 0), add("a", 1), choose());
  for (const auto& each : links_)
    if (name_of(*each) == asked) tried_.links.insert(each);
  const std::string other = choose();
  EXPECT_NE(other, asked);
  EXPECT_NE(other, "none");
}

TEST_F(LinksOfATunnel, that_were_silent_for_long_come_last) {
  add("a", 0);
  EXPECT_EQ(choose(1h), "a0") << "better than none";
}

}  // namespace
}  // namespace rockdove::server
