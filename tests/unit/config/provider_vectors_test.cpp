// The table of providers against what providers send.
#include "support/provider_vectors.hpp"
#include "config/provider_config.hpp"
#include "providers/events.hpp"
#include "providers/verify.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace rockdove::config {
namespace {

using namespace rockdove::providers;
using test::ProviderVector;

const Catalog& catalog() {
  static const Catalog instance = builtin_providers();
  return instance;
}

const Scheme& scheme(const std::string& name) {
  const Scheme* found = catalog().find(name);
  if (!found) throw std::runtime_error("no provider " + name);
  return *found;
}

WallTime at(long long offset = 0) {
  return WallTime(std::chrono::seconds(test::provider_vectors_time() + offset));
}

Secrets secrets_of(const ProviderVector& vector) {
  Secrets secrets;
  for (const auto& [name, value] : vector.secrets) secrets.add(name, value);
  return secrets;
}

http::Fields fields_of(const ProviderVector& vector) {
  http::Fields fields;
  for (const auto& [name, value] : vector.fields) fields.add(name, value);
  return fields;
}

Verdict verdict_on(const ProviderVector& vector, WallTime now = at()) {
  const auto fields = fields_of(vector);
  return verify(scheme(vector.provider), secrets_of(vector),
                RequestView{vector.method, vector.url, fields, vector.body}, now);
}

std::string outcome_of(const ProviderVector& vector, WallTime now = at()) {
  return std::string(outcome_name(verdict_on(vector, now).outcome));
}

/// Another letter of the same alphabet, so that the text keeps its form.
void flip(char& c) {
  c = c == '1' ? '2' : '1';
}

/// Changes `text` in the request wherever it stands; false if nowhere.
bool change(ProviderVector& vector, const std::string& text, const std::string& by) {
  bool changed = false;
  const auto change_in = [&](std::string& in) {
    for (auto found = in.find(text); found != in.npos; found = in.find(text, found + by.size())) {
      in.replace(found, text.size(), by);
      changed = true;
    }
  };
  change_in(vector.url);
  change_in(vector.body);
  for (auto& [name, value] : vector.fields) change_in(value);
  return changed;
}

TEST(ProviderVectors, every_request_is_accepted_and_fits_its_secrets) {
  for (const ProviderVector& vector : test::provider_vectors()) {
    EXPECT_EQ(outcome_of(vector), "ok") << vector.name << ": " << explain(verdict_on(vector));
    EXPECT_EQ(problem_with(scheme(vector.provider), secrets_of(vector)), std::nullopt) << vector.name;
  }
}

TEST(ProviderVectors, every_provider_has_a_request) {
  std::set<std::string> seen;
  for (const ProviderVector& vector : test::provider_vectors()) seen.insert(vector.provider);
  for (const Scheme& known : catalog().all()) EXPECT_TRUE(seen.contains(known.name)) << known.name;
}

TEST(ProviderVectors, no_byte_of_a_signed_body_can_change) {
  for (const ProviderVector& vector : test::provider_vectors()) {
    if (!vector.signs_body) continue;
    for (std::size_t i = 0; i < vector.body.size(); i += 1 + vector.body.size() / 50) {
      ProviderVector changed = vector;
      changed.body[i] = static_cast<char>(changed.body[i] ^ 1);
      // WeChat's kind of envelope signs the ciphertext, not what stands around it.
      const bool around = vector.body.find("ncrypt") != std::string::npos && vector.provider != "feishu" &&
                          (i < vector.body.find("Q3stYC") || i > vector.body.find("==") + 1);
      if (around) continue;
      EXPECT_NE(outcome_of(changed), "ok") << vector.name << " at " << i;
    }
    ProviderVector longer = vector;
    longer.body += vector.provider == "alipay" || vector.provider == "twilio" ? "&x=1" : " ";
    if (vector.url.find("nonce1") != std::string::npos) continue;
    EXPECT_NE(outcome_of(longer), "ok") << vector.name;
  }
}

TEST(ProviderVectors, no_letter_of_a_signature_can_change) {
  for (const ProviderVector& vector : test::provider_vectors())
    for (std::size_t i = 0; i < vector.signature.size(); i += 1 + vector.signature.size() / 10) {
      ProviderVector changed = vector;
      std::string other = vector.signature;
      if (other[i] == '%') continue;
      flip(other[i]);
      ASSERT_TRUE(change(changed, vector.signature, other)) << vector.name;
      EXPECT_NE(outcome_of(changed), "ok") << vector.name << " at " << i;
    }
}

TEST(ProviderVectors, the_timestamp_is_part_of_what_is_signed) {
  int with_timestamp = 0;
  for (const ProviderVector& vector : test::provider_vectors()) {
    ProviderVector changed = vector;
    if (!change(changed, "1700000000", "1700000001")) continue;
    ++with_timestamp;
    EXPECT_EQ(outcome_of(changed), "mismatch") << vector.name;
  }
  EXPECT_GT(with_timestamp, 20);
}

TEST(ProviderVectors, another_secret_proves_nothing_and_an_older_one_beside_it_does_no_harm) {
  for (const ProviderVector& vector : test::provider_vectors()) {
    ProviderVector changed = vector;
    for (auto& [name, value] : changed.secrets)
      if (name != "receiver") flip(value[value.size() / 2]);
    EXPECT_NE(outcome_of(changed), "ok") << vector.name;

    if (vector.provider == "wechat-pay" || vector.provider == "alipay")
      continue;  // the flipped one is no key
    for (const auto& [name, value] : vector.secrets) changed.secrets.emplace_back(name, value);
    EXPECT_EQ(outcome_of(changed), "ok") << vector.name;
  }
}

TEST(ProviderVectors, what_is_missing_is_named) {
  for (const ProviderVector& vector : test::provider_vectors()) {
    if (vector.fields.empty()) continue;
    ProviderVector changed = vector;
    changed.fields.clear();
    const Verdict verdict = verdict_on(changed);
    EXPECT_EQ(outcome_name(verdict.outcome), vector.name == "gitlab signing token" ? "no_secret" : "missing")
        << vector.name;
    EXPECT_NE(verdict.part, "") << vector.name;
  }
}

TEST(ProviderVectors, old_and_early_requests_are_refused_wherever_a_time_is_signed) {
  const std::map<std::string, long long> tolerances = {
      {"stripe", 300},    {"slack", 300},       {"standard-webhooks", 300},
      {"svix", 300},      {"paddle", 300},      {"gitlab", 300},
      {"gitee", 3600},    {"wechat-pay", 300},  {"dingtalk-robot", 3600},
      {"discord", 300},   {"wecom", 3600},      {"wechat-mp", 3600},
      {"feishu", 43'200}, {"dingtalk", 43'200}, {"jiandaoyun", 43'200}};
  int judged = 0;
  for (const ProviderVector& vector : test::provider_vectors()) {
    ProviderVector timed = vector;
    if (!change(timed, "1700000000", "1700000001")) continue;
    ++judged;
    const bool is_card = vector.name == "feishu old card";
    const long long tolerance = is_card ? 300 : tolerances.at(vector.provider);
    EXPECT_EQ(outcome_of(vector, at(tolerance)), "ok") << vector.name;
    EXPECT_EQ(outcome_of(vector, at(tolerance + 1)), "too_old") << vector.name;
    EXPECT_EQ(outcome_of(vector, at(-tolerance)), "ok") << vector.name;
    EXPECT_EQ(outcome_of(vector, at(-tolerance - 1)), "too_new") << vector.name;
  }
  EXPECT_GT(judged, 20);
}

TEST(ProviderVectors, feishus_last_retry_is_taken_though_its_timestamp_be_that_of_the_first) {
  constexpr long long schedule = 15 + 5 * 60 + 3600 + 6 * 3600, slow_clock = 600;
  for (const ProviderVector& vector : test::provider_vectors()) {
    if (vector.provider != "feishu" || vector.name == "feishu old card") continue;
    EXPECT_EQ(outcome_of(vector, at(schedule + slow_clock)), "ok") << vector.name;
  }
}

TEST(ProviderVectors, with_secrets_of_both_kinds_either_signs) {
  for (ProviderVector vector : test::provider_vectors()) {
    if (vector.provider != "standard-webhooks") continue;
    const bool is_symmetric = vector.secrets[0].first == "secret";
    vector.secrets.insert(vector.secrets.begin(),
                          is_symmetric
                              ? std::pair<std::string, std::string>(
                                    "public_key", "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
                              : std::pair<std::string, std::string>("secret", "whsec_MDEyMzQ1Njc4OWFi"));
    EXPECT_EQ(outcome_of(vector), "ok") << vector.name;
  }
}

TEST(ProviderVectors, events_have_their_ids) {
  for (const ProviderVector& vector : test::provider_vectors()) {
    if (vector.event_id.empty()) continue;
    const auto fields = fields_of(vector);
    const Secrets secrets = secrets_of(vector);
    const Message message(scheme(vector.provider), secrets, {vector.method, vector.url, fields, vector.body});
    EXPECT_EQ(read_facts(message).id, vector.event_id) << vector.name;
    EXPECT_EQ(challenge_answer(message, at()), std::nullopt) << vector.name;
    EXPECT_TRUE(ack(message, at())) << vector.name;
  }
}

}  // namespace
}  // namespace rockdove::config
