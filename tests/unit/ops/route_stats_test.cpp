#include "ops/route_stats.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace rockdove::ops {
namespace {

http::Record record_of(int status, std::chrono::microseconds time = std::chrono::milliseconds(2)) {
  http::Record record;
  record.status = status;
  record.started = net::Clock::now();
  record.ended = record.started + time;
  return record;
}

RouteStats stats_of(std::initializer_list<int> statuses) {
  RouteStats stats;
  for (const int status : statuses) stats.add(record_of(status));
  return stats;
}

TEST(route_stats, counts_answers_by_their_class) {
  const RouteStats stats = stats_of({101, 200, 204, 304, 404, 429, 499, 500, 503, 0, 999});
  EXPECT_EQ(stats.requests, 11U);
  EXPECT_EQ(stats.by_class, (std::array<std::uint64_t, 6>{2, 1, 2, 1, 3, 2}));
  const auto json = to_json("hooks", "feishu-bot", stats, net::Clock::now());
  const auto& responses = json.at("responses");
  EXPECT_EQ(responses.at("2xx").to_number<int>(), 3) << "a protocol switch is a success";
  EXPECT_EQ(responses.at("3xx").to_number<int>(), 1);
  EXPECT_EQ(responses.at("4xx").to_number<int>(), 3);
  EXPECT_EQ(responses.at("5xx").to_number<int>(), 2);
  EXPECT_EQ(json.at("gone").to_number<int>(), 2);
}

TEST(route_stats, calls_everything_answered_but_5xx_a_success) {
  const struct {
    RouteStats stats;
    double rate;
  } cases[] = {
      {stats_of({}), 1.0},
      {stats_of({0, 0}), 1.0},  // callers that went away say nothing about the route
      {stats_of({200, 404, 302}), 1.0},
      {stats_of({200, 500}), 0.5},
      {stats_of({200, 500, 0}), 0.5},
      {stats_of({502, 503}), 0.0},
  };
  for (const auto& each : cases)
    EXPECT_DOUBLE_EQ(to_json("r", "t", each.stats, net::Clock::now()).at("success_rate").as_double(),
                     each.rate);
}

TEST(route_stats, adds_bytes_latencies_and_errors_up) {
  RouteStats stats;
  http::Record first = record_of(200, std::chrono::milliseconds(4));
  first.bytes_in = 10;
  first.bytes_out = 1000;
  stats.add(first);
  http::Record second = record_of(502, std::chrono::milliseconds(80));
  second.bytes_in = 5;
  second.error = Error::upstream_refused;
  stats.add(second);
  stats.add(second);
  const auto json = to_json("r", "t", stats, net::Clock::now());
  EXPECT_EQ(json.at("bytes_in").to_number<int>(), 20);
  EXPECT_EQ(json.at("bytes_out").to_number<int>(), 1000);
  EXPECT_EQ(json.at("errors").as_object().size(), 1U);
  EXPECT_EQ(json.at("errors").at("upstream_refused").to_number<int>(), 2);
  EXPECT_DOUBLE_EQ(json.at("latency_ms").at("max").as_double(), 80.0);
  EXPECT_NEAR(json.at("latency_ms").at("p50").as_double(), 80.0, 10.0);
}

TEST(route_stats, is_shown_under_the_documented_keys) {
  const auto json = to_json("hooks", "feishu-bot", stats_of({200}), net::Clock::now());
  std::set<std::string> keys;
  for (const auto& member : json) keys.insert(member.key());
  EXPECT_EQ(keys, (std::set<std::string>{"name", "tunnel", "requests", "responses", "gone", "success_rate",
                                         "latency_ms", "bytes_in", "bytes_out", "errors", "windows"}));
  EXPECT_EQ(json.at("name").as_string(), "hooks");
  EXPECT_EQ(json.at("tunnel").as_string(), "feishu-bot");
  EXPECT_EQ(json.at("requests").to_number<int>(), 1);
  for (const char* key : {"p50", "p90", "p99", "max"})
    EXPECT_DOUBLE_EQ(json.at("latency_ms").at(key).as_double(), 2.0) << key;
}

TEST(route_stats, tells_the_last_minute_from_the_last_quarter_of_an_hour_and_from_the_start) {
  RouteStats stats;
  const net::Clock::time_point start{std::chrono::hours(100)};
  const auto add = [&](std::chrono::seconds at, int status, std::chrono::milliseconds time) {
    http::Record record;
    record.status = status;
    record.ended = start + at;
    record.started = record.ended - time;
    stats.add(record);
  };
  add(std::chrono::seconds(0), 500, std::chrono::milliseconds(800));
  add(std::chrono::minutes(20), 500, std::chrono::milliseconds(400));
  add(std::chrono::minutes(20), 200, std::chrono::milliseconds(400));
  add(std::chrono::minutes(30), 200, std::chrono::milliseconds(8));
  const auto json = to_json("r", "t", stats, start + std::chrono::minutes(30));
  const auto& minute = json.at("windows").at("1m");
  const auto& quarter = json.at("windows").at("15m");
  EXPECT_EQ(json.at("requests").to_number<int>(), 4);
  EXPECT_EQ(minute.at("requests").to_number<int>(), 1);
  EXPECT_EQ(quarter.at("requests").to_number<int>(), 3);
  EXPECT_DOUBLE_EQ(minute.at("success_rate").as_double(), 1.0);
  EXPECT_DOUBLE_EQ(quarter.at("success_rate").as_double(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(json.at("success_rate").as_double(), 0.5);
  EXPECT_DOUBLE_EQ(minute.at("latency_ms").at("p99").as_double(), 8.0);
  EXPECT_DOUBLE_EQ(quarter.at("latency_ms").at("p99").as_double(), 400.0);
}

TEST(route_stats, measures_the_first_byte_of_those_that_have_an_answer) {
  RouteStats stats;
  http::Record record = record_of(200, std::chrono::milliseconds(90));
  record.answered = record.started + std::chrono::milliseconds(30);
  stats.add(record);
  record.status = 0;
  stats.add(record);
  EXPECT_EQ(stats.first_byte.total(), 1U);
  EXPECT_EQ(stats.first_byte.max(), 30'000U);
  EXPECT_EQ(stats.latency.total(), 2U);
}

}  // namespace
}  // namespace rockdove::ops
