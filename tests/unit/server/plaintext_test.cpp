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

ProviderRoute feishu(const std::string& secret = "ekey") {
  ProviderRoute route;
  route.scheme = *config::builtin_providers().find("feishu");
  route.secrets.add("encrypt_key", secret);
  route.plaintext = true;
  route.deliver_keys = {key};
  return route;
}

http::Request sealed() {
  http::Request request = test::request_of("POST", "/hook", test::provider_text("feishu_sealed_challenge"));
  for (const char* name : {"X-Lark-Signature", "X-Lark-Request-Timestamp", "X-Lark-Request-Nonce"})
    request.fields.add(name, "1");
  request.fields.add("Content-Length", "1");
  request.fields.add("X-Other", "kept");
  request.context.route = "hook";
  request.context.request_id = "r1";
  return request;
}

TEST(Plaintext, opens_the_body_and_takes_the_proof_off) {
  http::Request request = sealed();
  ASSERT_TRUE(make_plain(request, feishu(), now));
  EXPECT_EQ(request.content, test::provider_text("feishu_challenge"));
  EXPECT_EQ(request.fields.get("Content-Length"), std::to_string(request.content.size()));
  EXPECT_EQ(request.fields.get("Content-Type"), "application/json");
  EXPECT_EQ(request.fields.get("X-Other"), "kept");
  for (const char* name : {"X-Lark-Signature", "X-Lark-Request-Timestamp", "X-Lark-Request-Nonce"})
    EXPECT_FALSE(request.fields.contains(name)) << name;
}

TEST(Plaintext, signs_as_the_library_of_standard_webhooks_does) {
  ProviderRoute route;
  route.scheme = *config::builtin_providers().find("standard-webhooks");
  route.deliver_keys = {key};
  int compared = 0;
  for (const test::ProviderVector& vector : test::provider_vectors()) {
    if (vector.provider != "standard-webhooks" || vector.secrets[0].first != "secret") continue;
    ++compared;
    http::Request request = test::request_of("POST", "/", vector.body);
    for (const auto& [name, value] : vector.fields) request.fields.add(name, value);
    ASSERT_TRUE(make_plain(request, route, now));
    EXPECT_EQ(request.content, vector.body);
    EXPECT_EQ(request.fields.get("webhook-timestamp"), "1700000000");
    const std::string ours(request.fields.get("webhook-signature").value_or(""));
    EXPECT_NE(ours.find(vector.signature), std::string::npos) << vector.name << " " << ours;
  }
  EXPECT_GE(compared, 1);
}

TEST(Plaintext, a_request_without_an_id_is_signed_under_its_request_id) {
  http::Request request = sealed();
  ASSERT_TRUE(make_plain(request, feishu(), now));
  EXPECT_EQ(request.fields.get("webhook-id"), "r1");
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
  EXPECT_EQ(seen[0].content, test::provider_text("feishu_sealed_challenge"));
  EXPECT_EQ(seen[0].fields.get("X-Lark-Signature"), "1");
}

}  // namespace
}  // namespace rockdove::server
