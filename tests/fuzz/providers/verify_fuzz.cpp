// Foreign requests against every kind of check, envelope and challenge: nothing throws, nothing forged is
// accepted, what is signed is accepted, and what is called a challenge can be answered.
#include "net/crypto.hpp"
#include "net/signing.hpp"
#include "providers/events.hpp"
#include "providers/verify.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace rockdove;
using namespace rockdove::providers;

constexpr WallTime now{std::chrono::seconds(1'700'000'000)};

void require(bool holds) {
  if (!holds) std::abort();
}

Template shape(std::string_view text, Use use) {
  return std::get<Template>(parse_template(text, use));
}

Check make_check(Algorithm algorithm, std::vector<const char*> parts, const char* signature) {
  Check check;
  check.algorithm = algorithm;
  check.signature = {*parse_place(signature)};
  for (const char* part : parts) check.parts.push_back(shape(part, Use::signed_text));
  check.timestamp = parse_place("header:T");
  check.nonce = parse_place("query:n");
  check.separator = ",";
  return check;
}

Scheme make_scheme(Envelope::Kind kind, Check check) {
  Scheme scheme;
  scheme.envelope = {
      kind, {*parse_place("json:/encrypt"), *parse_place("xml:/Encrypt")}, "key", "secret", ""};
  scheme.checks.push_back(std::move(check));
  Challenge challenge;
  challenge.when = {*parse_condition("opened:/type = url_verification")};
  challenge.is_unsigned = true;
  challenge.reply.body = shape("{\"challenge\":${quoted opened:/challenge}}", Use::shown_text);
  scheme.challenges.push_back(std::move(challenge));
  EventRule event;
  event.id = {shape("${opened:/header/event_id}", Use::shown_text), shape("${opened}", Use::shown_text)};
  scheme.events.push_back(std::move(event));
  return scheme;
}

const std::vector<Scheme>& schemes() {
  using Kind = Envelope::Kind;
  static const std::vector<Scheme> all{
      make_scheme(Kind::feishu,
                  make_check(Algorithm::sha256, {"${timestamp}${nonce}${secret}${body}"}, "header:S")),
      make_scheme(Kind::wechat,
                  [] {
                    auto check = make_check(Algorithm::sha1,
                                            {"${secret}", "${timestamp}", "${nonce}", "${body}"}, "query:s");
                    check.sorted = true;
                    return check;
                  }()),
      make_scheme(Kind::wechat_pay,
                  make_check(Algorithm::rsa_sha256, {"${timestamp}\n${body}\n"}, "header:S")),
      make_scheme(Kind::none, make_check(Algorithm::hmac_sha1, {"${url}${form}${body}"}, "header:S")),
      make_scheme(Kind::none,
                  make_check(Algorithm::ed25519, {"${form_pairs except a}${body}"}, "form:sign"))};
  return all;
}

/// Cuts one line off.
std::string_view line(std::string_view& rest) {
  const std::string_view found = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(found.size() + 1, rest.size()));
  return found;
}

/// A scheme that signs what it gets accepts its own signature, and no other body with it.
void check_own_signature(std::string_view url, std::string_view body) {
  static const Scheme scheme = [] {
    Check check;
    check.signature = {*parse_place("header:S")};
    check.parts = {shape("v0:${body}", Use::signed_text)};
    return make_scheme(Envelope::Kind::none, std::move(check));
  }();
  Secrets secrets;
  secrets.add("secret", "k");
  const std::string_view pieces[] = {"v0:", body};
  http::Fields fields;
  fields.add("S", net::hex(net::hmac(net::Digest::sha256, "k", pieces)));
  require(verify(scheme, secrets, {"POST", url, fields, body}, now).accepted());
  const std::string other = std::string(body) + " ";
  const Verdict verdict = verify(scheme, secrets, {"POST", url, fields, other}, now);
  require(verdict.outcome == Outcome::mismatch || verdict.check == "challenge");
}

}  // namespace

/// Lines: a digit (the scheme), the URL, the timestamp, the signature; then the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view digit = line(rest), url = line(rest), timestamp = line(rest), signature = line(rest);
  const std::size_t which = digit.empty() ? 0 : static_cast<unsigned>(digit.front() - '0') % schemes().size();
  http::Fields fields;
  fields.add("T", timestamp);
  fields.add("S", signature);
  const RequestView request{"POST", url, fields, rest};

  Secrets secrets;
  secrets.add("secret", "not to be guessed: 7c1f0c55");
  secrets.add("key", which == 1 ? "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG" : "ekey");
  const Message message(schemes()[which], secrets, request);
  const Verdict verdict = verify(message, now);
  require(verdict.outcome != Outcome::unchecked);
  require(!verdict.accepted() || verdict.check == "challenge");
  if (verdict.accepted()) require(challenge_answer(message, now).has_value());
  require(!explain(verdict).empty());
  const Facts facts = read_facts(message);
  require(facts.id.size() <= fact_bytes_max);
  require(verify(schemes()[which], {}, request, now).outcome == Outcome::unchecked);

  check_own_signature(url, rest);
  for (const Use use : {Use::signed_text, Use::shown_text}) {
    const auto parsed = parse_template(url, use);
    if (const auto* parts = std::get_if<Template>(&parsed))
      require(std::get<Template>(parse_template(to_text(*parts), use)) == *parts);
  }
  if (const auto condition = parse_condition(url)) require(parse_condition(to_text(*condition)) == condition);
  return 0;
}
