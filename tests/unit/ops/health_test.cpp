#include "ops/health.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace rockdove::ops {
namespace {

using std::chrono::days;

constexpr std::uint64_t mib = std::uint64_t{1} << 20, gib = std::uint64_t{1} << 30;
const std::chrono::sys_seconds now{days(20'000)};

const boost::json::value well = boost::json::parse(R"([{"name":"bot","agents":[
  {"name":"a","upstreams":[{"name":"default","up":true}]}]}])");

HealthFacts good() {
  HealthFacts facts;
  facts.tunnels = {"bot"};
  facts.connected = &well;
  facts.disk = Disk{100 * gib, 50 * gib};
  facts.commit = std::chrono::milliseconds(3);
  facts.certificates = {{"ingress", now + days(60)}};
  facts.now = now;
  return facts;
}

std::string only_reason(const Health& health) {
  EXPECT_EQ(health.reasons.size(), 1U);
  return health.reasons.empty() ? "" : health.reasons.front().operators;
}

TEST(Health, is_ok_when_nothing_is_wrong) {
  EXPECT_STREQ(judge(good()).status(), "ok");
  EXPECT_TRUE(judge(good()).reasons.empty());
}

TEST(Health, fails_only_when_events_cannot_be_stored) {
  HealthFacts facts = good();
  facts.can_store = false;
  facts.store_reason = "the disk is full: /var/lib/rockdove/inbox.db";
  const Health health = judge(facts);
  EXPECT_STREQ(health.status(), "failing");
  EXPECT_EQ(only_reason(health), "inbox: the disk is full: /var/lib/rockdove/inbox.db");
  EXPECT_EQ(health.reasons.front().everybody, "inbox: events cannot be stored");
}

TEST(Health, a_tunnel_with_a_token_wants_an_agent) {
  for (const char* connected : {"[]", "null", R"([{"name":"bot","agents":[]}])", R"([{"name":"other"}])"}) {
    HealthFacts facts = good();
    const auto json = boost::json::parse(connected);
    facts.connected = &json;
    const Health health = judge(facts);
    EXPECT_STREQ(health.status(), "degraded");
    EXPECT_EQ(only_reason(health), "tunnel bot: no agent is connected");
    facts.tunnels.clear();
    EXPECT_STREQ(judge(facts).status(), "ok") << "nobody is expected";
  }
}

TEST(Health, an_upstream_is_down_when_no_agent_reaches_it) {
  const struct {
    const char* agents;
    const char* status;
  } cases[] = {
      {R"([{"upstreams":[{"name":"x","up":false}]}])", "degraded"},
      {R"([{"upstreams":[{"name":"x","up":false}]},{"upstreams":[{"name":"x","up":true}]}])", "ok"},
      {R"([{"upstreams":[{"name":"x","up":false}]},{"upstreams":[{"name":"y","up":true}]}])", "degraded"},
      {R"([{"upstreams":[]}])", "ok"},
  };
  for (const auto& each : cases) {
    HealthFacts facts = good();
    const boost::json::value json =
        boost::json::parse(std::string(R"([{"name":"bot","agents":)") + each.agents + "}]");
    facts.connected = &json;
    EXPECT_STREQ(judge(facts).status(), each.status) << each.agents;
  }
}

TEST(Health, a_disk_is_low_by_share_and_by_size) {
  const struct {
    Disk disk;
    const char* status;
  } cases[] = {
      {{100 * gib, 2 * gib}, "ok"},  // 2 %, but 2 GiB will do for long
      {{100 * gib, 900 * mib}, "degraded"},
      {{2 * gib, 900 * mib}, "ok"},  // less than 1 GiB, but nearly half of a small disk
      {{0, 0}, "ok"},                // a file system that does not say
  };
  for (const auto& each : cases) {
    HealthFacts facts = good();
    facts.disk = each.disk;
    EXPECT_STREQ(judge(facts).status(), each.status) << each.disk.available;
  }
}

TEST(Health, a_slow_commit_and_a_certificate_near_its_end_degrade_it) {
  HealthFacts facts = good();
  facts.commit = std::chrono::milliseconds(1500);
  EXPECT_EQ(only_reason(judge(facts)), "inbox: the last commit took 1500 ms");
  facts = good();
  facts.certificates = {{"ingress", now + days(3)}};
  EXPECT_EQ(only_reason(judge(facts)), "certificate of the ingress port: it expires in 3 days");
  facts.certificates = {{"tunnel", now - days(3)}};
  EXPECT_EQ(only_reason(judge(facts)), "certificate of the tunnel port: it has expired");
}

TEST(Health, what_is_low_and_near_can_be_set) {
  HealthFacts facts = good();
  facts.low_bytes = 60 * gib;
  facts.near_end = days(70);
  EXPECT_EQ(judge(facts).reasons.size(), 2U);
  facts.low_bytes = 1;
  facts.near_end = days(0);
  EXPECT_STREQ(judge(facts).status(), "ok");
}

TEST(Health, conditions_are_what_alerts_are_made_of) {
  HealthFacts facts = good();
  facts.backlogs = {{"hook", std::chrono::seconds(600)}, {"old", std::chrono::seconds(601)}};
  facts.dead_letters = {{"hook", 3}, {"none", 0}};
  Health health = judge(facts);
  EXPECT_STREQ(health.status(), "ok") << "these say nothing against the server";
  EXPECT_EQ(health.conditions, (std::vector<Condition>{{AlertKind::backlog_age, "old", 601},
                                                       {AlertKind::dead_letters, "hook", 3}}));
  facts = good();
  facts.can_store = false;
  facts.store_reason = "the disk is full";
  facts.tunnels = {"bot", "depot"};
  facts.disk = Disk{100 * gib, mib};
  facts.certificates = {{"ingress", now + days(3)}, {"tunnel", now - days(3)}};
  health = judge(facts);
  EXPECT_EQ(health.conditions,
            (std::vector<Condition>{{AlertKind::store, "", 0, "the disk is full"},
                                    {AlertKind::agent_gone, "depot"},
                                    {AlertKind::disk_free, "", static_cast<std::int64_t>(mib)},
                                    {AlertKind::certificate, "ingress", 3},
                                    {AlertKind::certificate, "tunnel", -3}}));
}

TEST(Health, everybody_hears_no_names) {
  HealthFacts facts = good();
  const boost::json::value down =
      boost::json::parse(R"([{"name":"secret","agents":[{"upstreams":[{"name":"secret","up":false}]}]}])");
  facts.tunnels = {"secret", "secret-too"};
  facts.connected = &down;
  facts.can_store = false;
  facts.store_reason = "secret";
  facts.disk = Disk{100 * gib, mib};
  facts.commit = std::chrono::seconds(9);
  facts.certificates = {{"secret", now}};
  const Health health = judge(facts);
  EXPECT_EQ(health.reasons.size(), 6U);
  for (const Health::Reason& reason : health.reasons) {
    EXPECT_FALSE(reason.everybody.empty());
    EXPECT_EQ(reason.everybody.find("secret"), std::string::npos) << reason.everybody;
  }
}

}  // namespace
}  // namespace rockdove::ops
