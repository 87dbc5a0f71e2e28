#include "server/egress_memory.hpp"

#include <gtest/gtest.h>

namespace rockdove::server {
namespace {

constexpr std::size_t mib = 1024 * 1024;

TEST(EgressMemory, tunnels_that_have_links_share_a_quarter_equally) {
  EgressMemory memory(256 * mib);
  tunnel::H2::Options first, again, second;
  memory.join("a", first);
  EXPECT_EQ(first.budget->limit, 64 * mib);
  memory.join("a", again);
  EXPECT_EQ(again.budget, first.budget);
  EXPECT_EQ(first.budget->limit, 64 * mib);
  memory.join("b", second);
  EXPECT_NE(second.budget, first.budget);
  EXPECT_EQ(first.budget->limit, 32 * mib);
  EXPECT_EQ(second.budget->limit, 32 * mib);
  memory.leave("a");
  EXPECT_EQ(second.budget->limit, 32 * mib);
  memory.leave("a");
  EXPECT_EQ(second.budget->limit, 64 * mib);
  first.budget->used = 5;  // bodies outlive their links
  second.budget->used = 2;
  EXPECT_EQ(memory.used(), 7U);
  memory.set_link_memory(16 * mib);
  EXPECT_EQ(second.budget->limit, 4 * mib);
  EXPECT_EQ(memory.limit(), 4 * mib);
}

TEST(EgressMemory, no_link_may_have_more_under_way_than_its_tunnel_may_hold) {
  EgressMemory memory(8 * mib);
  tunnel::H2::Options options;
  ASSERT_GT(options.link_window, 2 * mib);
  memory.join("a", options);
  EXPECT_EQ(options.link_window, 2 * mib);
  EXPECT_EQ(options.link_window_max, 2 * mib);
}

TEST(EgressMemory, a_share_is_never_too_small_for_a_call) {
  EgressMemory memory(mib);
  tunnel::H2::Options options;
  for (int i = 0; i < 10; ++i) memory.join(std::to_string(i), options);
  EXPECT_EQ(options.budget->limit, mib);
  EXPECT_GE(options.link_window, options.stream_window);
}

}  // namespace
}  // namespace rockdove::server
