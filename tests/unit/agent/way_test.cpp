#include "agent/way.hpp"

#include <gtest/gtest.h>

namespace rockdove::agent {
namespace {

const HostPort server{"tunnel.example.com", 8081};
const HostPort own{"127.0.0.1", 5001};

TEST(way, the_setting_comes_before_the_environment) {
  EXPECT_FALSE(*way_to_server("none", own, server));
  const auto found = way_to_server("http://u:p@proxy.example.com:3128", own, server);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->address, (HostPort{"proxy.example.com", 3128}));
  EXPECT_EQ((*found)->credentials, "u:p");
  EXPECT_FALSE(way_to_server("socks5://proxy.example.com", own, server));
}

TEST(way, a_link_does_not_go_through_its_own_agent) {
  for (const char* self : {"http://127.0.0.1:5001", "http://localhost:5001", "http://LOCALHOST.:5001",
                           "http://127.0.0.2:5001", "http://0.0.0.0:5001", "http://[::1]:5001"}) {
    const auto found = way_to_server(self, own, server);
    ASSERT_TRUE(found) << self;
    EXPECT_FALSE(*found) << self;
  }
  for (const char* other :
       {"http://127.0.0.1:5002", "http://192.0.2.1:5001", "http://proxy.example.com:5001"})
    EXPECT_TRUE(*way_to_server(other, own, server)) << other;
  EXPECT_TRUE(*way_to_server("http://127.0.0.1:5001", std::nullopt, server));
}

}  // namespace
}  // namespace rockdove::agent
