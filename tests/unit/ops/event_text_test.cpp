#include "ops/event_text.hpp"

#include "ops/table.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <cstdlib>
#include <ctime>

namespace rockdove::ops {
namespace {

namespace json = boost::json;

constexpr WallTime now{std::chrono::milliseconds(1'795'406'400'000)};  // 2026-11-23T04:00:00Z

struct EventText : testing::Test {
  EventText() {
    ::setenv("TZ", "XYZ-8", 1);
    ::tzset();
  }
  ~EventText() override {
    ::unsetenv("TZ");
    ::tzset();
  }
};

const json::value sample = json::parse(R"({
  "event":{"id":"evt_06k3yd6g00000","route":"hook","tunnel":"bot","state":"waiting",
    "received_at":"2026-11-23T03:59:00.000Z","due_at":"2026-11-23T04:01:05.000Z",
    "first_attempt_at":"2026-11-23T03:59:00.001Z","attempts":2,"replay":true,"order_key":null,
    "reason":null,"method":"POST","target":"/hook?x=1","bytes":1536},
  "request":{"method":"POST","target":"/hook?x=1","fields":[["Host","h"],["X",{"base64":"/w=="}]],
    "body":{"text":"{\"a\":[1.50,{}],\"b\":\"x\\\"{,\"}","bytes":9,"truncated":true},
    "request_id":"r-1","peer":"192.0.2.1","tls":true,"upstream":null,"host":null},
  "attempts":[
    {"number":1,"started_at":"2026-11-23T03:59:00.001Z","latency_ms":12,"agent":"office","status":503,
     "error":null,"answer":{"type":"text/plain","body":{"text":"go\naway","bytes":7,"truncated":false}}},
    {"number":2,"started_at":"2026-11-23T03:59:30.000Z","latency_ms":3,"agent":null,"status":null,
     "error":"link_lost","answer":null}]})");

TEST_F(EventText, a_list_is_a_table) {
  json::value other = sample.at("event");
  other.as_object()["state"] = "queued";
  other.as_object()["route"] = "\xE5\x8E\x9F";
  EXPECT_EQ(
      events_table({sample.at("event"), other}, now),
      "ID                 RECEIVED             ROUTE  STATUS   ATTEMPTS  NEXT      SIZE     REQUEST\n"
      "evt_06k3yd6g00000  2026-11-23 11:59:00  hook   waiting  2         in 1m5s   1.5 KiB  POST /hook?x=1\n"
      "evt_06k3yd6g00000  2026-11-23 11:59:00  \xE5\x8E\x9F     queued   2         in order  1.5 KiB  "
      "POST /hook?x=1\n");
  EXPECT_NE(events_table({sample.at("event")}, now + std::chrono::hours(1)).find("  now  "),
            std::string::npos);
}

TEST_F(EventText, a_growing_list_keeps_its_columns) {
  const std::string head = tail_head(), line = tail_line(sample.at("event"));
  EXPECT_EQ(head.find("REQUEST"), line.find("POST /hook"));
  EXPECT_EQ(head.find("ROUTE"), line.find("hook"));
}

TEST_F(EventText, one_event_is_shown_whole) {
  EXPECT_EQ(event_text(sample, now),
            "evt_06k3yd6g00000  waiting\n"
            "route       hook\n"
            "tunnel      bot\n"
            "received    2026-11-23 11:59:00  2026-11-23T03:59:00.000Z\n"
            "caller      192.0.2.1 (TLS)\n"
            "request id  r-1\n"
            "attempts    2\n"
            "next        in 1m5s\n"
            "replay      yes\n"
            "\n"
            "POST /hook?x=1\n"
            "Host: h\n"
            "X: (base64) /w==\n"
            "\n"
            "{\n"
            "  \"a\": [\n"
            "    1.50,\n"
            "    {}\n"
            "  ],\n"
            "  \"b\": \"x\\\"{,\"\n"
            "}\n"
            "(cut: it has 9 B; --body prints all)\n"
            "\n"
            "ATTEMPT  STARTED              TOOK   AGENT   RESULT     ANSWER\n"
            "1        2026-11-23 11:59:00  12 ms  office  503        go\\u000aaway\n"
            "2        2026-11-23 11:59:30  3 ms   -       link_lost\n");
}

TEST_F(EventText, what_is_not_there_is_said) {
  json::value detail = sample;
  detail.as_object()["attempts"] = json::array();
  detail.as_object()["request"] = nullptr;
  detail.at("event").as_object()["reason"] = "checksum";
  const std::string text = event_text(detail, now);
  EXPECT_NE(text.find("reason      checksum\n"), std::string::npos);
  EXPECT_NE(text.find("cannot be read back"), std::string::npos);
  EXPECT_NE(text.find("No attempt yet"), std::string::npos);
}

TEST_F(EventText, nothing_of_a_caller_steers_the_terminal) {
  const std::string evil = "\x1b[2J\xC2\x9B\x07\r\x7F\xE2\x80\xAE";
  json::value detail = sample;
  detail.at("event").as_object()["target"] = evil;
  detail.at("event").as_object()["route"] = evil;
  detail.at("event").as_object()["reason"] = evil + "\n";
  auto& request = detail.at("request").as_object();
  request["target"] = evil;
  request["fields"] = json::array{json::array{evil, evil + "\n"}};
  request["body"] = {{"text", evil}, {"bytes", 3}, {"truncated", false}};
  for (json::value& attempt : detail.at("attempts").as_array()) {
    attempt.as_object()["agent"] = evil;
    attempt.as_object()["answer"] = {{"body", {{"text", evil}}}};
  }
  const std::string all = event_text(detail, now) + events_table({detail.at("event")}, now) +
                          tail_line(detail.at("event")) +
                          pretty_body(
                              "{\"a\":\""
                              "\xC2\x9B"
                              "\"}");
  for (const char c : all)
    EXPECT_TRUE(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F)) << int(c);
  EXPECT_EQ(all.find("\xC2\x9B"), all.npos);
  EXPECT_EQ(all.find("\xE2\x80\xAE"), all.npos);
  EXPECT_NE(all.find("\\u001b[2J"), all.npos);
}

