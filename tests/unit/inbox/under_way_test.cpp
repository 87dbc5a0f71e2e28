#include "inbox/under_way.hpp"

#include <gtest/gtest.h>

namespace rockdove::inbox {
namespace {

using namespace std::chrono_literals;
using Whose = UnderWay::Whose;
constexpr UnderWay::Time start{1h};

TEST(UnderWay, counts_attempts_and_the_bytes_of_their_requests) {
  UnderWay under_way(50ms);
  EXPECT_TRUE(under_way.empty());
  under_way.begin(7, 1000, Whose::caller, start);
  under_way.begin(8, 24, Whose::backlog, start);
  EXPECT_EQ(under_way.size(), 2U);
  EXPECT_EQ(under_way.bytes(), 1024U);
  EXPECT_TRUE(under_way.contains(7));
  under_way.end(7, start + 1ms);
  EXPECT_FALSE(under_way.contains(7));
  EXPECT_EQ(under_way.size(), 1U);
  EXPECT_EQ(under_way.bytes(), 24U);
}

TEST(UnderWay, an_attempt_is_young_until_it_is_not_quick_any_more) {
  UnderWay under_way(50ms);
  under_way.begin(1, 0, Whose::backlog, start);
  under_way.begin(2, 0, Whose::backlog, start + 30ms);
  under_way.begin(3, 0, Whose::caller, start + 30ms);
  EXPECT_EQ(under_way.young_backlog(start + 30ms), 2U) << "somebody waits for the third";
  EXPECT_EQ(under_way.young_backlog(start + 49ms), 2U);
  EXPECT_EQ(under_way.young_backlog(start + 50ms), 1U);
  EXPECT_EQ(under_way.young_backlog(start + 80ms), 0U);
}

TEST(UnderWay, what_is_typical_follows_the_attempts_that_end) {
  UnderWay under_way(50ms);
  EXPECT_FALSE(under_way.is_quick()) << "not known yet";
  UnderWay::Time now = start;
  const auto attempts = [&](int count, net::Duration took) {
    for (int i = 0; i < count; ++i) {
      under_way.begin(1, 0, Whose::backlog, now);
      under_way.end(1, now += took);
    }
  };
  attempts(200, 400us);
  EXPECT_TRUE(under_way.is_quick());
  EXPECT_NEAR(double(under_way.typical().count()), double(net::Duration(400us).count()), 5'000);
  attempts(1, 1s);
  EXPECT_FALSE(under_way.is_quick()) << "one that hangs says enough";
  attempts(200, 400us);
  EXPECT_LT(under_way.typical(), 500us) << "but not for ever";
}

}  // namespace
}  // namespace rockdove::inbox
