#include "base/rfc3339.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <limits>
#include <string>

namespace rockdove {
namespace {

using std::chrono::milliseconds;
using Time = std::chrono::sys_time<milliseconds>;

Time at(std::int64_t milliseconds_since_1970) {
  return Time(milliseconds(milliseconds_since_1970));
}

TEST(rfc3339, known_times_are_written_and_read) {
  const struct {
    std::int64_t time;
    const char* text;
  } cases[] = {
      {0, "1970-01-01T00:00:00.000Z"},
      {-1, "1969-12-31T23:59:59.999Z"},
      {1'795'406'400'123, "2026-11-23T04:00:00.123Z"},
      {951'782'400'000, "2000-02-29T00:00:00.000Z"},
      {253'402'300'799'999, "9999-12-31T23:59:59.999Z"},
      {-62'167'219'200'000, "0000-01-01T00:00:00.000Z"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(format_rfc3339(at(each.time)), each.text);
    EXPECT_EQ(parse_rfc3339(each.text).value(), at(each.time)) << each.text;
  }
}

TEST(rfc3339, years_beyond_four_digits_are_written_as_the_nearest) {
  EXPECT_EQ(format_rfc3339(at(std::numeric_limits<std::int64_t>::max())), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(format_rfc3339(at(std::numeric_limits<std::int64_t>::min())), "0000-01-01T00:00:00.000Z");
}

TEST(rfc3339, every_form_of_the_same_moment_is_read) {
  for (const char* text :
       {"2026-11-23T04:00:00Z", "2026-11-23t04:00:00z", "2026-11-23T12:00:00+08:00",
        "2026-11-22T22:30:00-05:30", "2026-11-23T04:00:00.0Z", "2026-11-23T04:00:00.000999999Z",
        "2026-11-23T03:59:60Z", "2026-11-23T03:59:60.9Z", "2026-11-23T04:00:00-00:00"})
    EXPECT_EQ(parse_rfc3339(text).value(), at(1'795'406'400'000)) << text;
  EXPECT_EQ(parse_rfc3339("2026-11-23T04:00:00.5Z").value(), at(1'795'406'400'500));
  EXPECT_EQ(parse_rfc3339("2026-11-23T04:00:00.05+00:00").value(), at(1'795'406'400'050));
}

TEST(rfc3339, anything_else_is_refused) {
  for (const char* text : {"",
                           "2026",
                           "2026-11-23",
                           "2026-11-23T04:00:00",
                           "2026-11-23 04:00:00Z",
                           "2026-11-23T04:00Z",
                           "2026-02-29T00:00:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-04-31T00:00:00Z",
                           "2026-11-23T24:00:00Z",
                           "2026-11-23T04:60:00Z",
                           "2026-11-23T04:00:61Z",
                           "2026-11-23T04:00:00.Z",
                           "2026-11-23T04:00:00Zx",
                           "2026-11-23T04:00:00+0800",
                           "2026-11-23T04:00:00+24:00",
                           "2026-11-23T04:00:00+08:60",
                           "2026-11-23T04:00:00+8:00",
                           "26-11-23T04:00:00Z",
                           "2026-1-23T04:00:00Z",
                           "+2026-11-23T04:00:00Z",
                           "2026-11-23T04:00:00,5Z",
                           " 2026-11-23T04:00:00Z",
                           "2026-11-23T0 :00:00Z",
                           "evt_0000000000000",
                           "2026-11-23T04:00:00 08:00"})
    EXPECT_FALSE(parse_rfc3339(text)) << text;
}

TEST(rfc3339, people_get_their_own_time) {
  ::setenv("TZ", "XYZ-8", 1);
  ::tzset();
  EXPECT_EQ(format_local_time(at(1'795'406'400'999)), "2026-11-23 12:00:00");
  EXPECT_EQ(format_local_time(at(-1)), "1970-01-01 07:59:59");
  ::unsetenv("TZ");
  ::tzset();
}

}  // namespace
}  // namespace rockdove
