#include "inbox/events_api.hpp"

#include "support/bodies.hpp"
#include "support/memory_store.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace rockdove::inbox {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr WallTime start{milliseconds(1'795'406'400'000)};  // 2026-11-23T04:00:00Z

struct EventsApiTest : testing::Test {
  net::IoContext io;
  test::MemoryStore store{io.get_executor()};
  test::FunctionHandler agents{[](http::Request) -> net::Awaitable<test::Answer> {
    co_return http::make_response(200, "text/plain", "taken");
  }};
  WallTime now = start;
  Deliverer deliverer{io.get_executor(), store, agents, [this] { return now; }, {}};
  EventsApi api{store, deliverer, [this] { return now; },
                [](std::string_view name) { return name == "r" || name == "a b"; }};

  struct Said {
    int status = 0;
    std::string text;
    http::Fields fields;
    json::value body;
    /// "404 not_found: …" of an error.
    std::string error() const {
      const json::object* root = body.if_object();
      const json::value* error = root ? root->if_contains("error") : nullptr;
      if (!error) return std::to_string(status);
      EXPECT_EQ(error->at("hop").as_string(), "edge");
      EXPECT_EQ(error->at("request_id").as_string(), "req-1");
      return std::to_string(status) + " " + std::string(error->at("cause").as_string()) + ": " +
             std::string(error->at("message").as_string());
    }
  };

  Said ask(std::string method, std::string target, std::string content = {}) {
    auto request = test::request_of(std::move(method), std::move(target), std::move(content));
    request.context.request_id = "req-1";
    auto response = test::run(io, api.handle(std::move(request)));
    if (!response) return {0, std::string(error_name(response.error())), {}, {}};
    Said said{response->status, response->content, response->fields, {}};
    if (response->fields.get("content-type") == "application/json") said.body = json::parse(said.text);
    return said;
  }

  EventId add(std::string route = "r", std::string body = "{}", std::string target = "/hook") {
    NewEvent event;
    event.route = std::move(route);
    event.tunnel = "bot";
    event.request.method = "POST";
    event.request.target = std::move(target);
    event.request.fields.add("Content-Type", "application/json");
    event.request.has_body = true;
    event.request.body = std::move(body);
    event.received_at = now;
    now += milliseconds(1000);
    return test::run(io, store.append(std::move(event)))->id;
  }
  void end(EventId id, Settlement::Verdict verdict) {
    ClaimRequest all{store.event(id).route, now + std::chrono::hours(1), std::chrono::hours(24), 1000,
                     1 << 30};
    const auto claimed = test::run(io, store.claim(all));
    for (const DueEvent& due : claimed->events) {
      Settlement settlement;
      settlement.id = due.event.id;
      settlement.now = now;
      if (due.event.id == id) {
        Attempt attempt;
        attempt.started_at = now;
        attempt.took = milliseconds(7);
        attempt.status = 422;
        attempt.body = "no \xFF";
        settlement.verdict = verdict;
        settlement.reason = "said 422";
        settlement.attempt = attempt;
      }
      test::run(io, store.settle(settlement));
    }
  }
  std::vector<std::string> ids(const Said& said) {
    std::vector<std::string> found;
    for (const json::value& event : said.body.at("events").as_array())
      found.emplace_back(event.at("id").as_string());
    return found;
  }
};

TEST_F(EventsApiTest, lists_events_page_by_page_in_both_orders) {
  std::vector<std::string> all;
  for (int i = 0; i < 3; ++i) all.push_back(format_event_id(add()));
  const Said first = ask("GET", "/api/v1/events?limit=2");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.fields.get("cache-control"), "no-store");
  EXPECT_EQ(ids(first), (std::vector{all[2], all[1]}));
  const std::string next(first.body.at("next").as_string());
  const Said second = ask("GET", "/api/v1/events?limit=2&cursor=" + next);
  EXPECT_EQ(ids(second), std::vector{all[0]});
  EXPECT_TRUE(second.body.at("next").is_null());
  EXPECT_EQ(ids(ask("GET", "/api/v1/events?order=oldest")), all);
  EXPECT_EQ(ids(ask("HEAD", "/api/v1/events")).size(), 3U);
}

