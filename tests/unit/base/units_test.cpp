#include "base/units.hpp"

#include <gtest/gtest.h>

namespace rockdove {
namespace {

using std::chrono::milliseconds;

TEST(Units, reads_durations) {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"0ms", 0},          {"0s", 0},       {"250ms", 250},
      {"2s", 2000},        {"5m", 300'000}, {"1h", 3'600'000},
      {"7d", 604'800'000}, {"007s", 7000},  {"36525d", 36'525LL * 86'400'000},
  };
  for (const auto& [text, expected] : cases) {
    const auto duration = parse_duration(text);
    ASSERT_TRUE(duration) << text;
    EXPECT_EQ(duration->count(), expected) << text;
  }
}

TEST(Units, refuses_what_is_no_duration) {
  for (const char* text : {"", "5", "s", "-5s", "+5s", " 5s", "5s ", "5 s", "1.5s", "1h30m", "5S", "5min",
                           "0x5s", "36526d", "9223372036854775807d", "99999999999999999999s"})
    EXPECT_EQ(parse_duration(text).error(), Error::malformed) << text;
  EXPECT_FALSE(parse_duration(std::string_view("5s\0", 3)));
}

TEST(Units, writes_durations_in_their_shortest_exact_form) {
  const std::pair<std::int64_t, const char*> cases[] = {
      {0, "0s"},       {-5, "0s"},        {1, "1ms"},         {1500, "1500ms"},   {90'000, "90s"},
      {120'000, "2m"}, {3'600'000, "1h"}, {5'400'000, "90m"}, {86'400'000, "1d"},
  };
  for (const auto& [count, expected] : cases) EXPECT_EQ(format_duration(milliseconds(count)), expected);
}

TEST(Units, reads_sizes) {
  const std::pair<const char*, std::uint64_t> cases[] = {
      {"0", 0},
      {"17", 17},
      {"17B", 17},
      {"64KiB", 65'536},
      {"10MiB", 10'485'760},
      {"1GB", 1'000'000'000},
      {"1KB", 1000},
      {"2TiB", 2'199'023'255'552},
      {"3TB", 3'000'000'000'000},
      {"1GiB", 1'073'741'824},
      {"9223372036854775807", 9'223'372'036'854'775'807ULL},
  };
  for (const auto& [text, expected] : cases) {
    const auto size = parse_size(text);
    ASSERT_TRUE(size) << text;
    EXPECT_EQ(*size, expected) << text;
  }
}

TEST(Units, refuses_what_is_no_size) {
  for (const char* text : {"", "KiB", "-1", "+1", "1.5MiB", "1 MiB", "1mib", "1K", "1M", "0x10", "1MiBs",
                           "9223372036854775808", "9007199254740992KiB", "8388608TiB"})
    EXPECT_EQ(parse_size(text).error(), Error::malformed) << text;
}

TEST(Units, what_is_written_reads_back) {
  for (const std::uint64_t bytes :
       {0ULL, 1ULL, 999ULL, 1000ULL, 1001ULL, 1024ULL, 65'536ULL, 1'000'000ULL, 1ULL << 40})
    EXPECT_EQ(parse_size(format_size(bytes)).value(), bytes);
  for (const std::int64_t count : {0LL, 1LL, 999LL, 60'000LL, 60'001LL, 86'400'000LL})
    EXPECT_EQ(parse_duration(format_duration(milliseconds(count))).value().count(), count);
  EXPECT_EQ(format_size(65'536), "64KiB");
  EXPECT_EQ(format_size(1000), "1KB");
  EXPECT_EQ(format_size(1001), "1001");
}

}  // namespace
}  // namespace rockdove
