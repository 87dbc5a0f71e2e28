#include "feishu-bot/commands.hpp"

#include "unit/feishu_bot/apis.hpp"

#include <gtest/gtest.h>

namespace rockdove::feishu_bot {
namespace {

using Kind = Command::Kind;

TEST(ParseCommand, words_are_taken_as_people_write_them) {
  const struct {
    std::string_view text;
    Kind kind;
    int days = 1;
  } cases[] = {
      {"帮助", Kind::help},
      {"", Kind::help},
      {" / 帮助 ", Kind::help},
      {"HELP", Kind::help},
      {"？", Kind::help},
      {"店铺", Kind::sellers},
      {"/店铺", Kind::sellers},
      {"shops", Kind::sellers},
      {"订单", Kind::orders},
      {"订单 1", Kind::orders},
      {"订单7", Kind::orders, 7},
      {"订单　３１　天", Kind::orders, 31},
      {"订单 007", Kind::orders, 7},
      {"Orders 3", Kind::orders, 3},
      {"订单 0", Kind::bad_days},
      {"订单 32", Kind::bad_days},
      {"订单 99999999999999999999", Kind::bad_days},
      {"订单 -1", Kind::unknown},
      {"订单 天", Kind::unknown},
      {"订单详情", Kind::unknown},
      {"店铺 1", Kind::unknown},
      {"你好", Kind::unknown},
      {"\xEF\xBC", Kind::unknown},
  };
  for (const auto& each : cases) {
    const auto command = parse_command(each.text);
    EXPECT_EQ(command.kind, each.kind) << each.text;
    EXPECT_EQ(command.days, each.days) << each.text;
    EXPECT_EQ(command.text, each.kind == Kind::unknown ? each.text : "");
  }
}

struct CommandsTest : testing::Test {
  net::IoContext io;
  FakeApi lingxing{[](const FakeApi::Seen&) { return json_answer(R"({"code":0,"data":[],"total":0})"); }};
  LingxingApi api{lingxing.json, {}};
  Commands commands{
      api, [] { return Commands::WallTime(std::chrono::seconds(1767196799)); }};  // 23:59:59 in China

  Message run(std::string_view text) { return test::run(io, commands.run(parse_command(text))); }
};

TEST_F(CommandsTest, days_are_those_of_china_and_end_before_tomorrow) {
  run("订单 3");
  EXPECT_EQ(lingxing.requests.at(0).content,
            R"({"start_date":"2025-12-29","end_date":"2026-01-01","date_type":1,"offset":0,"length":1000})");
  EXPECT_NE(run("订单").content.find("2025-12-31"), std::string::npos);
}

TEST_F(CommandsTest, help_and_unknown_words_ask_nobody) {
  EXPECT_EQ(run("帮助").type, "interactive");
  EXPECT_EQ(run("你好").type, "text");
  EXPECT_EQ(run("订单 99").type, "text");
  EXPECT_TRUE(lingxing.requests.empty());
}

}  // namespace
}  // namespace rockdove::feishu_bot
