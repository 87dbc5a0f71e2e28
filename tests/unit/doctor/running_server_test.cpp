#include "doctor/running_server.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace rockdove::doctor {
namespace {

class RunningServer : public testing::Test {
 protected:
  std::vector<std::string> ids() const {
    std::vector<std::string> found;
    for (const Finding& each : report_.findings()) found.emplace_back(each.id.row().id);
    return found;
  }
  std::string said(std::size_t index) const { return text(report_.findings().at(index), Language::english); }

  std::ostringstream out_, progress_;
  Report report_{{}, out_, progress_};
};

using Ids = std::vector<std::string>;

TEST_F(RunningServer, its_own_verdict_is_repeated) {
  judge_health(report_, R"({"status":"ok","version":")" ROCKDOVE_VERSION R"(","uptime_s":7300})", "a:1");
  judge_health(report_, R"({"status":"degraded","version":"9.9","reasons":["one","two"]})", "a:1");
  judge_health(report_, R"({"status":"failing","version":")" ROCKDOVE_VERSION R"(","reasons":["no disk"]})",
               "a:1");
  EXPECT_EQ(ids(), (Ids{"server.ok", "server.degraded", "server.version", "server.failing"}));
  EXPECT_EQ(said(0), "the server runs and is well (version " ROCKDOVE_VERSION ", up 2 h)");
  EXPECT_EQ(said(1), "the server runs, but: one; two");
}

TEST_F(RunningServer, nonsense_is_a_finding_and_no_crash) {
  for (const char* health : {"", "[]", "{}", "\"ok\"", R"({"status":1})", R"({"status":"fine"})"})
    judge_health(report_, health, "a:1");
  EXPECT_EQ(ids(), Ids(6, "server.unclear"));
}

TEST_F(RunningServer, each_tunnel_with_a_token_wants_an_agent_with_upstreams_that_are_up) {
  const std::string stats = R"({"tunnels":[{"name":"a","agents":[
      {"name":"pc","version":")" ROCKDOVE_VERSION
                            R"(","upstreams":[{"name":"default","up":true,"detail":""}]},
      {"name":"nas","version":"0.0.9","upstreams":[{"name":"default","up":false,"detail":"refused"}]}]},
      {"name":"other","agents":[]}]})";
  judge_agents(report_, stats, {"a", "b", "other"}, "a:1");
  EXPECT_EQ(ids(), (Ids{"agents.connected", "agents.version", "agents.upstream_down", "agents.none",
                        "agents.none"}));
  EXPECT_EQ(said(0), "tunnel a: pc (" ROCKDOVE_VERSION "), nas (0.0.9)");
  EXPECT_EQ(said(2), "tunnel a: agent nas cannot reach its upstream default: refused");
}

TEST_F(RunningServer, stats_that_are_none_are_a_finding) {
  judge_agents(report_, "<html>", {"a"}, "a:1");
  EXPECT_EQ(ids(), Ids{"server.unclear"});
  judge_agents(report_, R"([1])", {"a"}, "a:1");
  EXPECT_EQ(ids().back(), "agents.none");
}

}  // namespace
}  // namespace rockdove::doctor
