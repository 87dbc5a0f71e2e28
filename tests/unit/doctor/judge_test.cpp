#include "doctor/judge.hpp"

#include <gtest/gtest.h>

namespace rockdove::doctor {
namespace {

using namespace std::chrono_literals;

std::string_view id(const Id& found) {
  return found.row().id;
}

TEST(judge, a_lookup_is_slow_from_a_second_on) {
  EXPECT_EQ(id(judge_lookup(999ms)), "dns.found");
  EXPECT_EQ(id(judge_lookup(1s)), "dns.slow");
}

TEST(judge, clocks_may_differ_a_little_either_way) {
  EXPECT_EQ(id(judge_skew(0ms)), "skew.small");
  EXPECT_EQ(id(judge_skew(-9'999ms)), "skew.small");
  EXPECT_EQ(id(judge_skew(10s)), "skew.some");
  EXPECT_EQ(id(judge_skew(-10s)), "skew.some");
  EXPECT_EQ(id(judge_skew(299s)), "skew.some");
  EXPECT_EQ(id(judge_skew(-300s)), "skew.large");
}

TEST(judge, a_mode_that_lets_others_in_is_worse_than_one_for_the_group) {
  EXPECT_EQ(id(judge_mode(0600, false)), "files.private");
  EXPECT_EQ(id(judge_mode(0400, false)), "files.private");
  EXPECT_EQ(id(judge_mode(0700, false)), "files.private");
  EXPECT_EQ(id(judge_mode(0640, false)), "files.group");
  EXPECT_EQ(id(judge_mode(0620, false)), "files.group");
  EXPECT_EQ(id(judge_mode(0644, false)), "files.open");
  EXPECT_EQ(id(judge_mode(0601, false)), "files.open");
}

TEST(judge, root_may_lend_a_file_to_the_group_of_a_service_for_reading) {
  EXPECT_EQ(id(judge_mode(0640, true)), "files.private");
  EXPECT_EQ(id(judge_mode(0660, true)), "files.group");
  EXPECT_EQ(id(judge_mode(0644, true)), "files.open");
}

TEST(judge, a_certificate_is_worth_a_word_in_its_last_two_weeks) {
  EXPECT_EQ(judge_days(14), State::ok);
  EXPECT_EQ(judge_days(13), State::warn);
  EXPECT_EQ(judge_days(0), State::warn);
  EXPECT_EQ(judge_days(-1), State::fail);
}

TEST(judge, a_path_must_hold_a_silence_of_twice_the_links_own) {
  EXPECT_EQ(id(judge_idle(0s)), "idle.short");
  EXPECT_EQ(id(judge_idle(9s)), "idle.short");
  EXPECT_EQ(id(judge_idle(10s)), "idle.cut");
}

TEST(judge, percentiles_are_of_the_sorted_times) {
  std::vector<std::chrono::microseconds> times;
  for (int each = 100; each > 0; --each) times.emplace_back(each);
  EXPECT_EQ(percentiles(times).median, 51us);
  EXPECT_EQ(percentiles(times).p99, 100us);
  EXPECT_EQ(percentiles({7us}).median, 7us);
  EXPECT_EQ(percentiles({7us}).p99, 7us);
}

TEST(judge, a_disk_is_judged_by_its_slowest_writes) {
  EXPECT_EQ(id(judge_fsync({1ms, 10ms})), "fsync.ok");
  EXPECT_EQ(id(judge_fsync({1ms, 10'001us})), "fsync.slow");
  EXPECT_EQ(id(judge_fsync({1ms, 100ms})), "fsync.slow");
  EXPECT_EQ(id(judge_fsync({1ms, 100'001us})), "fsync.very_slow");
}

TEST(judge, a_disk_is_low_by_part_and_size_and_full_by_size) {
  constexpr std::uint64_t mebibyte = 1024 * 1024, gibibyte = 1024 * mebibyte;
  EXPECT_EQ(id(judge_disk(100 * gibibyte, gibibyte)), "disk.free");
  EXPECT_EQ(id(judge_disk(100 * gibibyte, gibibyte - 1)), "disk.low");
  EXPECT_EQ(id(judge_disk(10 * gibibyte, 600 * mebibyte)), "disk.free");
  EXPECT_EQ(id(judge_disk(10 * gibibyte, 500 * mebibyte)), "disk.low");
  EXPECT_EQ(id(judge_disk(gibibyte, 99 * mebibyte)), "disk.full");
}

TEST(judge, descriptors_are_few_if_the_configuration_wants_more) {
  EXPECT_EQ(id(judge_descriptors(1024, 1024)), "descriptors.ok");
  EXPECT_EQ(id(judge_descriptors(1023, 1024)), "descriptors.few");
}

TEST(judge, a_clock_from_before_this_program_was_written_is_wrong) {
  EXPECT_FALSE(is_possible(std::chrono::system_clock::from_time_t(0)));
  EXPECT_TRUE(is_possible(std::chrono::sys_days(std::chrono::January / 1 / 2026)));
}

}  // namespace
}  // namespace rockdove::doctor
