#include "doctor/finding.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

#include <set>

namespace rockdove::doctor {
namespace {

using std::chrono::microseconds;

std::set<std::string> places(std::string_view pattern) {
  std::set<std::string> found;
  for (auto at = pattern.find('{'); at != pattern.npos; at = pattern.find('{', at + 1))
    found.emplace(pattern.substr(at, 3));
  return found;
}

TEST(finding, every_text_is_there_in_both_languages_with_the_same_values) {
  std::set<std::string_view> ids;
  for (const auto& table : text_tables)
    for (const Row& row : table) {
      EXPECT_TRUE(ids.insert(row.id).second) << row.id << " twice";
      EXPECT_NE(row.id.find('.'), row.id.npos) << row.id;
      EXPECT_LE(row.check().size(), 11u) << row.id << ": wider than its column";
      for (const auto& texts : {row.text, row.advice}) {
        EXPECT_EQ(texts[0].empty(), texts[1].empty()) << row.id << " in one language only";
        EXPECT_EQ(places(texts[0]), places(texts[1])) << row.id;
        EXPECT_TRUE(is_utf8(texts[1])) << row.id;
        for (const std::string& place : places(texts[0]))
          EXPECT_TRUE(place.size() == 3 && place[1] >= '0' && place[1] <= '9' && place[2] == '}') << row.id;
      }
      EXPECT_FALSE(row.text[0].empty()) << row.id;
    }
  EXPECT_GT(ids.size(), 80u);
}

TEST(finding, whatever_is_wrong_says_what_to_do) {
  for (const auto& table : text_tables)
    for (const Row& row : table) {
      if (row.state != State::ok) { EXPECT_FALSE(row.advice[0].empty()) << row.id; }
    }
}

TEST(finding, chinese_texts_are_chinese) {
  for (const auto& table : text_tables)
    for (const Row& row : table) {
      const bool is_one_value = row.text[1] == "{0}" || row.text[1] == row.text[0];
      const bool has_wide = display_width(row.text[1]) != row.text[1].size();
      EXPECT_TRUE(has_wide || is_one_value) << row.id;
    }
}

TEST(finding, values_stand_where_the_text_wants_them) {
  const Finding finding{"proxy.refused", {"p:1", "s:2", "403 No"}, {}};
  EXPECT_EQ(text(finding, Language::english), "the proxy p:1 refuses a connection to s:2: 403 No");
  EXPECT_EQ(text(finding, Language::chinese), "代理 p:1 拒绝连接 s:2：403 No");
  EXPECT_NE(advice(finding, Language::english).find("CONNECT to s:2"), std::string::npos);
}

TEST(finding, values_from_outside_play_no_tricks_and_a_missing_one_is_empty) {
  const Finding finding{"proxy.refused", {"{1}", "\x1b[31m\n"}, {}};
  EXPECT_EQ(text(finding, Language::english), "the proxy {1} refuses a connection to \\u001b[31m\\u000a: ");
}

TEST(finding, milliseconds_have_two_digits) {
  EXPECT_EQ(in_milliseconds(microseconds(40)), "0.0 ms");
  EXPECT_EQ(in_milliseconds(microseconds(850)), "0.8 ms");
  EXPECT_EQ(in_milliseconds(microseconds(9'940)), "9.9 ms");
  EXPECT_EQ(in_milliseconds(microseconds(12'300)), "12 ms");
  EXPECT_EQ(in_milliseconds(microseconds(5'000'000)), "5000 ms");
}

}  // namespace
}  // namespace rockdove::doctor