TEST_F(EventText, any_json_can_be_shown) {
  for (const char* text : {"null", "[]", "1", "{}", R"({"event":1,"request":[],"attempts":{}})",
                           R"({"event":{"due_at":1,"bytes":"x"},"request":{"fields":[1,[2],["a",3]],"body":1},
                               "attempts":[1,{}]})"}) {
    const json::value value = json::parse(text);
    EXPECT_FALSE(event_text(value, now).empty());
    EXPECT_FALSE(events_table({value}, now).empty());
    EXPECT_FALSE(tail_line(value).empty());
  }
}

TEST_F(EventText, bodies_are_indented_only_if_they_are_json) {
  const struct {
    const char *body, *shown;
  } cases[] = {
      {"", ""},
      {"a=1&b=[2]", "a=1&b=[2]"},
      {"{\"a\":1", "{\"a\":1"},
      {"\"x,y\"", "\"x,y\""},
      {"{}", "{}"},
      {"[ ]", "[]"},
      {"[[],1]", "[\n  [],\n  1\n]"},
      {" { \"a\" : 1E400 ,\n\"a\" : \"\\\\\" } ", "{\n  \"a\": 1E400,\n  \"a\": \"\\\\\"\n}"},
      {"line\n\tnext", "line\n\tnext"},
  };
  for (const auto& each : cases) EXPECT_EQ(pretty_body(each.body), each.shown) << each.body;
}

TEST_F(EventText, counts_are_by_state) {
  json::value dead = sample.at("event");
  dead.as_object()["state"] = "dead";
  EXPECT_EQ(count_text({}), "0 events");
  EXPECT_EQ(count_text({dead}), "1 event (1 dead)");
  EXPECT_EQ(count_text({dead, sample.at("event"), dead}), "3 events (2 dead, 1 waiting)");
}

TEST(table, sizes_and_ages_are_short) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1536), "1.5 KiB");
  EXPECT_EQ(size_text(5e15), "4547.5 TiB");
  EXPECT_EQ(age_text(-3), "0s");
  EXPECT_EQ(age_text(59.9), "59s");
  EXPECT_EQ(age_text(3661), "1h1m");
  EXPECT_EQ(age_text(93784), "1d2h");
}

}  // namespace
}  // namespace rockdove::ops
