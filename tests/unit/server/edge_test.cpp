#include "server/edge.hpp"

#include "config/provider_config.hpp"
#include "http/forwarded.hpp"
#include "net/crypto.hpp"
#include "net/signing.hpp"
#include "support/bodies.hpp"
#include "support/provider_vectors.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace rockdove::server {
namespace {

using test::ProviderVector;

constexpr providers::WallTime now{std::chrono::seconds(1'700'000'000)};

ProviderRoute route_of(const std::string& provider, const test::Pairs& secrets) {
  ProviderRoute route;
  route.scheme = *config::builtin_providers().find(provider);
  for (const auto& [name, value] : secrets) route.secrets.add(name, value);
  route.makes_ack = !config::fixed_ack(route.scheme);
  return route;
}

ProviderVector vector_named(std::string_view name) {
  for (ProviderVector& vector : test::provider_vectors())
    if (vector.name == name) return std::move(vector);
  throw std::runtime_error("no vector " + std::string(name));
}

/// As it is when a route has been found for it.
http::Request request_of(const ProviderVector& vector) {
  http::Request request;
  request.method = vector.method;
  const auto host = vector.url.find("//") + 2, target = vector.url.find('/', host);
  request.target = vector.url.substr(target);
  for (const auto& [name, value] : vector.fields) request.fields.add(name, value);
  request.fields.add("Host", vector.url.substr(host, target - host));
  request.context.tls = vector.url.starts_with("https");
  http::set_forwarded(request, [](const net::Address&) { return false; });
  request.context.route = "hook";
  request.context.request_id = "r1";
  request.content = vector.body;
  return request;
}

std::string status_of(const Edge::Judgement& judgement) {
  return judgement.answer ? std::to_string(judgement.answer->status) : "passed";
}

TEST(public_url, is_as_the_caller_used_it) {
  for (const bool is_trusted : {false, true}) {
    http::Request request;
    request.target = "/hook?a=1";
    request.fields.add("Host", "inner:8080");
    request.fields.add("X-Forwarded-Host", "hooks.example.com");
    request.fields.add("X-Forwarded-Proto", "https");
    http::set_forwarded(request, [&](const net::Address&) { return is_trusted; });
    EXPECT_EQ(public_url(request),
              is_trusted ? "https://hooks.example.com/hook?a=1" : "http://inner:8080/hook?a=1");
    http::add_made_fields(request);
    EXPECT_EQ(public_url(request),
              is_trusted ? "https://hooks.example.com/hook?a=1" : "http://inner:8080/hook?a=1");
  }
}

TEST(Edge, whatever_providers_send_passes_and_no_other_secret_lets_it) {
  Edge edge;
  for (const ProviderVector& vector : test::provider_vectors()) {
    const auto judgement = edge.judge(request_of(vector), route_of(vector.provider, vector.secrets), now);
    // Some of the vectors are challenges.
    const bool is_fine = !judgement.answer || judgement.answer->status == 200;
    EXPECT_TRUE(is_fine) << vector.name << ": " << status_of(judgement);
    if (!judgement.answer && !vector.event_id.empty()) {
      EXPECT_EQ(judgement.facts.id, vector.event_id) << vector.name;
    }

    http::Request changed = request_of(vector);
    if (!vector.signs_body || vector.body.find("ncrypt") != std::string::npos) continue;
    changed.content[changed.content.size() / 2] ^= 1;
    const auto refused = edge.judge(changed, route_of(vector.provider, vector.secrets), now);
    ASSERT_TRUE(refused.answer) << vector.name;
    EXPECT_EQ(refused.answer->status, route_of(vector.provider, {}).scheme.refusal) << vector.name;
  }
}

TEST(Edge, a_refusal_names_the_outcome_and_nothing_else) {
  Edge edge;
  const ProviderVector vector = vector_named("feishu event_v2");
  const auto judgement = edge.judge(request_of(vector), route_of("feishu", {{"encrypt_key", "other"}}), now);
  ASSERT_TRUE(judgement.answer);
  EXPECT_EQ(judgement.answer->status, 401);
  EXPECT_EQ(judgement.answer->content,
            "{\"error\":{\"hop\":\"edge\",\"cause\":\"signature_mismatch\",\"message\":\"the request is not "
            "proven to come from feishu\",\"request_id\":\"r1\"}}\n");
}

TEST(Edge, counts_by_route_and_outcome) {
  Edge edge;
  const ProviderVector vector = vector_named("feishu event_v2");
  const auto right = route_of("feishu", vector.secrets), wrong = route_of("feishu", {{"encrypt_key", "x"}});
  for (int i = 0; i < 3; ++i) edge.judge(request_of(vector), wrong, now);
  edge.judge(request_of(vector), right, now);
  edge.judge(request_of(vector), route_of("feishu", {}), now);
  http::Request challenge = request_of(vector);
  challenge.content = test::provider_text("feishu_sealed_challenge");
  EXPECT_EQ(edge.judge(challenge, right, now).answer->content, "{\"challenge\":\"ajls384kdjx98XX\"}");
  edge.refuse_switch(request_of(vector), right);
  edge.count_unwanted("hook");
  const boost::json::object expected{
      {"name", "feishu"},
      {"checks", true},
      {"accepted", 1U},
      {"unchecked", 1U},
      {"challenges", 1U},
      {"unwanted", 1U},
      {"refused", boost::json::object{{"mismatch", 3U}, {"unrecognised", 1U}}}};
  EXPECT_EQ(edge.to_json("hook", right), expected);
  EXPECT_EQ(edge.to_json("other", right).at("accepted"), 0U);
}

TEST(Edge, says_what_is_known_of_the_event) {
  Edge edge;
  ProviderVector vector = vector_named("feishu event_v2");
  const auto judgement = edge.judge(request_of(vector), route_of("feishu", vector.secrets), now);
  EXPECT_EQ(judgement.facts.id, "e1");
  EXPECT_EQ(judgement.facts.type, "im.message.receive_v1");
  EXPECT_FALSE(judgement.ack);
  EXPECT_FALSE(judgement.facts.fallback);
}

TEST(Edge, a_click_brings_its_fallback) {
  Edge edge;
  http::Request request = test::request_of(
      "POST", "/hook",
      R"({"schema":"2.0","header":{"event_id":"c","event_type":"card.action.trigger","token":"t"}})");
  const auto judgement = edge.judge(request, route_of("feishu", {{"verification_token", "t"}}), now);
  EXPECT_TRUE(judgement.facts.synchronous);
  const auto toast = boost::json::parse(judgement.facts.fallback.value_or("null"));
  EXPECT_EQ(toast.at("toast").at("type"), "info");
  EXPECT_TRUE(toast.at("toast").at("i18n").at("zh_cn").is_string());
}

/// A signed and encrypted event of so many bytes.
http::Request feishu_event(std::size_t size) {
  std::string text = R"({"schema":"2.0","header":{"event_id":"e","event_type":"im.message.receive_v1"},)";
  text += "\"event\":{\"message\":{\"chat_id\":\"oc_1\",\"content\":\"" + std::string(size, 'x') + "\"}}}";
  const std::size_t padding = 16 - text.size() % 16;
  text.append(padding, static_cast<char>(padding));
  const std::string iv(16, 'i');
  const auto sealed = net::aes_256_cbc_encrypt(net::sha256("ekey"), iv, text);
  http::Request request =
      test::request_of("POST", "/hook", "{\"encrypt\":\"" + net::base64(iv + sealed.value()) + "\"}");
  request.fields.add("X-Lark-Request-Timestamp", "1700000000");
  request.fields.add("X-Lark-Request-Nonce", "n");
  request.fields.add("X-Lark-Signature", net::hex(net::sha256("1700000000nekey" + request.content)));
  request.context.route = "hook";
  return request;
}

TEST(Edge, a_feishu_event_of_two_kib_takes_some_microseconds) {
  Edge edge;
  const auto route = route_of("feishu", {{"encrypt_key", "ekey"}, {"verification_token", "v"}});
  const http::Request request = feishu_event(2048);
  ASSERT_EQ(edge.judge(request, route, now).facts.chat, "oc_1");
  constexpr int times = 2000;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) edge.judge(request, route, now);
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
  RecordProperty("microseconds", std::to_string(took.count() / times));
  EXPECT_LT(took.count() / times, 1000.0);  // a machine may be busy; some 10 are usual
}

}  // namespace
}  // namespace rockdove::server
