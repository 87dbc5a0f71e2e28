#include "egress/lingxing_token.hpp"

#include <gtest/gtest.h>

namespace rockdove::egress {
namespace {

using namespace std::chrono_literals;

constexpr WallTime start{1'800'000'000'000ms};

LingxingToken with_token(std::chrono::seconds lifetime) {
  LingxingToken token({.renew_early = 5min, .failure_pause = 5s});
  token.granted({"a1", "r1", lifetime}, start);
  return token;
}

TEST(LingxingToken, that_is_not_there_has_to_be_fetched) {
  LingxingToken token({});
  EXPECT_EQ(token.usable(start), nullptr);
  EXPECT_TRUE(token.wants_renewal(start));
  EXPECT_TRUE(token.may_renew(start));
  EXPECT_EQ(token.take_refresh_token(start), "");
}

TEST(LingxingToken, is_renewed_five_minutes_before_its_end_and_used_until_then) {
  const LingxingToken token = with_token(7199s);
  ASSERT_NE(token.usable(start), nullptr);
  EXPECT_EQ(*token.usable(start), "a1");
  EXPECT_FALSE(token.wants_renewal(start + 7199s - 5min - 1ms));
  EXPECT_TRUE(token.wants_renewal(start + 7199s - 5min));
  EXPECT_NE(token.usable(start + 7199s - 1ms), nullptr);
  EXPECT_EQ(token.usable(start + 7199s), nullptr);
}

TEST(LingxingToken, of_a_short_life_is_renewed_after_half_of_it) {
  const LingxingToken token = with_token(60s);
  EXPECT_FALSE(token.wants_renewal(start + 30s - 1ms));
  EXPECT_TRUE(token.wants_renewal(start + 30s));
}

TEST(LingxingToken, refreshes_once_and_only_while_it_lives) {
  LingxingToken token = with_token(7199s);
  EXPECT_EQ(token.take_refresh_token(start + 7199s), "") << "it is as old as the other";
  EXPECT_EQ(token.take_refresh_token(start + 7000s), "r1");
  EXPECT_EQ(token.take_refresh_token(start + 7000s), "");
  EXPECT_NE(token.usable(start + 7000s), nullptr) << "that it could not be refreshed does not end it";
}

TEST(LingxingToken, that_is_refused_goes_unless_a_newer_one_is_here) {
  LingxingToken token = with_token(7199s);
  EXPECT_EQ(token.refused("a0", start), LingxingToken::Refused::older);
  EXPECT_NE(token.usable(start), nullptr);
  EXPECT_EQ(token.refused("a1", start), LingxingToken::Refused::dropped);
  EXPECT_EQ(token.usable(start), nullptr);
  EXPECT_EQ(token.take_refresh_token(start), "") << "it belongs to a pair that is void";
}

TEST(LingxingToken, is_not_given_up_again_right_after_the_last_one_was) {
  LingxingToken token = with_token(7199s);
  EXPECT_EQ(token.refused("a1", start), LingxingToken::Refused::dropped);
  token.granted({"a2", "r2", 7199s}, start);
  EXPECT_EQ(token.refused("a2", start + 5s - 1ms), LingxingToken::Refused::kept);
  EXPECT_EQ(*token.usable(start + 5s - 1ms), "a2");
  EXPECT_EQ(token.refused("a2", start + 5s), LingxingToken::Refused::dropped);
  token.granted({"a3", "r3", 7199s}, start);
  EXPECT_EQ(token.refused("a3", start - 1ms), LingxingToken::Refused::dropped) << "the clock was set back";
}

TEST(LingxingToken, is_not_asked_for_again_right_after_a_failure) {
  LingxingToken token({.renew_early = 5min, .failure_pause = 5s});
  token.renewal_failed(start);
  EXPECT_FALSE(token.may_renew(start));
  EXPECT_FALSE(token.may_renew(start + 5s - 1ms));
  EXPECT_TRUE(token.may_renew(start + 5s));
  token.granted({"a", "r", 7199s}, start + 5s);
  EXPECT_TRUE(token.may_renew(start + 5s));
}

TEST(LingxingToken, does_not_trust_a_clock_that_was_set_back) {
  LingxingToken token = with_token(7199s);
  token.renewal_failed(start);
  EXPECT_TRUE(token.wants_renewal(start - 1ms));
  EXPECT_EQ(token.usable(start - 1ms), nullptr);
  EXPECT_TRUE(token.may_renew(start - 1ms)) << "or nobody would for as long as the clock was ahead";
}

}  // namespace
}  // namespace rockdove::egress
