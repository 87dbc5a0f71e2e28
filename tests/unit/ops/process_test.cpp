#include "ops/process.hpp"

#include <gtest/gtest.h>

namespace rockdove::ops {
namespace {

TEST(Process, tells_what_the_system_says_of_it) {
  const auto stats = process_stats();
  ASSERT_TRUE(stats);
  EXPECT_GT(stats->resident_bytes, 1U << 20);
  EXPECT_GT(stats->virtual_bytes, stats->resident_bytes);
  EXPECT_GE(stats->open_descriptors, 3U);
  EXPECT_GE(stats->descriptors_max, stats->open_descriptors);
  EXPECT_GE(stats->cpu_seconds, 0);
}

TEST(Process, goes_on_with_less_memory_when_the_pages_of_the_start_are_released) {
  const auto before = process_stats();
  release_startup_pages();
  const auto after = process_stats();
  ASSERT_TRUE(before && after);
  EXPECT_LT(after->resident_bytes, before->resident_bytes);
  release_startup_pages();
  EXPECT_TRUE(process_stats());
}

}  // namespace
}  // namespace rockdove::ops
