#include "server/plaintext.hpp"

#include "config/provider_config.hpp"
#include "net/crypto.hpp"
#include "support/bodies.hpp"
#include "support/provider_vectors.hpp"
#include "support/run.hpp"

#include <gtest/gtest.h>

namespace rockdove::server {
namespace {

constexpr providers::WallTime now{std::chrono::seconds(1'700'000'000)};
// The key of the Standard Webhooks vector in provider_vectors.json.
const std::string key = *net::base64_decode("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");

ProviderRoute route_of(const std::string& provider, const test::Pairs& secrets) {
  ProviderRoute route;
  route.scheme = *config::builtin_providers().find(provider);
  for (const auto& [name, value] : secrets) route.secrets.add(name, value);
  route.plaintext = true;
  route.deliver_keys = {key};
  return route;
}

ProviderRoute feishu(const std::string& secret = "ekey") {
  return route_of("feishu", {{"encrypt_key", secret}});
}

/// As the inbox delivers it.
http::Request request_of(const test::ProviderVector& vector) {
  http::Request request = test::request_of(vector.method, "/in", vector.body);
  for (const auto& [name, value] : vector.fields) request.fields.add(name, value);
  request.fields.add("X-Forwarded-Host", "hooks.example.com");
  request.fields.add("Content-Length", std::to_string(vector.body.size()));
  request.fields.add("X-Other", "kept");
  request.fields.add("Rockdove-Event-Id", "evt_1");
  request.context.tls = request.context.stored = true;
  request.context.route = "hook";
  request.context.request_id = "r1";
  return request;
}

test::ProviderVector vector_named(std::string_view name) {
  for (test::ProviderVector& vector : test::provider_vectors())
    if (vector.name == name) return std::move(vector);
  throw std::runtime_error("no vector " + std::string(name));
}

http::Request sealed() {
  return request_of(vector_named("feishu event_v2"));
}

bool is_made(http::Request& request, const ProviderRoute& route, providers::WallTime time = now) {
  return make_plain(request, route, time).outcome == providers::Outcome::ok;
}

TEST(Plaintext, opens_the_body_and_takes_the_proof_off) {
  http::Request request = sealed();
  ASSERT_TRUE(is_made(request, feishu()));
  EXPECT_TRUE(request.content.starts_with("{\"schema\":\"2.0\"")) << request.content;
  EXPECT_EQ(request.fields.get("Content-Length"), std::to_string(request.content.size()));
  EXPECT_EQ(request.fields.get("Content-Type"), "application/json");
  EXPECT_EQ(request.fields.get("X-Other"), "kept");
  for (const char* name : {"X-Lark-Signature", "X-Lark-Request-Timestamp", "X-Lark-Request-Nonce"})
    EXPECT_FALSE(request.fields.contains(name)) << name;
}

TEST(Plaintext, signs_as_the_library_of_standard_webhooks_does) {
  int compared = 0;
  for (const test::ProviderVector& vector : test::provider_vectors()) {
    if (vector.provider != "standard-webhooks" || vector.secrets[0].first != "secret") continue;
    ++compared;
    http::Request request = request_of(vector);
    ASSERT_TRUE(is_made(request, route_of(vector.provider, vector.secrets)));
    EXPECT_EQ(request.content, vector.body);
    EXPECT_EQ(request.fields.get("webhook-timestamp"), "1700000000");
    const std::string ours(request.fields.get("webhook-signature").value_or(""));
    EXPECT_NE(ours.find(vector.signature), std::string::npos) << vector.name << " " << ours;
  }
  EXPECT_GE(compared, 1);
}

TEST(Plaintext, the_id_is_the_providers_if_it_is_signed_else_ours_and_never_the_callers) {
  const std::pair<const char*, const char*> cases[] = {{"standard webhooks", "msg_1"},
                                                       {"standard webhooks, asymmetric", "msg_1"},
                                                       {"svix", "msg_1"},
                                                       {"gitlab signing token", "msg_1"},
                                                       {"gitlab token", "evt_1"},
                                                       {"github", "evt_1"},
                                                       {"feishu event_v2", "evt_1"}};
  for (const auto& [name, id] : cases) {
    const test::ProviderVector vector = vector_named(name);
    http::Request request = request_of(vector);
    for (const char* forged : {"Webhook-Id", "webhook-timestamp", "Webhook-Signature", "WEBHOOK-Else"})
      if (!request.fields.contains(forged)) request.fields.add(forged, "forged");
    ASSERT_TRUE(is_made(request, route_of(vector.provider, vector.secrets))) << name;
    EXPECT_EQ(request.fields.get("webhook-id"), id) << name;
    for (const char* field : {"webhook-id", "webhook-timestamp", "webhook-signature"})
      EXPECT_EQ(request.fields.count(field), 1U) << name;
    for (const http::Fields::Field field : request.fields) EXPECT_NE(field.value, "forged") << field.name;
  }
}

TEST(Plaintext, a_live_request_is_signed_under_its_request_id) {
  http::Request request = sealed();
  request.context.stored = false;
  request.fields.add("Webhook-Id", "forged");
  ASSERT_TRUE(is_made(request, feishu()));
  EXPECT_EQ(request.fields.get("webhook-id"), "r1");
}

TEST(Plaintext, what_was_never_proven_is_not_signed_and_its_age_does_not_matter) {
  http::Request request = sealed();
  request.fields.set("X-Lark-Signature", std::string(64, '0'));  // stored before there were secrets
  EXPECT_EQ(make_plain(request, feishu(), now).outcome, providers::Outcome::mismatch);
  EXPECT_FALSE(request.fields.contains("webhook-signature"));
  http::Request challenge = test::request_of("POST", "/in", test::provider_text("feishu_sealed_challenge"));
  EXPECT_EQ(make_plain(challenge, feishu(), now).outcome, providers::Outcome::unrecognised);
  http::Request old = sealed();
  EXPECT_TRUE(is_made(old, feishu(), now + std::chrono::days(30))) << "its age was judged when it came";
}

TEST(Plaintext, what_signs_its_url_is_proven_again_by_the_url_that_the_caller_used) {
  const test::ProviderVector vector = vector_named("twilio form");
  http::Request request = request_of(vector);
  request.target = "/twilio?x=1";
  request.fields.set("X-Forwarded-Host", "example.com");
  EXPECT_TRUE(is_made(request, route_of("twilio", vector.secrets)));
}

TEST(Plaintext, what_does_not_open_goes_nowhere_and_other_routes_go_untouched) {
  net::IoContext io;
  std::vector<http::Request> seen;
  test::FunctionHandler next([&seen](http::Request request) {
    seen.push_back(std::move(request));
    return http::ready(http::make_response(200, "", ""));
  });
  Plaintext plaintext(next, [] { return now; });
  auto routes = std::make_shared<ProviderRoutes>();
  routes->emplace("hook", std::make_shared<ProviderRoute>(feishu("gone")));
  plaintext.set_routes(routes);
  auto refused = test::run(io, plaintext.handle(sealed()));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 422) << "no other attempt helps";
  EXPECT_TRUE(seen.empty());
  http::Request other = sealed();
  other.context.route = "other";
  EXPECT_TRUE(test::run(io, plaintext.handle(std::move(other))));
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].content, sealed().content);
  EXPECT_TRUE(seen[0].fields.contains("X-Lark-Signature"));
}

}  // namespace
}  // namespace rockdove::server
