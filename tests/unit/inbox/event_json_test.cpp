#include "inbox/event_json.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace rockdove::inbox {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

/// The JSON must be one that a strict parser takes, and mean `expected`.
template <class... T>
void expect_json(const char* expected, const T&... from) {
  const json::value made = json::parse(json::serialize(to_json(from...)));
  EXPECT_EQ(made, json::parse(expected)) << json::serialize(made);
}

TEST(event_json, an_event_shows_what_it_has_and_null_for_the_rest) {
  Event event;
  event.id = 33;
  event.route = "r";
  event.tunnel = "t";
  event.received_at = event.due_at = WallTime(milliseconds(1));
  event.method = "POST";
  event.target = "/\xFF";
  event.bytes = 9;
  expect_json(R"({"id":"evt_0000000000011","route":"r","tunnel":"t","state":"waiting",
    "received_at":"1970-01-01T00:00:00.001Z","due_at":"1970-01-01T00:00:00.001Z","first_attempt_at":null,
    "attempts":0,"replay":false,"order_key":null,"reason":null,"method":"POST","target":"/\ufffd",
    "bytes":9})",
              event);
  event.state = State::dead;
  event.first_attempt_at = WallTime(milliseconds(2));
  event.attempts = 3;
  event.replay = event.ordered = true;
  event.reason = "said 422";
  event.target = "/";
  expect_json(R"({"id":"evt_0000000000011","route":"r","tunnel":"t","state":"dead",
    "received_at":"1970-01-01T00:00:00.001Z","due_at":null,"first_attempt_at":"1970-01-01T00:00:00.002Z",
    "attempts":3,"replay":true,"order_key":"","reason":"said 422","method":"POST","target":"/","bytes":9})",
              event);
}

TEST(event_json, a_request_is_exact) {
  StoredRequest request;
  request.method = "POST";
  request.target = "/\xFF";
  request.fields.add("A", "1");
  request.fields.add("a", "\xE4");
  request.fields.add("A", "\xE4\xBD\xA0");
  request.request_id = "id";
  request.peer = "192.0.2.1";
  request.tls = true;
  expect_json(R"({"method":"POST","target":{"base64":"L/8="},
    "fields":[["A","1"],["a",{"base64":"5A=="}],["A","\u4f60"]],
    "body":null,"request_id":"id","peer":"192.0.2.1","tls":true,"upstream":null,"host":null})",
              request, std::size_t{100});
  request.has_body = true;
  EXPECT_EQ(to_json(request, 100).at("body"), json::parse(R"({"text":"","bytes":0,"truncated":false})"));
}

TEST(event_json, a_body_is_cut_between_characters) {
  const struct {
    std::string_view bytes;
    std::size_t limit;
    const char* expected;
  } cases[] = {
      {"abc", 3, R"({"text":"abc","bytes":3,"truncated":false})"},
      {"abc", 2, R"({"text":"ab","bytes":3,"truncated":true})"},
      {"abc", 0, R"({"text":"","bytes":3,"truncated":true})"},
      {"a\xE4\xBD\xA0", 3, R"({"text":"a","bytes":4,"truncated":true})"},
      {"a\xE4\xBD\xA0", 4, R"({"text":"a\u4f60","bytes":4,"truncated":false})"},
      {"abc\xFF", 3, R"({"text":"abc","bytes":4,"truncated":true})"},
      {"abc\xFF", 4, R"({"base64":"YWJj/w==","bytes":4,"truncated":false})"},
      {"ab\xFF..", 3, R"({"base64":"YWL/","bytes":5,"truncated":true})"},
      {"\x80\x80\x80\x80\x80", 4, R"({"base64":"gICAgA==","bytes":5,"truncated":true})"},
      {"\xFF", 9, R"({"base64":"/w==","bytes":1,"truncated":false})"},
  };
  for (const auto& each : cases)
    EXPECT_EQ(bytes_to_json(each.bytes, each.limit), json::parse(each.expected)) << each.expected;
}

TEST(event_json, an_attempt_without_an_answer_says_why) {
  Attempt attempt;
  attempt.number = 2;
  attempt.started_at = WallTime(milliseconds(5));
  attempt.took = milliseconds(12);
  attempt.error = "upstream_refused";
  expect_json(R"({"number":2,"started_at":"1970-01-01T00:00:00.005Z","latency_ms":12,"agent":null,
    "status":null,"error":"upstream_refused","answer":null})",
              attempt);
  attempt.agent = "office";
  attempt.status = 503;
  attempt.error.clear();
  attempt.type = "text/plain";
  attempt.body = "no";
  expect_json(R"({"number":2,"started_at":"1970-01-01T00:00:00.005Z","latency_ms":12,"agent":"office",
    "status":503,"error":null,
    "answer":{"type":"text/plain","body":{"text":"no","bytes":2,"truncated":false}}})",
              attempt);
}

}  // namespace
}  // namespace rockdove::inbox
