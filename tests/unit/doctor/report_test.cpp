#include "doctor/report.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <sstream>

namespace rockdove::doctor {
namespace {

using std::chrono::microseconds;

class ReportTest : public testing::Test {
 protected:
  Report& make(Language language, bool json, bool is_terminal = false) {
    Report::Options options{"agent", language, json, is_terminal};
    report_ = std::make_unique<Report>(std::move(options), out_, progress_);
    return *report_;
  }
  std::ostringstream out_, progress_;
  std::unique_ptr<Report> report_;
};

TEST_F(ReportTest, people_get_a_line_for_each_check_and_what_to_do_under_it) {
  Report& report = make(Language::english, false);
  report.add("tcp.connected", {"h:1"}, microseconds(1500));
  report.add("clock.unsynced");
  EXPECT_EQ(report.finish(), 0);
  EXPECT_EQ(
      out_.str(),
      "ok    tcp         h:1 takes connections (1.5 ms)\n"
      "warn  clock       the system clock is kept right by nobody\n"
      "                  -> start a time service: timedatectl set-ntp true (in a container: on its host)\n"
      "\n1 ok, 1 to look at, none failed.\n");
}

TEST_F(ReportTest, one_failure_makes_the_exit_code_one) {
  Report& report = make(Language::chinese, false);
  report.add("tcp.refused", {"h:1"});
  report.add("clock.synced");
  EXPECT_EQ(report.finish(), 1);
  EXPECT_TRUE(out_.str().starts_with("fail  tcp         h:1 上没有程序监听\n")) << out_.str();
  EXPECT_TRUE(out_.str().ends_with("\n1 项正常，0 项需要留意，1 项失败。\n")) << out_.str();
}

TEST_F(ReportTest, programs_get_one_object_at_the_end) {
  Report& report = make(Language::english, true);
  report.add("tcp.refused", {"h:1"}, microseconds(1240));
  report.add("clock.synced");
  EXPECT_EQ(out_.str(), "");
  EXPECT_EQ(report.finish(), 1);
  const auto value = boost::json::parse(out_.str());
  EXPECT_EQ(value.at("role"), "agent");
  EXPECT_EQ(value.at("version"), ROCKDOVE_VERSION);
  const auto& findings = value.at("findings").as_array();
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].at("check"), "tcp");
  EXPECT_EQ(findings[0].at("finding"), "tcp.refused");
  EXPECT_EQ(findings[0].at("state"), "fail");
  EXPECT_EQ(findings[0].at("text"), "nobody listens at h:1");
  EXPECT_NE(findings[0].at("advice"), "");
  EXPECT_DOUBLE_EQ(findings[0].at("ms").as_double(), 1.2);
  EXPECT_TRUE(findings[1].at("ms").is_null());
  EXPECT_EQ(findings[1].at("advice"), "");
  EXPECT_EQ(value.at("summary").at("ok"), 1);
  EXPECT_EQ(value.at("summary").at("fail"), 1);
}

TEST_F(ReportTest, progress_is_for_terminals_and_wiped_out_before_the_next_line) {
  make(Language::english, false).doing("dns.looking", {"h"});
  EXPECT_EQ(progress_.str(), "");
  Report& report = make(Language::english, false, true);
  report.doing("dns.looking", {"h"});
  EXPECT_EQ(progress_.str(), "... looking up h");
  report.add("clock.synced");
  EXPECT_EQ(progress_.str(), "... looking up h\r\033[K");
}

TEST_F(ReportTest, what_takes_minutes_is_told_everywhere) {
  make(Language::english, false).doing_long("idle.waiting", {"40", "h:1"});
  EXPECT_EQ(progress_.str(), "... 40 s of silence on a connection to h:1\n");
}

}  // namespace
}  // namespace rockdove::doctor
