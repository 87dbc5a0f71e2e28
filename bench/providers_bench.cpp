// What it costs to judge one request: find the check, hash, decrypt, and read what the event says of itself.
// ./dev bench providers runs it; docs/benchmarks.md says what the rows are.
#include "config/provider_config.hpp"
#include "net/crypto.hpp"
#include "net/signing.hpp"
#include "providers/events.hpp"
#include "providers/verify.hpp"

#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

namespace {

using namespace rockdove;
using namespace rockdove::providers;

constexpr WallTime now{std::chrono::seconds(1'700'000'000)};
constexpr std::string_view timestamp = "1700000000", nonce = "0123456789";
constexpr std::size_t body_size = 2048;
const std::string wechat_key_text = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

/// A request as it comes, with the secrets of its route.
struct Arrival {
  std::string provider;
  std::string url = "https://hooks.example.com/in";
  http::Fields fields;
  std::string body;
  Secrets secrets;
};

[[noreturn]] void fail(const std::string& what) {
  std::cerr << what << "\n";
  std::exit(1);
}

const Scheme& scheme_of(const std::string& name) {
  static const Catalog catalog = config::builtin_providers();
  return *catalog.find(name);
}

/// `head` and `tail` with as much text between them as makes 2 KiB of it.
std::string filled(const std::string& head, const std::string& tail) {
  std::string text = head;
  while (text.size() + tail.size() < body_size) text += "the quick brown fox jumps over the lazy dog ";
  text.resize(body_size - tail.size());
  return text + tail;
}

std::string feishu_event() {
  return filled(R"({"schema":"2.0","header":{"event_id":"5e3702a84e847582be8db7fb73283c02",)"
                R"("event_type":"im.message.receive_v1","create_time":"1608725989000","token":"vtoken",)"
                R"("app_id":"cli_x","tenant_key":"2ca1d211f64f6438"},"event":{"sender":{"sender_id":)"
                R"({"union_id":"on_8ed6","user_id":"e33ggbyz","open_id":"ou_84aa"},"sender_type":"user"},)"
                R"("message":{"message_id":"om_5ce6","chat_id":"oc_5ce6","chat_type":"group",)"
                R"("message_type":"text","content":"{\"text\":\"@_user_1 )",
                R"(\"}"}}})");
}

std::string feishu_sealed(std::string text) {
  const std::size_t padding = 16 - text.size() % 16;
  text.append(padding, static_cast<char>(padding));
  const std::string iv(16, 'i');
  const auto sealed = net::aes_256_cbc_encrypt(net::sha256("ekey"), iv, text);
  return R"({"encrypt":")" + net::base64(iv + sealed.value()) + R"("})";
}

Arrival feishu(std::string body, bool is_signed = true) {
  Arrival arrival{.provider = "feishu", .fields = {}, .body = std::move(body), .secrets = {}};
  arrival.secrets.add("encrypt_key", "ekey");
  arrival.secrets.add("verification_token", "vtoken");
  if (!is_signed) return arrival;
  arrival.fields.add("X-Lark-Request-Timestamp", timestamp);
  arrival.fields.add("X-Lark-Request-Nonce", nonce);
  const std::string proven = std::string(timestamp) + std::string(nonce) + "ekey" + arrival.body;
  arrival.fields.add("X-Lark-Signature", net::hex(net::sha256(proven)));
  return arrival;
}

/// HMAC-SHA256 in hex of `before` and a body of 2 KiB, in the field `name` behind `prefix`.
Arrival hmac_signed(std::string provider, std::string_view name, const std::string& prefix,
                    const std::string& before) {
  Arrival arrival{.provider = std::move(provider), .fields = {}, .body = {}, .secrets = {}};
  arrival.body = filled(R"({"id":"evt_1","type":"order.paid","event_id":"Ev1","text":")", R"("})");
  arrival.secrets.add("secret", "s3cr3t");
  const std::string_view pieces[] = {before, arrival.body};
  arrival.fields.add(name, prefix + net::hex(net::hmac(net::Digest::sha256, "s3cr3t", pieces)));
  arrival.fields.add("X-Slack-Request-Timestamp", timestamp);
  arrival.fields.add("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958");
  return arrival;
}

Arrival wecom() {
  Arrival arrival{.provider = "wecom", .fields = {}, .body = {}, .secrets = {}};
  const std::string text =
      filled("<xml><FromUserName>u</FromUserName><CreateTime>1</CreateTime><Content><![CDATA[",
             "]]></Content><MsgType>text</MsgType><MsgId>1</MsgId></xml>");
  const std::string sealed = seal_wechat(wechat_key_text, text, "wx5823bf96d3bd56c7").value();
  arrival.body = "<xml><ToUserName><![CDATA[wx5823bf96d3bd56c7]]></ToUserName><Encrypt><![CDATA[" + sealed +
                 "]]></Encrypt></xml>";
  arrival.url += "?msg_signature=" + sign_wechat("token", timestamp, nonce, sealed) +
                 "&timestamp=" + std::string(timestamp) + "&nonce=" + std::string(nonce);
  arrival.secrets.add("token", "token");
  arrival.secrets.add("aes_key", wechat_key_text);
  return arrival;
}

Arrival discord() {
  Arrival arrival{.provider = "discord", .fields = {}, .body = {}, .secrets = {}};
  arrival.body =
      filled(R"({"id":"1","type":2,"application_id":"2","channel_id":"3","data":{"name":")", R"("}})");
  using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
  using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  unsigned char public_key[32], signature[64];
  std::size_t key_size = sizeof public_key, size = sizeof signature;
  const std::string text = std::string(timestamp) + arrival.body;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_PKEY_get_raw_public_key(key.get(), public_key, &key_size) != 1 ||
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), signature, &size, bytes, text.size()) != 1)
    fail("no Ed25519 here");
  arrival.secrets.add("public_key", net::hex({reinterpret_cast<char*>(public_key), key_size}));
  arrival.fields.add("X-Signature-Timestamp", timestamp);
  arrival.fields.add("X-Signature-Ed25519", net::hex({reinterpret_cast<char*>(signature), size}));
  return arrival;
}

