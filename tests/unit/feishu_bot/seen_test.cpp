#include "feishu-bot/seen.hpp"

#include <gtest/gtest.h>

namespace rockdove::feishu_bot {
namespace {

using std::chrono::hours;

TEST(Seen, an_id_is_new_once_and_again_when_its_time_is_over) {
  Seen seen({100, hours(25)});
  const net::Clock::time_point start{};
  EXPECT_TRUE(seen.add("a", start));
  EXPECT_FALSE(seen.add("a", start));
  EXPECT_TRUE(seen.add("b", start + hours(1)));
  EXPECT_FALSE(seen.add("a", start + hours(24)));
  EXPECT_TRUE(seen.has("a", start + hours(24)));
  EXPECT_FALSE(seen.has("a", start + hours(25)));
  EXPECT_FALSE(seen.has("c", start));
  EXPECT_TRUE(seen.add("a", start + hours(25)));
  EXPECT_FALSE(seen.add("b", start + hours(25)));
}

TEST(Seen, the_oldest_make_room_for_new_ones) {
  Seen seen({3, hours(25)});
  const net::Clock::time_point start{};
  for (const char* id : {"a", "b", "c", "d"}) EXPECT_TRUE(seen.add(id, start));
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_FALSE(seen.add("d", start));
  EXPECT_TRUE(seen.add("a", start));
  for (int i = 0; i < 1000; ++i) seen.add(std::to_string(i), start);
  EXPECT_EQ(seen.size(), 3U);
}

}  // namespace
}  // namespace rockdove::feishu_bot
