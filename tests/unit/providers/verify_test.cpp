#include "providers/verify.hpp"

#include "net/crypto.hpp"
#include "net/signing.hpp"
#include "providers/catalog.hpp"
#include "providers/signed_text.hpp"

#include <gtest/gtest.h>

namespace rockdove::providers {
namespace {

constexpr WallTime now{std::chrono::seconds(1'700'000'000)};

std::vector<Template> parts(std::initializer_list<const char*> texts) {
  std::vector<Template> list;
  for (const char* text : texts) list.push_back(std::get<Template>(parse_template(text, Use::signed_text)));
  return list;
}

/// HMAC-SHA256 of the body in X-Sig, in hex.
Check body_check() {
  Check check;
  check.name = "body";
  check.signature = {*parse_place("header:X-Sig")};
  check.parts = parts({"${body}"});
  return check;
}

std::string hmac_hex(std::string_view key, std::string_view text) {
  const std::string_view pieces[] = {text};
  return net::hex(net::hmac(net::Digest::sha256, key, pieces));
}

struct Sent {
  http::Fields fields;
  std::string body = "hello";
  std::string url = "https://example.com/in";
};

Sent sent(std::initializer_list<std::pair<const char*, std::string>> fields) {
  Sent result;
  for (const auto& [name, value] : fields) result.fields.add(name, value);
  return result;
}

Scheme scheme_of(std::vector<Check> checks) {
  Scheme scheme;
  scheme.name = "x";
  scheme.checks = std::move(checks);
  return scheme;
}

Verdict verdict(const Scheme& scheme, const Secrets& secrets, const Sent& sent) {
  return verify(scheme, secrets, RequestView{"POST", sent.url, sent.fields, sent.body}, now);
}

std::string outcome(const Scheme& scheme, const Secrets& secrets, const Sent& sent) {
  return std::string(outcome_name(verdict(scheme, secrets, sent).outcome));
}

Secrets secrets(std::initializer_list<std::pair<const char*, const char*>> list) {
  Secrets result;
  for (const auto& [name, value] : list) result.add(name, value);
  return result;
}

TEST(Verify, says_which_part_failed) {
  const Scheme scheme = scheme_of({body_check()});
  const Secrets key = secrets({{"secret", "k"}});
  const std::string right = hmac_hex("k", "hello");
  EXPECT_EQ(outcome(scheme, key, sent({{"x-sig", right}})), "ok");
  EXPECT_EQ(outcome(scheme, key, sent({{"X-Sig", " " + right + " "}})), "ok");
  EXPECT_EQ(outcome(scheme, key, sent({})), "missing");
  EXPECT_EQ(outcome(scheme, key, sent({{"X-Sig", ""}})), "malformed");
  EXPECT_EQ(outcome(scheme, key, sent({{"X-Sig", "zz"}})), "malformed");
  EXPECT_EQ(outcome(scheme, key, sent({{"X-Sig", right.substr(2)}})), "mismatch");
  EXPECT_EQ(outcome(scheme, key, sent({{"X-Sig", right + "00"}})), "mismatch");
  EXPECT_EQ(outcome(scheme, {}, sent({})), "unchecked");
  EXPECT_EQ(outcome(scheme, secrets({{"other", "k"}}), sent({{"X-Sig", right}})), "no_secret");
  EXPECT_EQ(verdict(scheme, key, sent({})).part, "header:X-Sig");
  EXPECT_EQ(verdict(scheme, key, sent({})).check, "body");
  EXPECT_TRUE(verdict(scheme, {}, sent({})).accepted());
  EXPECT_FALSE(verdict(scheme, secrets({{"other", "k"}}), sent({})).accepted());
}

TEST(Verify, the_first_check_that_is_for_the_request_and_has_a_secret_decides) {
  Check first = body_check(), second = body_check();
  first.when = {*parse_condition("header:X-New")};
  first.secret = "new";
  second.name = "second";
  const Scheme scheme = scheme_of({first, second});
  const Sent both = sent({{"X-New", "1"}, {"X-Sig", hmac_hex("k", "hello")}});
  EXPECT_EQ(outcome(scheme, secrets({{"secret", "k"}}), both), "ok");
  EXPECT_EQ(outcome(scheme, secrets({{"secret", "k"}, {"new", "n"}}), both), "mismatch");
  EXPECT_EQ(verdict(scheme, secrets({{"new", "n"}}), sent({{"X-Sig", "00"}})).part, "secret");

  Check only = body_check();
  only.when = {*parse_condition("method = PUT")};
  EXPECT_EQ(outcome(scheme_of({only}), secrets({{"secret", "k"}}), both), "unrecognised");
}

TEST(Verify, one_of_several_signatures_in_one_place_is_enough) {
  Check check = body_check();
  check.separator = " ";
  check.prefix = "v1,";
  const Scheme scheme = scheme_of({check});
  const Secrets key = secrets({{"secret", "k"}});
  const std::string right = "v1," + hmac_hex("k", "hello");
  EXPECT_EQ(outcome(scheme, key, sent({{"X-Sig", "v2,zz v1,00 " + right + " v1,11"}})), "ok");
  EXPECT_EQ(outcome(scheme, key, sent({{"X-Sig", "v2," + hmac_hex("k", "hello")}})), "malformed");
  EXPECT_EQ(outcome(scheme, key, sent({{"X-Sig", "v1,00 v1,11"}})), "mismatch");
  std::string many;
  for (std::size_t i = 1; i < signatures_max; ++i) many += "v1,00 ";
  EXPECT_EQ(outcome(scheme, key, sent({{"X-Sig", many + right}})), "ok");
  EXPECT_EQ(outcome(scheme, key, sent({{"X-Sig", "v1,00 " + many + right}})), "malformed");
}

/// Like Standard Webhooks: one field, two kinds of signatures, a secret of each kind.
Scheme two_kinds() {
  Check first = body_check(), second = body_check();
  first.separator = second.separator = " ";
  first.prefix = "v1,";
  second.prefix = "v2,";
  second.name = "second";
  second.secret = "other";
  second.instead_of = first.name;
  return scheme_of({first, second});
}

TEST(Verify, one_of_two_kinds_of_signatures_is_enough_where_a_check_says_so) {
  const Secrets both = secrets({{"secret", "a"}, {"other", "b"}});
  const std::string a = "v1," + hmac_hex("a", "hello"), b = "v2," + hmac_hex("b", "hello");
  const auto with = [&](const std::string& field) {
    return verdict(two_kinds(), both, sent({{"X-Sig", field}}));
  };
  for (const std::string& field : {a, b, a + " " + b, a + " v2,00", "v1,00 " + b})
    EXPECT_EQ(with(field).outcome, Outcome::ok) << field;
  EXPECT_EQ(with(b).check, "second");
  EXPECT_EQ(with("v1," + hmac_hex("b", "hello") + " v2," + hmac_hex("a", "hello")).outcome,
            Outcome::mismatch);
  EXPECT_EQ(with("v2,00").outcome, Outcome::mismatch) << "what was there says more than what was not";
  EXPECT_EQ(with("v1,00").check, "body");
  EXPECT_EQ(with("v3,00").outcome, Outcome::malformed);
  EXPECT_EQ(outcome(two_kinds(), secrets({{"other", "b"}}), sent({{"X-Sig", b}})), "ok");

  Scheme apart = two_kinds();  // two checks that know nothing of each other: the first decides
  apart.checks[1].instead_of.clear();
  EXPECT_EQ(outcome(apart, both, sent({{"X-Sig", b}})), "malformed");
}

TEST(Verify, an_old_signature_of_the_second_kind_is_called_old) {
  Scheme scheme = two_kinds();
  for (Check& check : scheme.checks) {
    check.timestamp = parse_place("header:X-Time");
    check.tolerance = std::chrono::minutes(5);
    check.parts = parts({"${timestamp}.", "${body}"});
  }
  const std::string old = "v1,00 v2," + hmac_hex("b", "1699990000.hello");
  EXPECT_EQ(outcome(scheme, secrets({{"secret", "a"}, {"other", "b"}}),
                    sent({{"X-Time", "1699990000"}, {"X-Sig", old}})),
            "too_old");
}

TEST(Verify, any_of_several_secrets_is_enough) {
  const Scheme scheme = scheme_of({body_check()});
  const Sent request = sent({{"X-Sig", hmac_hex("new", "hello")}});
  EXPECT_EQ(outcome(scheme, secrets({{"secret", "old"}, {"secret", "new"}}), request), "ok");
  EXPECT_EQ(outcome(scheme, secrets({{"secret", "old"}}), request), "mismatch");
  Secrets many;
  for (std::size_t i = 0; i < secrets_max; ++i) many.add("secret", "old");
  EXPECT_EQ(problem_with(scheme, many), std::nullopt);
  many.add("secret", "new");
  EXPECT_NE(problem_with(scheme, many), std::nullopt);
  EXPECT_EQ(outcome(scheme, many, request), "mismatch");
}

TEST(Verify, a_timestamp_is_digits) {
  Check check = body_check();
  check.timestamp = parse_place("header:X-Time");
  check.tolerance = std::chrono::minutes(5);
  check.parts = parts({"${timestamp}.", "${body}"});
  const Scheme scheme = scheme_of({check});
  const Secrets key = secrets({{"secret", "k"}});
  const auto at = [&](const std::string& time) {
    return outcome(scheme, key, sent({{"X-Time", time}, {"X-Sig", hmac_hex("k", time + ".hello")}}));
  };
  EXPECT_EQ(at("1700000000"), "ok");
  EXPECT_EQ(at("1699999699"), "too_old");
  EXPECT_EQ(at("1700000301"), "too_new");
  EXPECT_EQ(at("0"), "too_old");
  EXPECT_EQ(at("9999999999999999"), "too_new");
  for (const char* text : {"", "x", "-1700000000", "+1700000000", "1700000000.5", "1700000000 ", "0x1",
                           "99999999999999999999", "00000001700000000"})
    EXPECT_EQ(at(text), "malformed") << text;
  EXPECT_EQ(verdict(scheme, key, sent({{"X-Sig", "00"}})).part, "header:X-Time");
  // Only who knows the secret hears that it was the time.
  EXPECT_EQ(outcome(scheme, key, sent({{"X-Time", "0"}, {"X-Sig", "00"}})), "mismatch");
}

TEST(Verify, seconds_and_milliseconds_are_told_apart_by_their_size_unless_the_check_says) {
  Check check = body_check();
  check.timestamp = parse_place("header:X-Time");
  check.tolerance = std::chrono::minutes(5);
  check.parts = parts({"${timestamp}", "${body}"});
  const auto at = [&](TimeUnit unit, const std::string& time) {
    check.unit = unit;
    return outcome(scheme_of({check}), secrets({{"secret", "k"}}),
                   sent({{"X-Time", time}, {"X-Sig", hmac_hex("k", time + "hello")}}));
  };
  for (const char* time : {"1700000000", "1700000300", "1700000300000", "1699999700000"})
    EXPECT_EQ(at(TimeUnit::by_size, time), "ok") << time;
  EXPECT_EQ(at(TimeUnit::by_size, "1700000300001"), "too_new");
  EXPECT_EQ(at(TimeUnit::by_size, "1699999699999"), "too_old");
  EXPECT_EQ(at(TimeUnit::by_size, "99999999999"), "too_new");
  EXPECT_EQ(at(TimeUnit::by_size, "100000000000"), "too_old");
  EXPECT_EQ(at(TimeUnit::seconds, "1700000000000"), "too_new");
  EXPECT_EQ(at(TimeUnit::milliseconds, "1700000000"), "too_old");
}

TEST(Verify, an_event_that_is_never_sent_again_may_be_old_for_less_long) {
  Check check = body_check();
  check.timestamp = parse_place("header:X-Time");
  check.tolerance = std::chrono::hours(12);
  check.parts = parts({"${timestamp}", "${body}"});
  Scheme scheme = scheme_of({check});
  EventRule click;
  click.when = {*parse_condition("header:X-Click")};
  click.tolerance = std::chrono::minutes(5);
  scheme.events = {click, EventRule{}};
  const auto of = [&](std::initializer_list<std::pair<const char*, std::string>> more) {
    Sent request = sent(more);
    request.fields.add("X-Time", "1699999600");
    request.fields.add("X-Sig", hmac_hex("k", "1699999600hello"));
    return outcome(scheme, secrets({{"secret", "k"}}), request);
  };
  EXPECT_EQ(of({}), "ok");
  EXPECT_EQ(of({{"X-Click", "1"}}), "too_old");
}

TEST(Verify, a_check_of_challenges_proves_one_that_can_be_answered_and_nothing_else) {
  Check check = body_check();
  check.only_challenge = true;
  Scheme scheme = scheme_of({check});
  Challenge challenge;
  challenge.when = {*parse_condition("header:X-Echo")};
  challenge.reply.body = std::get<Template>(parse_template("${header:X-Echo}", Use::shown_text));
  scheme.challenges = {challenge};
  const auto with = [&](std::initializer_list<std::pair<const char*, std::string>> more) {
    Sent request = sent(more);
    request.fields.add("X-Sig", hmac_hex("k", "hello"));
    return verdict(scheme, secrets({{"secret", "k"}}), request);
  };
  EXPECT_TRUE(with({{"X-Echo", "1"}}).accepted());
  EXPECT_TRUE(with({{"X-Echo", "1"}}).only_challenge);
  EXPECT_EQ(with({}).outcome, Outcome::unrecognised);
  EXPECT_EQ(with({{"X-Echo", ""}}).outcome, Outcome::unrecognised);

  check.timestamp = parse_place("header:X-Time");
  check.tolerance = std::chrono::minutes(5);
  check.parts = parts({"${timestamp}", "${body}"});
  scheme.checks = {check};
  const Sent old = sent({{"X-Echo", "1"}, {"X-Time", "1"}, {"X-Sig", hmac_hex("k", "1hello")}});
  EXPECT_EQ(outcome(scheme, secrets({{"secret", "k"}}), old), "too_old");
  EXPECT_TRUE(verdict(scheme, secrets({{"secret", "k"}}), old).only_challenge);
}

TEST(Verify, a_plain_token_is_compared_whole) {
  Check check = body_check();
  check.algorithm = Algorithm::equals;
  check.encoding = Encoding::text;
  check.parts.clear();
  const Scheme scheme = scheme_of({check});
  const Secrets key = secrets({{"secret", "token"}});
  for (const char* text : {"toke", "tokenx", "Token", "t", "\xFF"})
    EXPECT_EQ(outcome(scheme, key, sent({{"X-Sig", text}})), "mismatch") << text;
  EXPECT_EQ(outcome(scheme, key, sent({{"X-Sig", "token"}})), "ok");
}

TEST(Verify, keys_are_decoded_as_the_scheme_says) {
  const std::string key = "0123456789abcdef0123456789abcdef";
  const std::tuple<KeyForm, const char*, std::string> cases[] = {
      {KeyForm::text, "", key},
      {KeyForm::hex, "", net::hex(key)},
      {KeyForm::base64, "", net::base64(key)},
      {KeyForm::base64, "whsec_", "whsec_" + net::base64(key)},
      {KeyForm::base64, "whsec_", net::base64(key)}};
  for (const auto& [form, prefix, secret] : cases) {
    Check check = body_check();
    check.key = form;
    check.key_prefix = prefix;
    const Sent request = sent({{"X-Sig", hmac_hex(key, "hello")}});
    EXPECT_EQ(outcome(scheme_of({check}), secrets({{"secret", secret.c_str()}}), request), "ok") << secret;
    if (form == KeyForm::text) continue;
    const Secrets bad = secrets({{"secret", "*"}});
    EXPECT_EQ(outcome(scheme_of({check}), bad, request), "bad_secret");
    EXPECT_NE(problem_with(scheme_of({check}), bad), std::nullopt);
  }
}

TEST(Verify, a_problem_with_secrets_is_named_without_quoting_them) {
  const Scheme scheme = scheme_of({body_check()});
  EXPECT_EQ(*problem_with(scheme, secrets({{"token", "hush"}})),
            "provider x has no secret \"token\"; its secrets: secret");
  EXPECT_EQ(*problem_with(scheme, secrets({{"secret", ""}})), "secret secret is empty");
}

TEST(Verify, the_two_ways_to_write_a_default_port_are_both_tried) {
  const std::pair<const char*, const char*> cases[] = {{"https://a.b/c?d", "https://a.b:443/c?d"},
                                                       {"https://a.b:443/c", "https://a.b/c"},
                                                       {"http://a.b", "http://a.b:80"},
                                                       {"http://[::1]/", "http://[::1]:80/"},
                                                       {"https://a.b:8443/c", ""},
                                                       {"http://[::1]:81/", ""},
                                                       {"ftp://a.b/", ""},
                                                       {"/c", ""},
                                                       {"", ""},
                                                       {"https:///c", ""}};
  for (const auto& [url, other] : cases) EXPECT_EQ(other_url(url), other) << url;
}

TEST(Verify, sorted_parts_are_put_in_order_of_their_bytes) {
  Check check = body_check();
  check.algorithm = Algorithm::sha1;
  check.sorted = true;
  check.parts = parts({"${secret}", "b${header:X-B}", "a"});
  const std::string right = net::hex(net::sha1("ab1k"));
  EXPECT_EQ(outcome(scheme_of({check}), secrets({{"secret", "k"}}), sent({{"X-Sig", right}, {"X-B", "1"}})),
            "ok");
  const Verdict missing = verdict(scheme_of({check}), secrets({{"secret", "k"}}), sent({{"X-Sig", right}}));
  EXPECT_EQ(missing.outcome, Outcome::missing);
  EXPECT_EQ(missing.part, "header:X-B");
}

TEST(Verify, every_outcome_is_explained) {
  for (int i = 0; i <= static_cast<int>(Outcome::undecipherable); ++i) {
    const Verdict verdict{static_cast<Outcome>(i), "check", "header:X-Sig"};
    EXPECT_NE(outcome_name(verdict.outcome), "");
    EXPECT_GT(explain(verdict).size(), 10U);
  }
}

TEST(Check, one_that_proves_nothing_is_a_problem) {
  EXPECT_EQ(problem_with(body_check()), std::nullopt);
  const auto key_of = [](auto change) {
    Check check = body_check();
    change(check);
    const auto problem = problem_with(check);
    return problem ? problem->key : "";
  };
  EXPECT_EQ(key_of([](Check& c) { c.signature.clear(); }), "signature");
  EXPECT_EQ(key_of([](Check& c) { c.parts.clear(); }), "signed");
  EXPECT_EQ(key_of([](Check& c) { c.algorithm = Algorithm::equals; }), "signed");
  EXPECT_EQ(key_of([](Check& c) { c.algorithm = Algorithm::sha256; }), "signed");
  EXPECT_EQ(key_of([](Check& c) { c.parts = parts({"${timestamp}"}); }), "signed");
  EXPECT_EQ(key_of([](Check& c) { c.tolerance.emplace(1); }), "tolerance");
  EXPECT_EQ(key_of([](Check& c) {
              c.tolerance.emplace(1);
              c.timestamp = parse_place("header:X-T");
            }),
            "tolerance");
  EXPECT_EQ(key_of([](Check& c) { c.algorithm = Algorithm::rsa_sha256; }), "key");
}

}  // namespace
}  // namespace rockdove::providers
