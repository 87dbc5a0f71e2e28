#include "base/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace rockdove {
namespace {

constexpr std::uint64_t largest_exact = std::uint64_t{1} << 38;

TEST(histogram, says_zero_while_it_is_empty) {
  const Histogram histogram;
  EXPECT_EQ(histogram.total(), 0U);
  EXPECT_EQ(histogram.sum(), 0U);
  EXPECT_EQ(histogram.max(), 0U);
  for (const double share : {0.001, 0.5, 1.0}) EXPECT_EQ(histogram.percentile(share), 0U);
}

TEST(histogram, gives_a_single_value_back_for_every_share) {
  for (const std::uint64_t value : {0ULL, 1ULL, 7ULL, 8ULL, 15ULL, 16ULL, 17ULL, 1000ULL, 123'456'789ULL}) {
    Histogram histogram;
    histogram.add(value);
    for (const double share : {0.001, 0.5, 0.99, 1.0}) EXPECT_EQ(histogram.percentile(share), value);
    EXPECT_EQ(histogram.max(), value);
    EXPECT_EQ(histogram.sum(), value);
  }
}

TEST(histogram, is_never_too_low_and_at_most_an_eighth_too_high) {
  // Around every power of two, where the width of the buckets changes; one huge value, so that the maximum
  // does not hide the bucket's edge.
  for (std::uint64_t power = 1; power < largest_exact; power *= 2) {
    for (const std::uint64_t value : {power - 1, power, power + 1, power + power / 3, power + power / 2}) {
      Histogram histogram;
      for (int i = 0; i < 9; ++i) histogram.add(value);
      histogram.add(largest_exact - 1);
      const std::uint64_t found = histogram.percentile(0.5);
      EXPECT_GE(found, value);
      EXPECT_LE(static_cast<double>(found), static_cast<double>(value) * 1.125) << value;
    }
  }
}

TEST(histogram, agrees_with_the_sorted_values) {
  std::mt19937_64 random(20);
  std::vector<std::uint64_t> values;
  Histogram histogram;
  for (int i = 0; i < 10'000; ++i) {
    const double exponent = std::uniform_real_distribution<double>(0, 30)(random);
    values.push_back(static_cast<std::uint64_t>(std::exp2(exponent)));
    histogram.add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(share * 10'000 + 0.5);
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto found = static_cast<double>(histogram.percentile(share));
    EXPECT_GE(found, exact) << share;
    EXPECT_LE(found, exact * 1.125) << share;
  }
}

TEST(histogram, never_falls_as_the_share_grows) {
  std::mt19937 random(7);
  Histogram histogram;
  for (int i = 0; i < 1000; ++i) histogram.add(random() % 1'000'000);
  std::uint64_t before = 0;
  for (int i = 1; i <= 1000; ++i) {
    const std::uint64_t now = histogram.percentile(i / 1000.0);
    ASSERT_GE(now, before) << i;
    before = now;
  }
  EXPECT_EQ(before, histogram.max());
}

TEST(histogram, keeps_values_beyond_its_last_bucket) {
  Histogram histogram;
  histogram.add(1);
  histogram.add(UINT64_MAX);
  EXPECT_EQ(histogram.total(), 2U);
  EXPECT_EQ(histogram.max(), UINT64_MAX);
  EXPECT_EQ(histogram.percentile(0.5), 1U);
  EXPECT_GE(histogram.percentile(1.0), largest_exact - 1);
}

TEST(histogram, takes_the_value_that_stands_at_the_share) {
  Histogram histogram;
  for (const std::uint64_t value : {1, 2, 3, 4}) histogram.add(value);
  EXPECT_EQ(histogram.percentile(0.25), 1U);
  EXPECT_EQ(histogram.percentile(0.5), 2U);
  EXPECT_EQ(histogram.percentile(0.75), 3U);
  EXPECT_EQ(histogram.percentile(1.0), 4U);
  EXPECT_EQ(histogram.sum(), 10U);
}

TEST(histogram, counts_exactly_what_is_less_than_a_power_of_two) {
  Histogram histogram;
  for (std::uint64_t value = 0; value < 5000; ++value) histogram.add(value);
  for (const std::uint64_t edge : {1, 2, 8, 16, 64, 1024, 4096}) EXPECT_EQ(histogram.below(edge), edge);
  EXPECT_EQ(histogram.below(std::uint64_t{1} << 30), 5000U);
  EXPECT_EQ(Histogram().below(1024), 0U);
}

TEST(histogram, added_to_another_is_as_if_its_values_had_been) {
  Histogram one, two, both;
  for (std::uint64_t value = 1; value < 100'000; value += 7) {
    (value % 2 ? one : two).add(value);
    both.add(value);
  }
  one.add(two);
  EXPECT_EQ(one.total(), both.total());
  EXPECT_EQ(one.sum(), both.sum());
  EXPECT_EQ(one.max(), both.max());
  for (const double share : {0.01, 0.5, 0.9, 0.999, 1.0})
    EXPECT_EQ(one.percentile(share), both.percentile(share));
}

}  // namespace
}  // namespace rockdove
