#include "ops/alert_pace.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rockdove::ops {
namespace {

using namespace std::chrono_literals;
using What = Notice::What;

const std::chrono::steady_clock::time_point start(100h);

std::vector<Notice> notices(What what, int first, int count) {
  std::vector<Notice> all;
  for (int i = first; i < first + count; ++i)
    all.push_back({what, {AlertKind::agent_gone, std::to_string(i)}, {}, {}});
  return all;
}

/// "1 1 1 5*": three single ones, then a summary of five.
std::string shape(const std::vector<AlertBatch>& batches) {
  std::string text;
  for (const AlertBatch& batch : batches)
    text += (text.empty() ? "" : " ") + std::to_string(batch.notices.size()) + (batch.is_summary ? "*" : "");
  return text;
}

TEST(AlertPace, lets_the_usual_few_pass_as_they_come) {
  AlertPace pace(10);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(shape(pace.add(notices(What::firing, i, 1), start + i * 7min)), "1");
  EXPECT_EQ(shape(pace.add({}, start + 351min)), "");
}

TEST(AlertPace, makes_one_summary_of_a_storm) {
  AlertPace pace(10);
  EXPECT_EQ(shape(pace.add(notices(What::firing, 0, 50), start)), "1 1 1 1 1 1 1 1 1 41*");
  EXPECT_EQ(shape(pace.add(notices(What::resolved, 0, 50), start + 5min)), "");
  EXPECT_EQ(pace.held(), 50U);
  EXPECT_EQ(shape(pace.add({}, start + 59min)), "");
  EXPECT_EQ(shape(pace.add({}, start + 1h)), "1 1 1 1 1 1 1 1 1 41*");
}

TEST(AlertPace, the_last_message_of_an_hour_says_that_it_is) {
  AlertPace pace(3);
  EXPECT_EQ(shape(pace.add(notices(What::firing, 0, 1), start)), "1");
  EXPECT_EQ(shape(pace.add(notices(What::firing, 1, 1), start + 10min)), "1");
  EXPECT_EQ(shape(pace.add(notices(What::firing, 2, 1), start + 20min)), "1*");
  EXPECT_EQ(shape(pace.add(notices(What::firing, 3, 1), start + 30min)), "");
  EXPECT_EQ(shape(pace.add(notices(What::firing, 4, 1), start + 40min)), "");
  EXPECT_EQ(shape(pace.add({}, start + 1h)), "2*") << "when the first is an hour old";
}

TEST(AlertPace, with_one_an_hour_each_is_a_summary) {
  AlertPace pace(1);
  EXPECT_EQ(shape(pace.add(notices(What::firing, 0, 3), start)), "3*");
  EXPECT_EQ(shape(pace.add(notices(What::firing, 3, 3), start + 30min)), "");
  EXPECT_EQ(shape(pace.add({}, start + 60min)), "3*");
}

TEST(AlertPace, what_was_held_back_and_is_over_by_then_is_not_mentioned) {
  AlertPace pace(1);
  pace.add(notices(What::firing, 0, 1), start);
  pace.add(notices(What::firing, 1, 5), start + 1min);
  pace.add(notices(What::resolved, 1, 4), start + 2min);
  const auto batches = pace.add({}, start + 1h);
  ASSERT_EQ(shape(batches), "1*");
  EXPECT_EQ(batches[0].notices[0].condition.subject, "5");
}

TEST(AlertPace, holds_no_more_than_two_notices_of_an_alert) {
  AlertPace pace(1);
  pace.add(notices(What::firing, 0, 1), start);
  for (int i = 1; i < 50; ++i) {
    pace.add(notices(What::reminder, 0, 1), start + i * 1s);
    EXPECT_EQ(pace.held(), 1U);
  }
  pace.add(notices(What::resolved, 0, 1), start + 1min);
  EXPECT_EQ(pace.held(), 1U) << "its end in place of the reminders";
  for (int i = 1; i < 50; ++i) {
    pace.add(notices(What::firing, 0, 1), start + 2min);
    pace.add(notices(What::reminder, 0, 1), start + 2min);
    EXPECT_EQ(pace.held(), 2U);
    pace.add(notices(What::resolved, 0, 1), start + 3min);
    EXPECT_EQ(pace.held(), 1U);
  }
}

TEST(AlertPace, zero_is_no_limit) {
  AlertPace pace(0);
  EXPECT_EQ(pace.add(notices(What::firing, 0, 500), start).size(), 500U);
  EXPECT_EQ(pace.held(), 0U);
}

}  // namespace
}  // namespace rockdove::ops
