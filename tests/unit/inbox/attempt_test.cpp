#include "inbox/attempt.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace rockdove::inbox {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::pair<std::string, std::string>>;

Event some_event() {
  Event event;
  event.id = 1;
  event.route = "feishu";
  event.tunnel = "office";
  event.received_at = WallTime{1'800'000'000'007ms};
  event.attempts = 4;
  return event;
}

RouteOptions quick_route() {
  RouteOptions route;
  route.retry.timeout = 3s;
  return route;
}

Lines lines_of(const http::Fields& fields) {
  Lines lines;
  for (const http::Fields::Field field : fields) lines.emplace_back(field.name, field.value);
  return lines;
}

TEST(AttemptRequest, passes_the_request_on_byte_for_byte_and_adds_what_the_upstream_may_want_to_know) {
  StoredRequest stored;
  stored.method = "pAtCh";
  stored.target = "/a%2f//b?q=\xff&&";
  stored.fields.add("X-Twice", " 1");
  stored.fields.add("content-LENGTH", "4");
  stored.fields.add("X-Twice", "\xe4\xb8\xad");
  stored.fields.add("X-Empty", "");
  stored.has_body = true;
  stored.body = std::string("\0\r\n\xff", 4);
  const http::Request request = attempt_request(some_event(), stored, quick_route());
  EXPECT_EQ(request.method, stored.method);
  EXPECT_EQ(request.target, stored.target);
  EXPECT_TRUE(request.has_body);
  EXPECT_EQ(request.content, stored.body);
  EXPECT_FALSE(request.body);
  const Lines expected{{"X-Twice", " 1"},
                       {"content-LENGTH", "4"},
                       {"X-Twice", "\xe4\xb8\xad"},
                       {"X-Empty", ""},
                       {"Webhook-Id", "evt_0000000000001"},
                       {"Rockdove-Event-Id", "evt_0000000000001"},
                       {"Rockdove-Attempt", "5"},
                       {"Rockdove-Received-At", "2027-01-15T08:00:00.007Z"}};
  EXPECT_EQ(lines_of(request.fields), expected);
}

TEST(AttemptRequest, keeps_a_webhook_id_that_the_provider_has_signed) {
  StoredRequest stored;
  stored.fields.add("webhook-id", "msg_1");
  const http::Request request = attempt_request(some_event(), stored, quick_route());
  EXPECT_EQ(request.fields.count("Webhook-Id"), 1U);
  EXPECT_EQ(request.fields.get("Webhook-Id"), "msg_1");
  EXPECT_EQ(request.fields.get("Rockdove-Event-Id"), "evt_0000000000001");
}

TEST(AttemptRequest, drops_what_a_caller_has_forged) {
  StoredRequest stored;
  for (const char* name : {"Rockdove-Attempt", "X-A", "rockdove-replay", "ROCKDOVE-X", "Rockdove-", "X-B",
                           "rockdove-attempt", "Rockdove", "X-Rockdove-Y"})
    stored.fields.add(name, "forged");
  const http::Request request = attempt_request(some_event(), stored, quick_route());
  std::string names;
  for (const http::Fields::Field field : request.fields) names.append(field.name).append(" ");
  EXPECT_EQ(
      names,
      "X-A X-B Rockdove X-Rockdove-Y Webhook-Id Rockdove-Event-Id Rockdove-Attempt Rockdove-Received-At ");
  EXPECT_EQ(request.fields.get("Rockdove-Attempt"), "5");
}

TEST(AttemptRequest, says_that_it_is_a_replay) {
  Event event = some_event();
  event.replay = true;
  EXPECT_EQ(attempt_request(event, {}, quick_route()).fields.get("Rockdove-Replay"), "true");
}

TEST(AttemptRequest, brings_its_context_along) {
  StoredRequest stored;
  stored.request_id = "id-1";
  stored.peer = "2001:db8::1";
  stored.tls = true;
  stored.upstream = "bot";
  stored.host = "bot.local";
  const http::Context context = attempt_request(some_event(), stored, quick_route()).context;
  EXPECT_EQ(context.request_id, "id-1");
  EXPECT_EQ(context.route, "feishu");
  EXPECT_EQ(context.tunnel, "office");
  EXPECT_EQ(context.upstream, "bot");
  EXPECT_EQ(context.host, "bot.local");
  EXPECT_EQ(context.peer.to_string(), "2001:db8::1");
  EXPECT_TRUE(context.tls);
  EXPECT_EQ(context.first_byte_timeout, 3s);
  stored.peer = "not an address";
  EXPECT_TRUE(attempt_request(some_event(), stored, quick_route()).context.peer.is_unspecified());
}

TEST(AttemptRequest, writes_times_in_utc_with_milliseconds) {
  const std::pair<WallTime, std::string> cases[] = {
      {WallTime{}, "1970-01-01T00:00:00.000Z"},
      {WallTime{951'827'696'789ms}, "2000-02-29T12:34:56.789Z"},
      {WallTime{1'767'225'599'999ms}, "2025-12-31T23:59:59.999Z"},
  };
  for (const auto& [time, text] : cases) {
    Event event = some_event();
    event.received_at = time;
    EXPECT_EQ(attempt_request(event, {}, quick_route()).fields.get("Rockdove-Received-At"), text);
  }
}

}  // namespace
}  // namespace rockdove::inbox
