#include "egress/host_pattern.hpp"

#include <gtest/gtest.h>

namespace rockdove::egress {
namespace {

bool matches(std::string_view pattern, std::string_view host, std::uint16_t port) {
  const auto parsed = HostPattern::parse(pattern);
  EXPECT_TRUE(parsed) << pattern;
  return parsed && parsed->matches({canonical_host(host), port});
}

TEST(HostPattern, a_host_is_matched_whole_and_in_any_case) {
  EXPECT_TRUE(matches("openapi.lingxing.com", "openapi.lingxing.com", 443));
  EXPECT_TRUE(matches("OpenAPI.lingxing.com:443", "openapi.LINGXING.com.", 443));
  EXPECT_FALSE(matches("openapi.lingxing.com", "xopenapi.lingxing.com", 443));
  EXPECT_FALSE(matches("openapi.lingxing.com", "a.openapi.lingxing.com", 443));
  EXPECT_FALSE(matches("openapi.lingxing.com", "openapi.lingxing.com.evil.example", 443));
  EXPECT_FALSE(matches("openapi.lingxing.com", "lingxing.com", 443));
}

TEST(HostPattern, the_port_is_443_unless_it_is_named) {
  EXPECT_FALSE(matches("a.example", "a.example", 80));
  EXPECT_FALSE(matches("a.example", "a.example", 22));
  EXPECT_TRUE(matches("a.example:80", "a.example", 80));
  EXPECT_FALSE(matches("a.example:80", "a.example", 443));
}

TEST(HostPattern, a_star_with_a_dot_means_every_name_below) {
  EXPECT_TRUE(matches("*.feishu.cn", "open.feishu.cn", 443));
  EXPECT_TRUE(matches("*.feishu.cn", "a.b.feishu.cn", 443));
  EXPECT_FALSE(matches("*.feishu.cn", "feishu.cn", 443));
  EXPECT_FALSE(matches("*.feishu.cn", ".feishu.cn", 443));
  EXPECT_FALSE(matches("*.feishu.cn", "evilfeishu.cn", 443));
  EXPECT_FALSE(matches("*.feishu.cn", "open.feishu.cn", 8443));
}

TEST(HostPattern, a_star_alone_means_every_host_at_one_port) {
  EXPECT_TRUE(matches("*", "anything.example", 443));
  EXPECT_FALSE(matches("*", "anything.example", 80));
  EXPECT_TRUE(matches("*:80", "203.0.113.1", 80));
}

TEST(HostPattern, an_address_is_matched_in_every_spelling) {
  EXPECT_TRUE(matches("[2001:DB8:0::1]:443", "2001:db8::1", 443));
  EXPECT_TRUE(matches("[2001:db8::1]", "2001:0db8:0:0::1", 443));
  EXPECT_TRUE(matches("203.0.113.5:8443", "203.0.113.5", 8443));
  EXPECT_FALSE(matches("203.0.113.5", "203.0.113.50", 443));
}

TEST(HostPattern, what_is_no_pattern_is_refused) {
  for (const char* text :
       {"",    "*.",       "*:",  "*:0", "*:70000", "*x",          "*.a.*", "a.*",  "a:0",  "a:b", "a:65536",
        "a b", "http://a", "a/b", "a,b", "[::1",    "*.[::1]:443", "**",    "*..a", ":443", "a@b"})
    EXPECT_FALSE(HostPattern::parse(text)) << text;
}

}  // namespace
}  // namespace rockdove::egress
