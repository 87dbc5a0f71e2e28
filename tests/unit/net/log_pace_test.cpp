#include "net/log_pace.hpp"

#include <gtest/gtest.h>

namespace rockdove::net {
namespace {

TEST(LogPace, lets_one_line_a_second_pass_that_counts_the_others) {
  LogPace pace;
  const Clock::time_point start{};
  EXPECT_EQ(pace.pass(start), "");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pace.pass(start + std::chrono::milliseconds(999)), std::nullopt);
  EXPECT_EQ(pace.pass(start + std::chrono::seconds(1)), " (and 3 others before it)");
  EXPECT_EQ(pace.pass(start + std::chrono::seconds(2)), "");
}

}  // namespace
}  // namespace rockdove::net