TEST_F(EventsApiTest, filters_as_the_query_says) {
  const auto a = add("r", "{\"x\":1}"), b = add("r2", "find me"), c = add("r");
  end(c, Settlement::Verdict::dead);
  const std::string base = "/api/v1/events?order=oldest&";
  const auto names = [](std::initializer_list<EventId> events) {
    std::vector<std::string> found;
    for (const EventId id : events) found.push_back(format_event_id(id));
    return found;
  };
  EXPECT_EQ(ids(ask("GET", base + "route=r")), names({a, c}));
  EXPECT_EQ(ids(ask("GET", base + "status=dead")), names({c}));
  EXPECT_EQ(ids(ask("GET", base + "status=waiting,dead&tunnel=bot")), names({a, b, c}));
  EXPECT_EQ(ids(ask("GET", base + "tunnel=other")), names({}));
  EXPECT_EQ(ids(ask("GET", base + "text=find+me")), names({b}));
  EXPECT_EQ(ids(ask("GET", base + "since=2026-11-23T12:00:01%2B08:00")), names({b, c}));
  EXPECT_EQ(ids(ask("GET", base + "until=2026-11-23T04:00:01Z")), names({a}));
  EXPECT_EQ(ids(ask("GET", base + "since=" + format_event_id(b) + "&until=" + format_event_id(c))),
            names({b}));
}

TEST_F(EventsApiTest, shows_an_event_with_its_request_and_attempts) {
  const auto id = add("r", "abc\xE4\xBD\xA0", "/hook?q=1");
  end(id, Settlement::Verdict::dead);
  const std::string target = "/api/v1/events/" + format_event_id(id);
  const Said said = ask("GET", target);
  EXPECT_EQ(said.status, 200);
  EXPECT_EQ(said.body.at("event").at("state").as_string(), "dead");
  EXPECT_EQ(said.body.at("event").at("reason").as_string(), "said 422");
  EXPECT_EQ(said.body.at("request").at("target").as_string(), "/hook?q=1");
  EXPECT_EQ(json::serialize(said.body.at("request").at("fields")),
            R"([["Content-Type","application/json"]])");
  EXPECT_EQ(said.body.at("request").at("body").at("text").as_string(), "abc\xE4\xBD\xA0");
  const auto& attempts = said.body.at("attempts").as_array();
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts[0].at("number").as_int64(), 1);
  EXPECT_EQ(attempts[0].at("latency_ms").as_int64(), 7);
  EXPECT_EQ(attempts[0].at("answer").at("body").at("base64").as_string(), "bm8g/w==");
  const Said cut = ask("GET", target + "?body_limit=4");
  EXPECT_EQ(cut.body.at("request").at("body"), json::parse(R"({"text":"abc","bytes":6,"truncated":true})"));
  const Said whole = ask("GET", target + "/body");
  EXPECT_EQ(whole.text, "abc\xE4\xBD\xA0");
  EXPECT_EQ(whole.fields.get("content-type"), "application/octet-stream");
}

TEST_F(EventsApiTest, replays_what_the_ids_name) {
  const auto dead = add(), gone = add();
  end(dead, Settlement::Verdict::dead);
  ASSERT_TRUE(test::run(io, store.purge({"", "", {}, gone, gone + 1, ""})));
  json::array list{format_event_id(dead), format_event_id(gone)};
  const Said said = ask("POST", "/api/v1/events/replay", json::serialize(json::object{{"ids", list}}));
  EXPECT_EQ(said.text, "{\"replayed\":1}\n");
  EXPECT_EQ(store.event(dead).state, State::waiting);
  EXPECT_TRUE(store.event(dead).replay);
  EXPECT_EQ(store.event(dead).due_at, now);
  EXPECT_EQ(ask("POST", "/api/v1/events/replay", R"({"ids":[]})").text, "{\"replayed\":0}\n");
}

TEST_F(EventsApiTest, a_replayed_event_is_delivered_at_once) {
  const auto id = add();
  end(id, Settlement::Verdict::dead);
  net::TaskGroup tasks(io.get_executor(), net::abort_on_error);
  tasks.spawn(deliverer.run());
  test::run_for(io, milliseconds(5));
  EXPECT_EQ(agents.calls, 0U);
  ask("POST", "/api/v1/events/replay", R"({"ids":[")" + format_event_id(id) + "\"]}");
  EXPECT_TRUE(test::run_until(io, [&] { return store.event(id).state == State::done; }));
  EXPECT_EQ(agents.calls, 1U);
  test::on_loop(io, [&] { deliverer.stop(); });
  test::run(io, tasks.join());
}

