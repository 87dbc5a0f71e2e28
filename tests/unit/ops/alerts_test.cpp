#include "ops/alerts.hpp"

#include <gtest/gtest.h>

#include <string>

namespace rockdove::ops {
namespace {

using namespace std::chrono_literals;
using What = Notice::What;

const Condition gone{AlertKind::agent_gone, "bot"};
const Condition full{AlertKind::disk_free, "", 1000};

Condition dead(std::int64_t count) {
  return {AlertKind::dead_letters, "hook", count};
}

/// A server whose time passes second by second.
class AlertsTest : public testing::Test {
 protected:
  /// So it is for `span`; what was told meanwhile, "10 firing agent_gone", after so many seconds of it.
  std::string pass(const std::vector<Condition>& wrong, std::chrono::seconds span) {
    std::string told;
    for (auto at = 0s; at < span; ++at) {
      now_.steady += 1s;
      now_.wall += 1s;
      for (const Notice& notice : alerts_.update(wrong, now_, listens_)) {
        const char* const what = notice.what == What::firing     ? "firing"
                                 : notice.what == What::reminder ? "reminder"
                                                                 : "resolved";
        told += (told.empty() ? "" : ", ") + std::to_string(at.count() + 1) + " " + what + " " +
                std::string(alert_kind_name(notice.condition.kind));
        last_ = notice;
        if (delivers_) alerts_.delivered(notice, now_.wall);
      }
    }
    return told;
  }
  /// The process ends, and the next one begins `later`.
  void restart(std::chrono::seconds later = 0s) {
    const auto kept = alerts_.records();
    alerts_ = Alerts(options_);
    now_.wall += later;
    now_.steady = std::chrono::steady_clock::time_point(later + 5s);  // another boot: the clock begins again
    alerts_.restore(kept, now_);
  }

