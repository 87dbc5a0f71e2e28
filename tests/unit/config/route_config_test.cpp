#include "config/route_config.hpp"

#include "config/provider_config.hpp"

#include <gtest/gtest.h>

namespace rockdove::config {
namespace {

using namespace std::chrono_literals;
using inbox::KeyRule;
using inbox::Mode;
using inbox::Order;

RouteConfig parse(const std::string& keys) {
  Section document = Section::parse("[[route]]\nname = 'r'\n" + keys, "s.toml");
  return read_route(document.sections("route").at(0), builtin_providers());
}

inbox::RouteOptions options_of(const std::string& keys) {
  return parse(keys).inbox;
}

std::string error_of(const std::string& keys) {
  try {
    parse(keys);
    return "";
  } catch (const ConfigError& error) { return error.what(); }
}

TEST(RouteConfig, a_route_that_says_nothing_is_live_and_stores_nothing) {
  EXPECT_EQ(options_of(""), inbox::RouteOptions{});
  EXPECT_EQ(options_of("mode = 'live'").deadline, 0ms);
}

TEST(RouteConfig, without_any_route_feishus_events_are_stored_and_the_rest_is_live) {
  const auto routes = default_routes();
  ASSERT_EQ(routes.size(), 2U);
  EXPECT_EQ(routes[0].path, "/feishu/webhook");
  EXPECT_EQ(routes[0].inbox.mode, Mode::automatic);
  EXPECT_EQ(routes[0].inbox.deadline, 2500ms);
  EXPECT_EQ(routes[0].inbox.dedupe, (std::vector<KeyRule>{{KeyRule::From::id, ""}}));
  ASSERT_TRUE(routes[0].provider);
  EXPECT_EQ(routes[0].provider->scheme.name, "feishu");
  EXPECT_EQ(routes[1], RouteConfig{.name = "default"});
}

TEST(RouteConfig, a_mode_brings_its_deadline) {
  EXPECT_EQ(options_of("mode = 'auto'").deadline, 2500ms);
  EXPECT_EQ(options_of("mode = 'auto'\ndeadline = '1s'").deadline, 1s);
  EXPECT_EQ(options_of("mode = 'inbox'").deadline, 0ms);
  EXPECT_EQ(options_of("mode = 'inbox'\ndeadline = '5m'").mode, Mode::inbox);
  const auto live = options_of("deadline = '2s'\nfallback = {body = '{\"toast\":1}'}");
  EXPECT_EQ(live.deadline, 2s);
  EXPECT_EQ(live.fallback, (inbox::CannedAnswer{200, "application/json", "{\"toast\":1}"}));
}

TEST(RouteConfig, reads_what_is_set) {
  const auto options = options_of(
      "mode = 'inbox'\nack = {status = 204, type = '', body = ''}\ndedupe_window = '2h'\nconcurrency = 3\n"
      "retry = {first = '10ms', longest = '1s', give_up = '0s', timeout = '5s'}\n"
      "success_if = '2xx-with-body'\nbody_limit = '10KiB'\n");
  EXPECT_EQ(options.ack, (inbox::CannedAnswer{204, "", ""}));
  EXPECT_EQ(options.dedupe_window, 2h);
  EXPECT_EQ(options.concurrency, 3U);
  EXPECT_EQ(options.retry, (inbox::RetryOptions{10ms, 1s, 0ms, 5s}));
  EXPECT_EQ(options.success, inbox::Success::status_and_body);
  EXPECT_EQ(options.body_bytes, 10'240U);
  EXPECT_EQ(options_of("mode = 'inbox'\nsuccess_if = '2xx'").success, inbox::Success::status);
}

TEST(RouteConfig, reads_what_makes_two_requests_one_event) {
  const KeyRule header{KeyRule::From::header, "X-Id"}, json{KeyRule::From::json, "/a/b~1c"}, body;
  const std::pair<const char*, std::vector<KeyRule>> cases[] = {
      {"'none'", {}},
      {"[]", {}},
      {"'body'", {body}},
      {"'header:X-Id'", {header}},
      {"'json:/a/b~1c'", {json}},
      {"['header:X-Id', 'json:/a/b~1c', 'body']", {header, json, body}},
  };
  for (const auto& [value, rules] : cases)
    EXPECT_EQ(options_of(std::string("mode = 'inbox'\ndedupe = ") + value).dedupe, rules) << value;
}

TEST(RouteConfig, reads_what_is_delivered_in_order) {
  const auto order = [](const std::string& value) { return options_of("mode = 'inbox'\norder = " + value); };
  EXPECT_EQ(order("'none'").order, Order::none);
  EXPECT_EQ(order("'fifo'").order, Order::fifo);
  EXPECT_EQ(order("'json:/room'").order, Order::key);
  EXPECT_EQ(order("'json:/room'").order_key, (KeyRule{KeyRule::From::json, "/room"}));
  EXPECT_EQ(order("'header:X-Room'").order_key, (KeyRule{KeyRule::From::header, "X-Room"}));
}

TEST(RouteConfig, a_mistake_is_an_error_that_names_the_line_and_what_is_allowed) {
  const std::pair<const char*, const char*> cases[] = {
      {"mode = 'durable'",
       "s.toml:3: [[route]] mode = \"durable\": must be one of \"live\", \"inbox\", \"auto\""},
      {"mode = 'auto'\ndeadline = '301s'", "s.toml:4: [[route]] deadline must be at most \"5m\""},
      {"mode = 'auto'\ndeadline = '0s'", "s.toml:4: [[route]] deadline must not be 0 with mode = \"auto\""},
      {"mode = 'auto'\ndeadline = '2.5s'", "s.toml:4: [[route]] deadline = \"2.5s\": must be a duration"},
      {"fallback = {}", "s.toml:3: [[route]] fallback needs a deadline"},
      {"mode = 'auto'\ndeadline = '1s'\nfallback = {}",
       "s.toml:5: [[route]] fallback is for mode = \"live\""},
      {"deadline = '1s'\nfallback = {status = 600}",
       "s.toml:4: [route.fallback] status = 600: must be a whole number from 200 to 599"},
      {"mode = 'inbox'\nack = {status = 199}", "s.toml:4: [route.ack] status = 199: must be a whole number"},
      {"mode = 'inbox'\nack = {state = 200}", "s.toml:4: [route.ack] unknown key \"state\""},
      {"mode = 'inbox'\nack = {type = \"a\\nb\"}",
       "s.toml:4: [route.ack] type = \"a?b\": must be a media type"},
      {"mode = 'inbox'\nack = 'ok'", "s.toml:4: [[route]] ack must be a table, { key = value, ... }, not a"},
      {"mode = 'inbox'\ndedupe = 'id'",
       "s.toml:4: [[route]] dedupe = \"id\": must be \"none\", \"provider\","},
      {"mode = 'inbox'\ndedupe = ['none', 'body']", "s.toml:4: [[route]] dedupe = \"none\": must be"},
      {"mode = 'inbox'\ndedupe = 'header:a b'", "s.toml:4: [[route]] dedupe = \"header:a b\": must be"},
      {"mode = 'inbox'\ndedupe = 'header:'", "s.toml:4: [[route]] dedupe = \"header:\": must be"},
      {"mode = 'inbox'\ndedupe = 'json:a'", "s.toml:4: [[route]] dedupe = \"json:a\": must be"},
      {"mode = 'inbox'\ndedupe = 'json:'", "s.toml:4: [[route]] dedupe = \"json:\": must be"},
      {"mode = 'inbox'\ndedupe = 'json:/~2'", "s.toml:4: [[route]] dedupe = \"json:/~2\": must be"},
      {"mode = 'inbox'\ndedupe = \"json:/\\n\"", "s.toml:4: [[route]] dedupe = \"json:/?\": must be"},
      {"mode = 'inbox'\ndedupe = 1", "s.toml:4: [[route]] dedupe must be a string or a list of strings"},
      {"mode = 'inbox'\ndedupe_window = '59s'", "s.toml:4: [[route]] dedupe_window must be at least \"1m\""},
      {"mode = 'inbox'\ndedupe = 'provider'", "s.toml:4: [[route]] dedupe: this needs the route's provider"},
      {"mode = 'inbox'\norder = 'chat'", "s.toml:4: [[route]] order: this needs the route's provider"},
      {"mode = 'inbox'\norder = 'body'", "s.toml:4: [[route]] order = \"body\": must be \"none\", \"fifo\","},
      {"mode = 'inbox'\nconcurrency = 0",
       "s.toml:4: [[route]] concurrency = 0: must be a whole number from 1"},
      {"mode = 'inbox'\nretry = {first = '0s'}", "s.toml:4: [route.retry] first must not be 0"},
      {"mode = 'inbox'\nretry = {longest = '1ms'}", "s.toml:4: [route.retry] longest must not be less than"},
      {"mode = 'inbox'\nretry = {timeout = '0s'}", "s.toml:4: [route.retry] timeout must not be 0"},
      {"mode = 'inbox'\nretry = {times = 3}", "s.toml:4: [route.retry] unknown key \"times\""},
      {"mode = 'inbox'\nsuccess_if = '200'", "s.toml:4: [[route]] success_if = \"200\": must be one of"},
      {"mode = 'inbox'\nbody_limit = 0", "s.toml:4: [[route]] body_limit must be from \"1KiB\" to \"1GiB\""},
  };
  for (const auto& [keys, expected] : cases)
    EXPECT_EQ(error_of(keys).substr(0, std::string_view(expected).size()), expected) << keys;
}

TEST(RouteConfig, what_is_about_stored_requests_is_refused_on_a_live_route) {
  for (const std::string key :
       {"ack = {}", "dedupe = 'none'", "dedupe_window = '1h'", "order = 'fifo'", "concurrency = 1",
        "retry = {}", "success_if = '2xx'", "body_limit = '1MiB'"}) {
    const std::string name = key.substr(0, key.find(' '));
    const std::string expected =
        "s.toml:3: [[route]] " + name + " is about stored requests, and mode = \"live\"";
    EXPECT_EQ(error_of(key).substr(0, expected.size()), expected) << key;
    EXPECT_EQ(error_of("mode = 'auto'\n" + key), "") << key;
  }
}

}  // namespace
}  // namespace rockdove::config
