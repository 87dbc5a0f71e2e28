#include "doctor/figures.hpp"

#include <gtest/gtest.h>

namespace rockdove::doctor {
namespace {

using namespace std::chrono_literals;

TEST(figures, sizes_are_rounded_to_two_digits_or_more) {
  EXPECT_EQ(rounded_size(0), "0 B");
  EXPECT_EQ(rounded_size(1023), "1023 B");
  EXPECT_EQ(rounded_size(1024), "1.0 KiB");
  EXPECT_EQ(rounded_size(3'650'722'201), "3.4 GiB");
  EXPECT_EQ(rounded_size(512ULL << 20), "512 MiB");
  EXPECT_EQ(rounded_size(~0ULL), "16777216 TiB");
}

TEST(figures, times_have_the_largest_unit) {
  EXPECT_EQ(rounded_time(0s), "0 s");
  EXPECT_EQ(rounded_time(59s), "59 s");
  EXPECT_EQ(rounded_time(119s), "1 min");
  EXPECT_EQ(rounded_time(23h), "23 h");
  EXPECT_EQ(rounded_time(49h), "2 d");
}

}  // namespace
}  // namespace rockdove::doctor
