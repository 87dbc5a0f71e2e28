#include "inbox/held_memory.hpp"

#include <gtest/gtest.h>

#include <list>

namespace rockdove::inbox {
namespace {

/// As much as one stranger can get, byte by byte.
std::size_t grow(Held& held) {
  std::size_t bytes = 0;
  while (held.add(1)) ++bytes;
  return bytes;
}

TEST(HeldMemory, each_stranger_gets_what_it_leaves_free_of_their_half) {
  HeldMemory memory(32'000);
  std::list<Held> strangers;
  std::size_t left = 16'000;
  for (int i = 0; i < 8; ++i) {
    const std::size_t got = grow(strangers.emplace_back(memory, false));
    EXPECT_EQ(got, left / 2) << i;
    left -= got;
  }
  EXPECT_EQ(HeldMemory::unproven_max(32'000), 8'000U) << "what the first one got";
  Held known(memory, true);
  EXPECT_TRUE(known.add(16'000));
}

TEST(HeldMemory, many_that_grow_together_leave_room_for_one_more_of_their_size) {
  HeldMemory memory(2'000'000);
  std::list<Held> strangers;
  for (int i = 0; i < 99; ++i) strangers.emplace_back(memory, false);
  std::size_t each = 0;
  for (bool grew = true; grew; each += grew)
    for (Held& stranger : strangers) grew = stranger.add(1) && grew;
  EXPECT_NEAR(static_cast<double>(each), 1'000'000 / 100, 2);
  Held newcomer(memory, false);
  EXPECT_TRUE(newcomer.add(each / 2));
}

TEST(HeldMemory, is_given_back_and_is_a_strangers_no_more_once_it_is_proven) {
  HeldMemory memory(1'000);
  for (int i = 0; i < 3; ++i) {
    Held held(memory, false);
    EXPECT_TRUE(held.add(250));
    EXPECT_FALSE(held.add(1));
    held.note_proof();
    EXPECT_TRUE(held.add(750));
    Held other(memory, false);
    EXPECT_FALSE(other.add(1)) << "there is no more of any kind";
  }
  Held all(memory, true);
  EXPECT_TRUE(all.add(1'000));
  EXPECT_FALSE(all.add(1));
}

}  // namespace
}  // namespace rockdove::inbox