  Alerts::Options options_;
  Alerts alerts_{options_};
  Moment now_{std::chrono::steady_clock::time_point(1h), AlertTime(1'700'000'000s)};
  bool listens_ = true, delivers_ = true;
  Notice last_;
};

TEST_F(AlertsTest, tells_once_that_an_agent_is_gone_and_once_that_it_is_back) {
  EXPECT_EQ(pass({}, 10s), "");
  const AlertTime began = now_.wall + 1s;
  EXPECT_EQ(pass({gone}, 10min), "121 firing agent_gone");
  EXPECT_EQ(last_.since, began);
  EXPECT_EQ(alerts_.firing().size(), 1U);
  EXPECT_EQ(pass({}, 10min), "61 resolved agent_gone");
  EXPECT_EQ(last_.lasted, 10min);
  EXPECT_TRUE(alerts_.firing().empty());
}

TEST_F(AlertsTest, an_agent_that_comes_back_in_time_is_no_message) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(pass({gone}, 119s), "");
    EXPECT_EQ(pass({}, 1s), "");
  }
}

TEST_F(AlertsTest, a_value_that_dances_around_its_limit_is_told_once) {
  EXPECT_EQ(pass({full}, 59s), "");
  EXPECT_EQ(pass({}, 1s), "");
  EXPECT_EQ(pass({full}, 61s), "61 firing disk_free");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(pass({}, 59s), "");
    EXPECT_EQ(pass({full}, 59s), "");
  }
  EXPECT_EQ(pass({}, 61s), "61 resolved disk_free");
}

TEST_F(AlertsTest, reminds_while_it_lasts) {
  EXPECT_EQ(pass({full}, 9h), "61 firing disk_free, 14461 reminder disk_free, 28861 reminder disk_free");
  options_.repeat = 0s;
  alerts_.set_options(options_);
  EXPECT_EQ(pass({full}, 20h), "");
}

TEST_F(AlertsTest, keeps_what_is_wrong_apart) {
  const Condition other{AlertKind::agent_gone, "depot"};
  EXPECT_EQ(pass({gone, other, full}, 2min + 1s),
            "61 firing disk_free, 121 firing agent_gone, 121 firing agent_gone");
  EXPECT_EQ(pass({gone}, 2min), "61 resolved agent_gone, 61 resolved disk_free");
}

TEST_F(AlertsTest, more_dead_letters_are_news_and_the_same_ones_are_not) {
  EXPECT_EQ(pass({dead(3)}, 24h), "61 firing dead_letters");
  EXPECT_EQ(pass({dead(4)}, 24h), "1 reminder dead_letters");
  EXPECT_EQ(last_.condition.amount, 4);
  std::string told;
  for (int count = 5; count < 25; ++count) told += pass({dead(count)}, 60s);
  EXPECT_EQ(told, "1 reminder dead_letters1 reminder dead_letters") << "two in 20 minutes";
  EXPECT_EQ(pass({dead(2)}, 24h), "") << "some were replayed";
  EXPECT_EQ(pass({dead(3)}, 24h), "1 reminder dead_letters");
  EXPECT_EQ(pass({}, 2min), "61 resolved dead_letters");
}

TEST_F(AlertsTest, a_restart_neither_repeats_nor_forgets_what_was_told) {
  pass({gone}, 3min);
  const AlertTime since = last_.since;
  restart(10s);
  restart(20s);
  EXPECT_EQ(pass({gone}, 3h), "");
  EXPECT_EQ(pass({gone}, 1h), "3511 reminder agent_gone") << "four hours after it was told";
  EXPECT_EQ(last_.since, since);
  restart(30s);
  EXPECT_EQ(pass({}, 5min), "61 resolved agent_gone");
  restart(30s);
  EXPECT_EQ(pass({}, 5min), "");
}

TEST_F(AlertsTest, a_restart_brings_no_recovery_of_what_nobody_was_told) {
  pass({gone}, 1min);
  restart(30s);
  EXPECT_EQ(pass({}, 5min), "");
  delivers_ = false;  // the receiver is away too
  EXPECT_EQ(pass({gone}, 3min), "121 firing agent_gone");
  restart(30s);
  delivers_ = true;
  EXPECT_EQ(pass({gone}, 3min), "121 firing agent_gone") << "it was not told yet";
  delivers_ = false;
  EXPECT_EQ(pass({}, 2min), "61 resolved agent_gone");
  restart(30s);
  EXPECT_EQ(pass({}, 2min), "61 resolved agent_gone") << "this was not told yet";
}

TEST_F(AlertsTest, a_receiver_that_is_late_does_not_bring_back_what_is_over) {
  delivers_ = false;
  pass({gone}, 3min);
  const Notice firing = last_;
  pass({}, 2min);
  const Notice resolved = last_;
  EXPECT_TRUE(alerts_.delivered(firing, now_.wall));
  EXPECT_TRUE(alerts_.delivered(resolved, now_.wall));
  EXPECT_FALSE(alerts_.delivered(firing, now_.wall)) << "the second receiver's";
  EXPECT_TRUE(alerts_.records().empty());
  pass({gone}, 3min);
  EXPECT_TRUE(alerts_.delivered(last_, now_.wall)) << "another time";
}

TEST_F(AlertsTest, a_wall_clock_that_is_set_fires_nothing_and_ends_nothing) {
  for (const auto jump : {-48h, 48h}) {
    now_.wall += jump;
    EXPECT_EQ(pass({gone}, 119s), "");
    now_.wall -= jump;
    EXPECT_EQ(pass({gone}, 5s), "2 firing agent_gone");
    now_.wall += jump;
    EXPECT_EQ(pass({gone}, 3h), "");
    EXPECT_EQ(pass({}, 2min), "61 resolved agent_gone");
    EXPECT_EQ(last_.lasted, 119s + 5s + 3h);
  }
}

TEST_F(AlertsTest, after_a_clock_was_set_back_over_a_restart_the_reminder_comes_a_full_time_later) {
  pass({gone}, 3min);
  restart(-24h);
  EXPECT_EQ(pass({gone}, 3h + 59min), "");
  EXPECT_EQ(pass({gone}, 5min), "60 reminder agent_gone");
}

TEST_F(AlertsTest, what_fires_while_nobody_listens_is_told_to_the_first_who_does) {
  listens_ = false;
  EXPECT_EQ(pass({gone, full}, 1h), "");
  EXPECT_EQ(alerts_.firing().size(), 2U);
  EXPECT_EQ(pass({full}, 1h), "") << "and of what is over nobody was told";
  listens_ = true;
  EXPECT_EQ(pass({full}, 1h), "1 firing disk_free");
}

TEST_F(AlertsTest, looks_after_so_many_and_no_more) {
  options_.alerts_max = 2;
  alerts_.set_options(options_);
  pass({gone, full, dead(1)}, 3min);
  EXPECT_EQ(alerts_.firing().size(), 2U);
}

}  // namespace
}  // namespace rockdove::ops
