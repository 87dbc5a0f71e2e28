#include "inbox/event.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

namespace rockdove::inbox {
namespace {

using namespace std::chrono_literals;
constexpr EventId greatest = std::numeric_limits<EventId>::max();

TEST(EventIds, are_written_in_thirteen_digits_that_no_one_misreads) {
  const std::pair<EventId, std::string> cases[] = {
      {0, "evt_0000000000000"},
      {1, "evt_0000000000001"},
      {31, "evt_000000000000z"},
      {32, "evt_0000000000010"},
      {EventId{1} << 63, "evt_8000000000000"},
      {greatest, "evt_fzzzzzzzzzzzz"},
  };
  for (const auto& [id, text] : cases) {
    EXPECT_EQ(format_event_id(id), text);
    const auto parsed = parse_event_id(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, id);
  }
}

TEST(EventIds, sort_as_text_like_their_numbers) {
  std::vector<EventId> ids{0, greatest};
  for (int bit = 0; bit < 64; ++bit)
    for (const EventId near : {EventId{1} << bit, (EventId{1} << bit) - 1, (EventId{1} << bit) + 1})
      ids.push_back(near);
  std::sort(ids.begin(), ids.end());
  for (std::size_t i = 1; i < ids.size(); ++i) {
    if (ids[i - 1] == ids[i]) continue;
    EXPECT_LT(format_event_id(ids[i - 1]), format_event_id(ids[i]));
  }
}

TEST(EventIds, come_back_from_their_text_whatever_bits_they_have) {
  EventId id = 0x9e3779b97f4a7c15;
  for (int i = 0; i < 1000; ++i, id = id * 6364136223846793005U + 1442695040888963407U) {
    const auto parsed = parse_event_id(format_event_id(id));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, id);
  }
}

TEST(EventIds, are_refused_if_they_are_not_exactly_what_is_written) {
  for (const std::string text :
       {"", "evt_", "evt_000000000000", "evt_00000000000000", "0000000000000", "EVT_0000000000000",
        "evt_000000000000Z", "evt_000000000000i", "evt_000000000000l", "evt_000000000000o",
        "evt_000000000000u", "evt_g000000000000", "evt_00000000 0000", " evt_0000000000000",
        "evt_0000000000000 ", "msg_0000000000000", "evt_-000000000001"})
    EXPECT_EQ(parse_event_id(text).error(), Error::malformed) << text;
  EXPECT_EQ(parse_event_id(std::string("evt_000000000000\0", 17)).error(), Error::malformed);
}

TEST(EventIds, of_a_time_are_not_below_the_first_one_of_that_time) {
  const WallTime time{1'700'000'000'123ms};
  EXPECT_EQ(first_id_at(time) >> 20, 1'700'000'000'123U);
  EXPECT_EQ(first_id_at(time) & 0xfffff, 0U);
  EXPECT_LT(first_id_at(time - 1ms), first_id_at(time));
}

TEST(EventIds, of_a_time_before_1970_start_at_zero) {
  EXPECT_EQ(first_id_at(WallTime{}), 0U);
  EXPECT_EQ(first_id_at(WallTime{-1ms}), 0U);
}

TEST(States, are_found_by_their_names) {
  for (int i = 0; i < state_count; ++i) {
    const auto state = static_cast<State>(i);
    EXPECT_FALSE(state_name(state).empty());
    EXPECT_EQ(state_named(state_name(state)), state);
  }
  EXPECT_EQ(state_name(State::quarantined), "quarantined");
  for (const char* name : {"", "Waiting", "waiting ", "lost"}) EXPECT_FALSE(state_named(name)) << name;
  EXPECT_EQ(state_name(static_cast<State>(state_count)), "");
}

}  // namespace
}  // namespace rockdove::inbox
