#include "base/host_port.hpp"

#include <gtest/gtest.h>

namespace rockdove {
namespace {

TEST(HostPort, reads_host_and_port) {
  const std::pair<const char*, HostPort> cases[] = {
      {"127.0.0.1:8080", {"127.0.0.1", 8080}},     {"example.com:0", {"example.com", 0}},
      {"my_host-1:65535", {"my_host-1", 65535}},   {"[::1]:80", {"::1", 80}},
      {"[fe80::1%eth0]:80", {"fe80::1%eth0", 80}},
  };
  for (const auto& [text, expected] : cases) {
    const auto address = parse_host_port(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(*address, expected) << text;
    EXPECT_EQ(to_string(*address), text);
  }
}

TEST(HostPort, takes_the_default_port_only_if_there_is_one) {
  EXPECT_EQ(parse_host_port("example.com", 81).value(), (HostPort{"example.com", 81}));
  EXPECT_EQ(parse_host_port("[::1]", 81).value(), (HostPort{"::1", 81}));
  EXPECT_EQ(parse_host_port("example.com:82", 81).value().port, 82);
  EXPECT_FALSE(parse_host_port("example.com"));
}

TEST(HostPort, refuses_everything_else) {
  for (const char* text :
       {"", ":80", "host:", "host:65536", "host:-1", "host:+1", "host:8x", "host:080000", "::1:80", "[::1]80",
        "[::1", "[]:80", "[host]:80", "ho st:80", "host/:80", "a@b:80", "host:80:80", "h\xc3\xb6st:80"})
    EXPECT_EQ(parse_host_port(text).error(), Error::malformed) << text;
  EXPECT_FALSE(parse_host_port(std::string(254, 'a') + ":80"));
}

}  // namespace
}  // namespace rockdove
