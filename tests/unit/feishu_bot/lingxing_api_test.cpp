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