TEST_F(EventsApiTest, purges_by_filter_until_nothing_is_left) {
  const auto dead = add(), waiting = add();
  end(dead, Settlement::Verdict::dead);
  EXPECT_EQ(ask("POST", "/api/v1/events/purge", R"({"status":"dead,done","route":"r"})").text,
            "{\"purged\":1,\"more\":true}\n");
  EXPECT_EQ(ask("POST", "/api/v1/events/purge", R"({"status":"dead,done","route":"r"})").text,
            "{\"purged\":0,\"more\":false}\n");
  EXPECT_EQ(store.size(), 1U);
  EXPECT_EQ(store.event(waiting).state, State::waiting);
  EXPECT_EQ(ask("POST", "/api/v1/events/purge", R"({"all":true})").text, "{\"purged\":1,\"more\":true}\n");
  EXPECT_EQ(store.size(), 0U);
}

TEST_F(EventsApiTest, nothing_is_purged_by_mistake) {
  add();
  const struct {
    const char *body, *named;
  } cases[] = {
      {"", "every event"},
      {"{}", "every event"},
      {R"({"all":false})", "every event"},
      {R"({"since":"1900-01-01T00:00:00Z"})", "every event"},
      {R"({"all":true,"route":"r"})", "no other restriction"},
      {R"({"all":"true"})", "true or false"},
      {R"({"all":1})", "true or false"},
      {R"({"route":""})", "no value"},
      {R"({"route":null})", "has to be a string"},
      {R"({"status":["dead"]})", "has to be a string"},
      {R"({"rout":"r"})", "\"rout\" is unknown: there are tunnel, route"},
      {R"({"limit":"1"})", "\"limit\" is unknown"},
      {R"({"route":"r"} x)", "JSON object"},
      {"[]", "JSON object"},
      {"route=r", "JSON object"},
  };
  for (const auto& each : cases) {
    const std::string error = ask("POST", "/api/v1/events/purge", each.body).error();
    EXPECT_TRUE(error.starts_with("400 malformed: ")) << each.body << ": " << error;
    EXPECT_NE(error.find(each.named), std::string::npos) << each.body << ": " << error;
  }
  EXPECT_EQ(ask("POST", "/api/v1/events/purge", R"({"until":"1900-01-01T00:00:00Z"})").text,
            "{\"purged\":0,\"more\":false}\n");
  EXPECT_EQ(ask("POST", "/api/v1/events/purge?route=r", R"({"all":true})").status, 400);
  EXPECT_EQ(store.size(), 1U);
}

TEST_F(EventsApiTest, pauses_and_resumes_a_route) {
  const auto paused = [&] { return *test::run(io, store.paused()); };
  const Said said = ask("POST", "/api/v1/routes/a%20b/pause", R"({"reason":"moving house"})");
  EXPECT_EQ(said.text, "{\"route\":\"a b\",\"paused\":true,\"reason\":\"moving house\"}\n");
  ASSERT_EQ(paused().size(), 1U);
  EXPECT_EQ(paused()[0], (std::pair<std::string, std::string>("a b", "moving house")));
  EXPECT_EQ(ask("POST", "/api/v1/routes/r/pause").status, 200);
  EXPECT_EQ(paused().size(), 2U);
  EXPECT_EQ(ask("POST", "/api/v1/routes/a%20b/resume").text, "{\"route\":\"a b\",\"paused\":false}\n");
  ASSERT_EQ(paused().size(), 1U);
  EXPECT_EQ(paused()[0].first, "r");
}

TEST_F(EventsApiTest, only_routes_that_exist_are_paused) {
  EXPECT_EQ(ask("POST", "/api/v1/routes/typo/pause").error(), "404 not_found: there is no route \"typo\"");
  EXPECT_TRUE(ask("POST", "/api/v1/routes/typo/resume").error().starts_with("404 not_found"));
  add("former");
  EXPECT_EQ(ask("POST", "/api/v1/routes/former/pause").status, 200);
  ASSERT_TRUE(test::run(io, store.set_paused("ancient", "why")));
  EXPECT_EQ(ask("POST", "/api/v1/routes/ancient/resume").status, 200);
  for (const char* body : {R"({"reason":""})", R"({"reason":1})", R"({"why":"x"})", "x"})
    EXPECT_EQ(ask("POST", "/api/v1/routes/r/pause", body).status, 400) << body;
  EXPECT_EQ(ask("POST", "/api/v1/routes/r/pause", R"({"reason":")" + std::string(501, 'a') + "\"}").status,
            400);
  EXPECT_EQ(ask("POST", "/api/v1/routes/r/resume", R"({"reason":"x"})").status, 400);
}

