#include "unit/egress/lingxing_scene.hpp"

namespace rockdove::egress {
namespace {

const std::string ok = "200 " + json_answer("0");

TEST_F(LingxingTest, calls_one_path_once_at_a_time_and_in_the_order_of_the_calls) {
  call("/warm");
  api_.held = true;
  std::vector<Said> all;
  for (int i = 0; i < 5; ++i) all.push_back(start("/x?n=" + std::to_string(i)).second);
  const Said other = start("/y").second;
  EXPECT_EQ(api_.running, 2U);
  EXPECT_EQ(lingxing().waiting(), 4U);
  api_.held = false;
  ASSERT_TRUE(until([&] { return all.back()->has_value(); }));
  EXPECT_EQ(api_.most_running, 2U);
  for (const Said& each : all) EXPECT_EQ(**each, ok);
  std::string order;
  for (const http::Request& request : api_.seen)
    if (request.target.starts_with("/x?n=")) order += request.target[5];
  EXPECT_EQ(order, "01234");
}

TEST_F(LingxingTest, calls_a_path_as_often_at_a_time_as_its_bucket_says) {
  options_.gates.buckets = {{"/x", 3}};
  call("/warm");
  api_.held = true;
  std::vector<Said> all;
  for (int i = 0; i < 5; ++i) all.push_back(start("/x").second);
  EXPECT_EQ(api_.running, 3U);
  api_.held = false;
  ASSERT_TRUE(until([&] { return all.back()->has_value(); }));
}

TEST_F(LingxingTest, refuses_a_call_that_had_no_place_in_time) {
  options_.wait_limit = 40ms;
  call("/warm");
  api_.held = true;
  const Said first = start("/x").second;
  EXPECT_EQ(call("/x"), "queue_full");
  EXPECT_FALSE(*first) << "an exchange may take longer than a wait";
  EXPECT_EQ(api_.seen.size(), 2U);
}

TEST_F(LingxingTest, waits_and_tries_again_when_lingxing_is_busy_all_the_same) {
  api_.script = {"3001008", "103", R"("3001008")", "0"};
  EXPECT_EQ(call("/x"), ok);
  EXPECT_EQ(api_.seen.size(), 4U);
  EXPECT_EQ(lingxing().counters().busy, 3U);
  EXPECT_EQ(lingxing().counters().sent, 4U);
}

TEST_F(LingxingTest, signs_each_try_anew) {
  bool is_first = true;
  api_.business = [&] {
    now_ += 3min;  // the sign is too old by now
    return Result<http::Response>(http::make_response(
        200, "application/json", json_answer(std::exchange(is_first, false) ? "103" : "0")));
  };
  EXPECT_EQ(call("/x"), ok);
  EXPECT_NE(api_.seen[0].target.find("timestamp=1720429074"), std::string::npos);
  EXPECT_NE(api_.seen[1].target.find("timestamp=1720429254"), std::string::npos);
}

TEST_F(LingxingTest, tells_the_caller_when_lingxing_stays_busy) {
  options_.wait_limit = 60ms;
  for (int i = 0; i < 100; ++i) api_.script.push_back("3001008");
  EXPECT_EQ(call("/x"), "200 " + json_answer("3001008"));
  EXPECT_GE(api_.seen.size(), 3U);
  EXPECT_LE(api_.seen.size(), 40U);
}

TEST_F(LingxingTest, holds_the_others_of_a_path_back_while_one_finds_lingxing_busy) {
  options_.busy = {30ms, 30ms, 30ms, 60s};
  call("/warm");
  api_.script = {"3001008"};
  const Said first = start("/x?n=0").second;
  const Said second = start("/x?n=1").second;
  EXPECT_EQ(api_.seen.size(), 2U);
  ASSERT_TRUE(until([&] { return second->has_value(); }));
  EXPECT_EQ(**first, ok);
  EXPECT_TRUE(api_.seen[2].target.starts_with("/x?n=0&"));
  EXPECT_TRUE(api_.seen[3].target.starts_with("/x?n=1&"));
}

TEST_F(LingxingTest, renews_a_token_between_two_busy_answers) {
  api_.script = {"3001008", "2001003", "3001008", "0"};
  EXPECT_EQ(call("/x"), ok);
  EXPECT_EQ(api_.fetches, 2U);
  EXPECT_EQ(api_.seen.size(), 4U);
}

}  // namespace
}  // namespace rockdove::egress
