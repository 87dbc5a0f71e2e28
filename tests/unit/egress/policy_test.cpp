#include "egress/policy.hpp"

#include "egress/bucket.hpp"

#include <gtest/gtest.h>

namespace rockdove::egress {
namespace {

using namespace std::chrono_literals;

Rule rule(std::string tunnel, std::initializer_list<const char*> hosts,
          std::vector<std::string> destinations = {}) {
  Rule made;
  made.tunnel = std::move(tunnel);
  for (const char* each : hosts) made.hosts.push_back(HostPattern::parse(each).value());
  made.destinations = std::move(destinations);
  return made;
}

Wanted host(std::string name, std::uint16_t port = 443) {
  return {{std::move(name), port}, "", false};
}

TEST(Policy, without_a_rule_nothing_is_allowed) {
  EXPECT_EQ(Policy().judge("bot", host("a.example")).error(), Error::destination_denied);
  EXPECT_EQ(Policy({rule("bot", {"b.example"})}).judge("bot", host("a.example")).error(),
            Error::destination_denied);
}

TEST(Policy, a_rule_is_for_its_tunnel_or_for_all) {
  const Policy policy({rule("bot", {"a.example"}), rule("*", {"b.example"})});
  EXPECT_EQ(policy.judge("bot", host("a.example")).value(), 0U);
  EXPECT_FALSE(policy.judge("other", host("a.example")));
  EXPECT_EQ(policy.judge("other", host("b.example")).value(), 1U);
  EXPECT_FALSE(policy.judge("*", host("a.example"))) << "that is no name of a tunnel";
}

TEST(Policy, the_first_rule_that_fits_counts) {
  const Policy policy({rule("bot", {"x.example"}), rule("bot", {"*"}), rule("bot", {"a.example"})});
  EXPECT_EQ(policy.judge("bot", host("a.example")).value(), 1U);
  EXPECT_EQ(policy.judge("bot", host("x.example")).value(), 0U);
}

TEST(Policy, a_named_destination_is_allowed_by_its_host_or_by_its_name) {
  const Policy policy({rule("hosts", {"a.example"}), rule("names", {}, {"shop"})});
  const Wanted shop{{"a.example", 443}, "shop", false};
  EXPECT_TRUE(policy.judge("hosts", shop));
  EXPECT_TRUE(policy.judge("names", shop));
  EXPECT_FALSE(policy.judge("names", host("a.example"))) << "the name does not give the host";
}

TEST(Policy, what_adds_the_servers_credentials_has_to_be_named) {
  const Policy policy({rule("hosts", {"a.example", "*"}), rule("names", {}, {"shop"})});
  const Wanted shop{{"a.example", 443}, "shop", true};
  EXPECT_FALSE(policy.judge("hosts", shop));
  EXPECT_TRUE(policy.judge("names", shop));
}

TEST(Bucket, gives_what_a_second_brings_and_no_more) {
  Bucket bucket;
  const net::Clock::time_point start{1000s};
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(bucket.take(5, start));
  EXPECT_FALSE(bucket.take(5, start));
  EXPECT_FALSE(bucket.take(5, start + 100ms));
  EXPECT_TRUE(bucket.take(5, start + 200ms));
  EXPECT_FALSE(bucket.take(5, start + 200ms));
  int taken = 0;
  while (bucket.take(5, start + 1h)) ++taken;
  EXPECT_EQ(taken, 5) << "a long pause brings no more than a second";
}

TEST(Bucket, without_a_rate_has_no_end) {
  Bucket bucket;
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(bucket.take(0, {}));
}

}  // namespace
}  // namespace rockdove::egress
