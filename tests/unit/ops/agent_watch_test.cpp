#include "ops/agent_watch.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rockdove::ops {
namespace {

using namespace std::chrono_literals;
using Connected = AgentWatch::Connected;

/// Time passes second by second.
class AgentWatchTest : public testing::Test {
 protected:
  /// So it is for `span`; who is missed at its end.
  std::string pass(const Connected& connected, std::chrono::seconds span = 1s) {
    std::string missed;
    for (auto at = 0s; at < span; ++at) {
      now_ += 1s;
      missed.clear();
      for (const Condition& each : watch_.update(connected, now_)) {
        EXPECT_EQ(each.kind, AlertKind::agent_gone);
        missed += (missed.empty() ? "" : " ") + each.subject + (each.amount == 0 ? "" : "!");
      }
    }
    return missed;
  }

  AgentWatch::Options options_;
  AgentWatch watch_{options_};
  AgentWatch::Time now_{1h};
  const Connected none_{{"bot", {}}}, a_{{"bot", {"a"}}}, b_{{"bot", {"b"}}}, both_{{"bot", {"a", "b"}}};
};

TEST_F(AgentWatchTest, misses_an_agent_while_another_serves_its_tunnel) {
  EXPECT_EQ(pass(both_, 3min), "");
  EXPECT_EQ(pass(a_), "bot/b");
  EXPECT_EQ(pass(a_, 10min), "bot/b");
  EXPECT_EQ(pass(both_), "");
  EXPECT_EQ(pass(b_), "bot/a");
}

TEST_F(AgentWatchTest, does_not_miss_who_was_there_for_a_moment_only) {
  EXPECT_EQ(pass(both_, 2min), "");
  EXPECT_EQ(pass(a_, 1min), "");
  EXPECT_EQ(pass(both_, 2min), "") << "b begins anew";
  EXPECT_EQ(pass(a_), "");
  EXPECT_EQ(pass(both_, 2min + 1s), "");
  EXPECT_EQ(pass(a_), "bot/b");
}

TEST_F(AgentWatchTest, leaves_a_tunnel_without_any_agent_to_others) {
  pass(both_, 3min);
  EXPECT_EQ(pass(none_, 1h), "");
  EXPECT_EQ(pass(a_), "bot/b") << "who did not come back is missed from now on";
  EXPECT_EQ(pass(none_, 1min), "bot/b") << "and is not back because the other one is gone too";
}

TEST_F(AgentWatchTest, says_once_that_it_waits_no_longer) {
  pass(both_, 3min);
  EXPECT_EQ(pass(a_, 24h - 1s), "bot/b");
  EXPECT_EQ(pass(a_), "bot/b!");
  EXPECT_EQ(pass(a_, 1min), "");
}

TEST_F(AgentWatchTest, forgets_the_agents_of_a_tunnel_without_token) {
  pass(both_, 3min);
  EXPECT_EQ(pass({}), "");
  EXPECT_EQ(pass(a_), "");
}

TEST_F(AgentWatchTest, tells_tunnels_apart) {
  pass({{"bot", {"a", "b"}}, {"depot", {"a"}}}, 3min);
  EXPECT_EQ(pass({{"bot", {"b"}}, {"depot", {"a"}}}), "bot/a");
}

TEST_F(AgentWatchTest, goes_on_missing_whom_an_earlier_process_missed) {
  watch_.restore("bot/pc/2", now_ - 23h);
  watch_.restore("bot", now_);
  EXPECT_EQ(pass(none_), "bot/pc/2");
  EXPECT_EQ(pass({{"bot", {"pc/2"}}}), "");
  EXPECT_EQ(pass(a_), "bot/pc/2");
  watch_.restore("bot/old", now_ - 24h);
  EXPECT_EQ(pass(a_), "bot/old! bot/pc/2");
}

TEST_F(AgentWatchTest, watches_no_more_than_it_may_and_nobody_when_it_is_off) {
  options_.agents_max = 1;
  watch_.set_options(options_);
  pass(both_, 3min);
  EXPECT_EQ(pass({{"bot", {"c"}}}), "bot/a");
  options_.is_on = false;
  watch_.set_options(options_);
  EXPECT_EQ(pass({{"bot", {"c"}}}), "");
}

}  // namespace
}  // namespace rockdove::ops
