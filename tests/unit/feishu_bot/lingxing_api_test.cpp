#include "feishu-bot/lingxing_api.hpp"

#include "unit/feishu_bot/apis.hpp"

#include <gtest/gtest.h>

namespace rockdove::feishu_bot {
namespace {

struct LingxingApiTest : testing::Test {
  net::IoContext io;
  FakeApi lingxing{[](const FakeApi::Seen&) { return json_answer("{}"); }};
  LingxingApi api{lingxing.json, {2, 5}};

  Outcome<Orders> orders() { return test::run(io, api.orders("2026-01-01", "2026-01-02")); }
};

TEST_F(LingxingApiTest, pages_are_fetched_until_the_total_or_the_limit) {
  int total = 3;
  lingxing.answer = [&](const FakeApi::Seen& request) {
    const auto offset = std::stoi(text_at(*parse_json(request.content), {"offset"}));
    std::string data;
    for (int i = offset; i < std::min(offset + 2, total); ++i)
      data += std::string(data.empty() ? "" : ",") + R"({"seller_name":"s","order_total_amount":"1.5"})";
    return json_answer(R"({"code":0,"data":[)" + data + R"(],"total":)" + std::to_string(total) + "}");
  };
  auto found = orders();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->list.size(), 3U);
  EXPECT_EQ(found->list[0].amount, 15'000);
  EXPECT_EQ(lingxing.requests.size(), 2U);
  total = 100;
  found = orders();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->list.size(), 6U);
  EXPECT_EQ(found->total, 100U);
}

TEST_F(LingxingApiTest, a_total_that_is_never_reached_does_not_go_on_for_ever) {
  lingxing.answer = [](const FakeApi::Seen&) { return json_answer(R"({"code":0,"data":[],"total":7})"); };
  const auto found = orders();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->total, 7U);
  EXPECT_EQ(lingxing.requests.size(), 1U);
}

TEST_F(LingxingApiTest, members_of_any_shape_do_no_harm) {
  for (const char* data : {"7", "{}", "null", "[1,[],{}]", R"([{"order_total_amount":8.25,"seller_name":7}])",
                           R"([{"order_total_amount":{},"order_status":[]}])"}) {
    lingxing.answer = [data](const FakeApi::Seen&) {
      return json_answer(R"({"code":0,"data":)" + std::string(data) + R"(,"total":-1})");
    };
    EXPECT_TRUE(orders()) << data;
    EXPECT_TRUE(test::run(io, api.sellers())) << data;
  }
}

TEST_F(LingxingApiTest, hostile_numbers_are_bounded_or_said_to_be_unreadable) {
  const struct {
    const char* amount;
    std::optional<std::int64_t> expected;
  } cases[] = {{"1e300", std::nullopt},
               {"-1e300", std::nullopt},
               {"1e-300", 0},
               {"123456789012.25", 1'234'567'890'122'500},
               {"9223372036854775807", std::nullopt},
               {"18446744073709551615", std::nullopt},
               {"-9223372036854775808", std::nullopt},
               {"\"-0.00001\"", 0},
               {"null", 0},
               {"[]", std::nullopt},
               {"7", 70'000}};
  for (const auto& each : cases) {
    lingxing.answer = [&](const FakeApi::Seen&) {
      return json_answer(R"({"code":0,"data":[{"order_total_amount":)" + std::string(each.amount) +
                         R"(}],"total":1})");
    };
    const auto found = orders();
    ASSERT_TRUE(found && found->list.size() == 1) << each.amount;
    EXPECT_EQ(found->list[0].has_amount, each.expected.has_value()) << each.amount;
    EXPECT_EQ(found->list[0].amount, each.expected.value_or(0)) << each.amount;
  }
}

TEST_F(LingxingApiTest, totals_may_be_text_or_huge_and_pages_longer_than_asked) {
  std::string total;
  lingxing.answer = [&](const FakeApi::Seen&) {
    return json_answer(R"({"code":0,"data":[{},{},{},{},{},{}],"total":)" + total + "}");
  };
  for (const char* each : {"9223372036854775807", "18446744073709551615", "\"99999999999999999999\""}) {
    total = each;
    const auto found = orders();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->list.size(), 6U) << "two a page";
    EXPECT_EQ(found->total, 9'223'372'036'854'775'807U) << each;
  }
  total = "\"4\"";
  EXPECT_EQ(orders()->list.size(), 4U);
  total = "-1";
  EXPECT_EQ(orders()->list.size(), 2U);
}

TEST_F(LingxingApiTest, refusals_keep_lingxings_code) {
  lingxing.answer = [](const FakeApi::Seen&) {
    return json_answer(R"({"code":3001002,"message":"ip not permit"})");
  };
  const auto refused = test::run(io, api.sellers());
  ASSERT_FALSE(refused);
  EXPECT_EQ(to_string(refused.error()), "refused, HTTP 200, code 3001002: ip not permit");
  lingxing.answer = [](const FakeApi::Seen&) {
    return json_answer(R"({"error":{"hop":"edge","cause":"egress_denied","message":"no"}})", 403);
  };
  const auto denied = orders();
  ASSERT_FALSE(denied);
  EXPECT_EQ(to_string(denied.error()), "unreachable, HTTP 403, code egress_denied: no");
}

}  // namespace
}  // namespace rockdove::feishu_bot
