#include "egress/lingxing_answer.hpp"

#include <gtest/gtest.h>

namespace rockdove::egress {
namespace {

TEST(LingxingAnswer, of_a_token_endpoint_has_a_grant) {
  const auto answer = parse_lingxing_answer(
      R"({"code":"200","msg":"OK","data":{"access_token":"a","refresh_token":"r","expires_in":7199}})");
  ASSERT_TRUE(answer && answer->grant);
  EXPECT_EQ(answer->code, "200");
  EXPECT_EQ(answer->grant->access_token, "a");
  EXPECT_EQ(answer->grant->refresh_token, "r");
  EXPECT_EQ(answer->grant->lifetime.count(), 7199);
}

TEST(LingxingAnswer, of_a_business_endpoint_has_a_number_for_its_code) {
  const auto answer = parse_lingxing_answer(R"({"code":3001008,"message":"请求过于频繁","data":null})");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, "3001008");
  EXPECT_EQ(answer->message, "请求过于频繁");
  EXPECT_FALSE(answer->grant);
}

TEST(LingxingAnswer, has_no_grant_without_a_token_and_its_time) {
  const auto grant = [](std::string_view data) {
    const auto answer = parse_lingxing_answer(R"({"code":"200","data":)" + std::string(data) + "}");
    return answer && answer->grant ? std::to_string(answer->grant->lifetime.count()) : "none";
  };
  EXPECT_EQ(grant("{}"), "none");
  EXPECT_EQ(grant("[]"), "none");
  EXPECT_EQ(grant(R"({"access_token":"a"})"), "none");
  EXPECT_EQ(grant(R"({"access_token":"","expires_in":10})"), "none");
  EXPECT_EQ(grant(R"({"access_token":5,"expires_in":10})"), "none");
  EXPECT_EQ(grant(R"({"access_token":"a","expires_in":0})"), "none");
  EXPECT_EQ(grant(R"({"access_token":"a","expires_in":-5})"), "none");
  EXPECT_EQ(grant(R"({"access_token":"a","expires_in":"x"})"), "none");
  EXPECT_EQ(grant(R"({"access_token":"a","expires_in":"7199"})"), "7199");
  EXPECT_EQ(grant(R"({"access_token":"a","expires_in":99999999999})"), "86400");
  EXPECT_EQ(grant(R"({"access_token":")" + std::string(5000, 'a') + R"(","expires_in":10})"), "none");
}

TEST(LingxingAnswer, is_nothing_where_there_is_no_code) {
  for (const std::string_view text :
       {"", "<html>405</html>", "[]", "{}", R"({"code":null})", R"({"code":1.5})", R"({"code":["1"]})",
        R"({"code":0)", R"({"code":"123456789012345678901234567890123"})"})
    EXPECT_FALSE(parse_lingxing_answer(text)) << text;
}

TEST(LingxingAnswer, cuts_a_long_message_between_characters) {
  std::string message;
  for (int i = 0; i < 500; ++i) message += "星";
  const auto answer = parse_lingxing_answer(R"({"code":1,"msg":")" + message + "\"}");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->message.size(), lingxing_message_max);
  EXPECT_EQ(answer->message, message.substr(0, lingxing_message_max));
}

TEST(LingxingAnswer, is_no_reason_to_try_again_but_for_four_codes) {
  for (const char* code : {"2001003", "2001005"}) EXPECT_EQ(judge_lingxing(code), LingxingVerdict::stale);
  for (const char* code : {"3001008", "103"}) EXPECT_EQ(judge_lingxing(code), LingxingVerdict::busy);
  for (const char* code : {"", "0", "200", "102", "400", "500", "2001001", "2001004", "2001006", "2001007",
                           "2001008", "3001001", "3001002", "30010080"})
    EXPECT_EQ(judge_lingxing(code), LingxingVerdict::final) << code;
}

}  // namespace
}  // namespace rockdove::egress