/// All that the server asks of a request before it is stored. True if it is proven.
bool judge(const Arrival& arrival, bool is_challenge) {
  const RequestView request{"POST", arrival.url, arrival.fields, arrival.body};
  const Message message(scheme_of(arrival.provider), arrival.secrets, request);
  if (!verify(message, now).accepted()) return false;
  if (challenge_answer(message, now).has_value() != is_challenge) fail(arrival.provider + ": a challenge?");
  Facts facts = is_challenge ? Facts{} : read_facts(message);
  benchmark::DoNotOptimize(facts);
  return true;
}

void add(const char* name, Arrival arrival, bool is_proven = true, bool is_challenge = false) {
  if (judge(arrival, is_challenge) != is_proven) fail(std::string(name) + ": judged wrongly");
  benchmark::RegisterBenchmark(name, [arrival = std::move(arrival), is_challenge](benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(judge(arrival, is_challenge));
  });
}

void add_parts() {
  const std::string sealed = feishu_sealed(feishu_event());
  const std::string blob = sealed.substr(12, sealed.size() - 14);
  if (!open_envelope(Envelope::Kind::feishu, "ekey", blob, {})) fail("the envelope does not open");
  benchmark::RegisterBenchmark("envelope-alone", [blob](benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(open_envelope(Envelope::Kind::feishu, "ekey", blob, {}));
  });
  const std::string text = feishu_event();
  if (!Document(text).json("/header/event_id")) fail("the event has no id");
  benchmark::RegisterBenchmark("json-alone", [text](benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(Document(text).json("/header/event_id"));
  });
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  add("feishu-event", feishu(feishu_sealed(feishu_event())));
  Arrival forged = feishu(feishu_sealed(feishu_event()));
  forged.body[100] ^= 1;
  add("feishu-forged", std::move(forged), false);
  const std::string challenge =
      R"({"challenge":"ajls384kdjx98XX","token":"vtoken","type":"url_verification"})";
  add("feishu-challenge", feishu(challenge, false), true, true);
  add("feishu-challenge-sealed", feishu(feishu_sealed(challenge), false), true, true);
  add("github", hmac_signed("github", "X-Hub-Signature-256", "sha256=", ""));
  add("stripe", hmac_signed("stripe", "Stripe-Signature", "t=1700000000,v1=", "1700000000."));
  add("slack", hmac_signed("slack", "X-Slack-Signature", "v0=", "v0:1700000000:"));
  add("wecom", wecom());
  add("discord", discord());
  add_parts();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
