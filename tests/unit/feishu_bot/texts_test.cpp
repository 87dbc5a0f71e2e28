#include "feishu-bot/texts.hpp"

#include "feishu-bot/cards.hpp"
#include "feishu-bot/json.hpp"

#include <gtest/gtest.h>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace rockdove::feishu_bot {
namespace {

std::string text_of(const Message& message) {
  return text_at(*parse_json(message.content), {"text"});
}

/// As FeishuApi sends it.
std::size_t request_size(const Message& message) {
  boost::json::object body;
  body["msg_type"] = message.type;
  body["content"] = message.content;
  body["uuid"] = std::string(50, 'u');
  return boost::json::serialize(body).size();
}

TEST(Texts, nothing_becomes_a_mention) {
  EXPECT_EQ(text_of(text_message("a<at user_id=\"all\"></at>")), "a＜at user_id=\"all\">＜/at>");
}

TEST(Texts, a_list_ends_with_what_is_left_of_it) {
  EXPECT_EQ(text_of(list_message("头", {"一", "二"}, "家")), "头\n一\n二");
  std::vector<std::string> many(list_lines_max + 3, "x");
  const auto text = text_of(list_message("头", many, "家"));
  EXPECT_TRUE(text.ends_with("\nx\n…还有 3 家")) << text;
}

TEST(Texts, no_message_is_larger_than_feishu_takes) {
  for (const char* unit : {"x", "\"", "\\", "\n", "<", "店", "\x01"}) {
    std::string large;
    while (large.size() < 40'000) large += unit;
    const auto list = list_message(large, std::vector<std::string>(50, large), "家");
    EXPECT_LE(request_size(list), 150'000U) << unit;
    if (request_size(list) > 140'000) continue;  // as much as fits
    EXPECT_NE(text_of(list).find("…还有"), std::string::npos) << unit;
  }
  const auto cut = text_message(std::string(400'000, 'y'));
  EXPECT_LE(request_size(cut), 150'000U);
  EXPECT_LE(request_size(help_card()), 30'000U);
}

TEST(Texts, orders_are_summed_up_exactly_and_the_largest_shop_comes_first) {
  Orders orders;
  for (int i = 0; i < 3; ++i) orders.list.push_back({"乙", "Shipped", "USD", 1'000});  // 0.10
  orders.list.push_back({"甲", "Canceled", "", 0});
  orders.list.push_back({"甲", "Odd", "USD", -12'345'678'900});
  orders.total = 9;
  EXPECT_EQ(text_of(orders_message(orders, 2, "2026-01-01", "2026-01-02")),
            "最近 2 天的订单（按站点下单时间，2026-01-01 至 2026-01-02）\n"
            "合计 5 单，USD -1,234,567.59\n已发货 3、已取消 1、Odd 1\n（共 9 单，只统计了前 5 单）\n"
            "· 乙：3 单，USD 0.30（已发货 3）\n· 甲：2 单，USD -1,234,567.89（已取消 1、Odd 1）");
  EXPECT_EQ(text_of(orders_message({}, 1, "2026-01-01", "2026-01-01")),
            "最近 1 天的订单（按站点下单时间，2026-01-01）：一单也没有。");
}

TEST(Texts, a_sum_that_is_not_known_is_not_told) {
  Orders orders;
  for (int i = 0; i < 1000; ++i)
    orders.list.push_back({"甲", "Shipped", "IDR", *parse_amount("999999999999.9999")});
  for (int i = 0; i < 1000; ++i)
    orders.list.push_back({"乙", "Shipped", "USD", *parse_amount("-999999999999")});
  orders.list.push_back({"丙", "Shipped", "EUR", 0, false});
  orders.list.push_back({"丙", "Shipped", "EUR", 15'000});
  const auto text = text_of(orders_message(orders, 1, "2026-01-01", "2026-01-01"));
  EXPECT_NE(text.find("合计 2002 单，EUR 1.50、IDR 金额太大，无法合计、USD 金额太大，无法合计，其中 1 "
                      "单的金额看不懂，没有计入\n"),
            text.npos)
      << text;
  EXPECT_NE(text.find("· 丙：2 单，EUR 1.50，其中 1 单的金额看不懂，没有计入（"), text.npos) << text;
  Orders few;
  for (int i = 0; i < 922; ++i)
    few.list.push_back({"甲", "Shipped", "IDR", *parse_amount("-999999999999.9999")});
  EXPECT_NE(text_of(orders_message(few, 1, "d", "d")).find("IDR -921,999,999,999,999.91"), text.npos);
}

TEST(Texts, a_shop_in_trouble_is_marked) {
  EXPECT_EQ(text_of(sellers_message({{"1", "一", "美国", 1}, {"2", "二", "日本", 0}, {"3", "三", "", 99}})),
            "共 3 家店铺：\n· 一　美国\n· 二　日本（已停止同步）\n· 三　");
}

TEST(Texts, amounts_are_read_exactly_or_not_at_all) {
  const struct {
    std::string_view text;
    std::optional<std::int64_t> amount;
  } cases[] = {{"145.00", 1'450'000},
               {"8.9", 89'000},
               {"-5.83", -58'300},
               {"7", 70'000},
               {"", 0},
               {".5", 5'000},
               {"1.23456789", 12'345},
               {"1,000.00", std::nullopt},
               {"x", std::nullopt},
               {"-", std::nullopt},
               {"1e9", std::nullopt},
               {"1.2.3", std::nullopt},
               {"999999999999.9999", 9'999'999'999'999'999},
               {"-999999999999.99999", -9'999'999'999'999'999},
               {"0000000000001", std::nullopt},
               {"9999999999999", std::nullopt},
               {std::string_view("1\0", 2), std::nullopt}};
  for (const auto& each : cases) EXPECT_EQ(parse_amount(each.text), each.amount) << each.text;
}

TEST(Texts, failures_are_explained_to_people) {
  Failure failure{Failure::Kind::refused, 200, "3001002", "ip not permit", {}};
  EXPECT_NE(text_of(failure_message(failure)).find("白名单"), std::string::npos);
  failure.code = std::string(1000, '7');
  failure.message = std::string(1000, 'm');
  EXPECT_LT(text_of(failure_message(failure)).size(), 500U);
  for (const auto kind : {Failure::Kind::unreachable, Failure::Kind::timed_out, Failure::Kind::unreadable}) {
    failure.kind = kind;
    EXPECT_NE(text_of(failure_message(failure)).find("稍后再试"), std::string::npos);
  }
  failure = {Failure::Kind::unreachable, 502, "lingxing_token", "no access token: 3001002 ip not permit", {}};
  EXPECT_NE(text_of(failure_message(failure)).find("白名单：ERP"), std::string::npos);
  failure.message = "2001099 something else";
  EXPECT_NE(text_of(failure_message(failure)).find("没能取得"), std::string::npos);
  failure.code = "queue_full";
  EXPECT_NE(text_of(failure_message(failure)).find("正忙"), std::string::npos);
  EXPECT_LT(text_of(unknown_message(std::string(5000, 'x'))).size(), 200U);
}

TEST(Texts, toasts_are_what_feishu_reads) {
  EXPECT_EQ(toast("info", "好"), R"({"toast":{"type":"info","content":"好"}})");
}

}  // namespace
}  // namespace rockdove::feishu_bot