TEST_F(EventsApiTest, other_paths_and_methods_are_told_so) {
  const std::string id = format_event_id(add());
  for (const std::string target :
       {"/", "/api", "/api/v1", "/api/v1/", "/api/v2/events", "/api/v1/events/", "/api/v1/Events",
        "/api/v1/events/a/b", "/api/v1/routes", "/api/v1/routes/r", "/api/v1/routes//pause",
        "/api/v1/routes/r/stop", "/api/v1/routes/a/b/pause", "*"}) {
    const std::string error = ask("GET", target).error();
    EXPECT_TRUE(error.starts_with("404 not_found")) << target << ": " << error;
  }
  const struct {
    std::string method, target, allow;
  } cases[] = {
      {"POST", "/api/v1/events", "GET, HEAD"},
      {"DELETE", "/api/v1/events/" + id, "GET, HEAD"},
      {"GET", "/api/v1/events/replay", "POST"},
      {"HEAD", "/api/v1/events/purge", "POST"},
      {"PUT", "/api/v1/routes/r/pause", "POST"},
      {"get", "/api/v1/events", "GET, HEAD"},
      {"POST", "/api/v1/events/" + id + "/body", "GET, HEAD"},
  };
  for (const auto& each : cases) {
    const Said said = ask(each.method, each.target);
    EXPECT_TRUE(said.error().starts_with("405 method_not_allowed")) << each.target << ": " << said.error();
    EXPECT_EQ(said.fields.get("allow"), each.allow);
  }
}

TEST_F(EventsApiTest, mistakes_are_named) {
  const std::string id = format_event_id(add());
  const struct {
    std::string method, target, body, error;
  } cases[] = {
      {"GET", "/api/v1/events?colour=red", "", "400 malformed: \"colour\" is unknown"},
      {"GET", "/api/v1/events?route=%FF&x=%FE", "", "400 malformed: \"x\" is unknown"},
      {"GET", "/api/v1/events?%FE=1", "", "400 malformed: \"\xEF\xBF\xBD\" is unknown"},
      {"GET", "/api/v1/events/evt_1", "", "400 malformed: \"evt_1\" is no event id"},
      {"GET", "/api/v1/events/evt_0000000000001", "", "404 not_found: there is no event evt_0000000000001"},
      {"GET", "/api/v1/events/evt_0000000000001/body", "", "404 not_found"},
      {"GET", "/api/v1/events/" + id + "?limit=1", "", "400 malformed: \"limit\" is unknown"},
      {"GET", "/api/v1/events/" + id + "?body_limit=-1", "", "400 malformed: body_limit"},
      {"GET", "/api/v1/events/" + id + "?body_limit=16777217", "",
       "400 malformed: body_limit: at most 16MiB"},
      {"GET", "/api/v1/events/" + id + "/body?x=1", "", "400 malformed: there is no query here"},
      {"GET", "/api/v1/events/%zz", "", "400 malformed: the path"},
      {"POST", "/api/v1/events/replay", "", "400 malformed: \"ids\" has to be a list"},
      {"POST", "/api/v1/events/replay", R"({"ids":"x"})", "400 malformed: \"ids\" has to be a list"},
      {"POST", "/api/v1/events/replay", R"({"ids":[1]})", "400 malformed: 1 in \"ids\""},
      {"POST", "/api/v1/events/replay", R"({"ids":["evt_1"]})", "400 malformed: \"evt_1\" in \"ids\""},
      {"POST", "/api/v1/events/replay", R"({"ids":[],"all":true})", "400 malformed: \"all\" is unknown"},
  };
  for (const auto& each : cases) {
    const std::string error = ask(each.method, each.target, each.body).error();
    EXPECT_TRUE(error.starts_with(each.error)) << each.target << ": " << error;
  }
}

TEST_F(EventsApiTest, requests_have_their_limits) {
  json::array list(1000, json::value(format_event_id(7)));
  const auto body = [&] { return json::serialize(json::object{{"ids", list}}); };
  EXPECT_EQ(ask("POST", "/api/v1/events/replay", body()).text, "{\"replayed\":0}\n");
  list.push_back(list[0]);
  EXPECT_TRUE(ask("POST", "/api/v1/events/replay", body()).error().starts_with("400 malformed"));
  const std::string large(1024 * 1024 + 1, ' ');
  EXPECT_TRUE(ask("POST", "/api/v1/events/purge", large).error().starts_with("413 body_too_large"));
  EXPECT_EQ(ask("POST", "/api/v1/events/replay", std::string(100'000, '[')).status, 400);
}

TEST_F(EventsApiTest, a_store_that_fails_is_named_with_its_reason) {
  store.fail_with = store.fail_pauses_with = Error::unavailable;
  const Said said = ask("POST", "/api/v1/routes/r/pause");
  EXPECT_EQ(said.error(), "503 unavailable: appends fail because the test wants it");
  EXPECT_TRUE(said.fields.contains("retry-after"));
}

}  // namespace
}  // namespace rockdove::inbox
