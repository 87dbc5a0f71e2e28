#include "providers/verify.hpp"

#include "base/text.hpp"
#include "net/crypto.hpp"
#include "net/signing.hpp"
#include "providers/events.hpp"
#include "providers/signed_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace rockdove::providers {
namespace {

constexpr std::array<std::string_view, 11> outcome_names{
    "ok",        "unchecked", "no_secret", "bad_secret", "unrecognised",  "missing",
    "malformed", "mismatch",  "too_old",   "too_new",    "undecipherable"};

// As seconds the year 5138, as milliseconds 1973.
constexpr std::int64_t milliseconds_from = 100'000'000'000;

/// The values of one place that begin with `prefix`, without it. Nothing if there are too many.
std::optional<std::vector<std::string_view>> values_in(std::string_view text, std::string_view separator,
                                                       std::string_view prefix) {
  std::vector<std::string_view> values;
  for (std::size_t count = 0;; ++count) {
    if (count == signatures_max) return std::nullopt;
    const auto end = separator.empty() ? text.npos : text.find(separator);
    const std::string_view value = trim(text.substr(0, end));
    if (value.starts_with(prefix)) values.push_back(value.substr(prefix.size()));
    if (end == text.npos) return values;
    text.remove_prefix(end + separator.size());
  }
}

std::optional<std::string> decode(Encoding encoding, std::string_view text) {
  if (text.empty()) return std::nullopt;
  switch (encoding) {
    case Encoding::hex: return net::hex_decode(text);
    case Encoding::base64: return net::base64_decode(text);
    case Encoding::text: break;
  }
  return std::string(text);
}

std::string join(const SignedText& text) {
  std::string whole;
  for (const std::string_view piece : text.pieces) whole += piece;
  return whole;
}

/// In constant time, whatever the sizes.
bool same(std::string_view a, std::string_view b) {
  return net::equal_in_constant_time(net::sha256(a), net::sha256(b));
}

/// Tries one check on one request.
class Trial {
 public:
  Trial(const Check& check, const Message& message) : check_(check), message_(message) {}

  Verdict run(WallTime now) {
    if (find_signatures() && find_others() && digest_is_right() && matches() &&
        judge_age(now, check_.tolerance) && opens())
      judge_meaning(now);
    verdict_.check = check_.name;
    return std::move(verdict_);
  }

 private:
  bool fail(Outcome outcome, std::string part) {
    verdict_.outcome = outcome;
    verdict_.part = std::move(part);
    return false;
  }

  bool find_signatures() {
    const Place* at = nullptr;
    for (const Place& place : check_.signature) {
      auto found = message_.value(place);
      if (!found) continue;
      header_ = std::move(*found);
      at = &place;
      break;
    }
    place_ = to_text(at ? *at : check_.signature.front());
    if (!at) return fail(Outcome::missing, place_);
    const auto values = values_in(header_, check_.separator, check_.prefix);
    if (!values) return fail(Outcome::malformed, place_);
    for (const std::string_view value : *values)
      if (auto bytes = decode(check_.encoding, value)) signatures_.push_back(std::move(*bytes));
    return !signatures_.empty() || fail(Outcome::malformed, place_);
  }

  bool find(const std::optional<Place>& place, std::string& into) {
    if (!place) return true;
    auto found = message_.value(*place);
    if (!found) return fail(Outcome::missing, to_text(*place));
    into = std::move(*found);
    return true;
  }

  bool find_others() {
    if (!find(check_.timestamp, timestamp_) || !find(check_.nonce, nonce_) || !find(check_.id, id_))
      return false;
    if (!check_.timestamp) return true;
    if (!check_.timestamp_prefix.empty()) {
      const auto values = values_in(timestamp_, check_.separator, check_.timestamp_prefix);
      if (!values || values->empty()) return fail(Outcome::malformed, to_text(*check_.timestamp));
      timestamp_ = std::string(values->front());
    }
    const auto [end, error] =
        std::from_chars(timestamp_.data(), timestamp_.data() + timestamp_.size(), time_);
    const bool ok = error == std::errc{} && end == timestamp_.data() + timestamp_.size() &&
                    timestamp_.front() != '-' && timestamp_.size() <= timestamp_digits_max;
    return ok || fail(Outcome::malformed, to_text(*check_.timestamp));
  }

  bool digest_is_right() {
    std::string digest;
    if (!check_.body_digest) return true;
    if (!find(check_.body_digest, digest)) return false;
    const auto bytes = net::hex_decode(digest);
    if (!bytes) return fail(Outcome::malformed, to_text(*check_.body_digest));
    return net::equal_in_constant_time(*bytes, net::sha256(message_.request().body)) ||
           fail(Outcome::mismatch, to_text(*check_.body_digest));
  }

  bool matches() {
    const std::string_view url = message_.request().url;
    const std::string other = other_url(url);
    std::size_t tried = 0;
    for (const std::string& secret : message_.secrets().values(check_.secret)) {
      if (++tried > secrets_max) break;
      const auto key = decode_key(check_, secret);
      if (!key) return fail(Outcome::bad_secret, check_.secret);
      for (const std::string_view variant : {url, std::string_view(other)}) {
        if (variant.empty() && !url.empty()) continue;
        const Holes holes{variant, secret, timestamp_, nonce_, id_};
        const auto text = signed_text(check_, message_, holes);
        if (const auto* missing = std::get_if<Missing>(&text)) return fail(Outcome::missing, missing->place);
        if (any_signature_of(std::get<SignedText>(text), *key)) {
          message_.note_proof(secret);
          return true;
        }
        if (!uses_url()) break;
      }
    }
    return fail(Outcome::mismatch, place_);
  }

  bool uses_url() const {
    for (const Template& parts : check_.parts)
      for (const Part& part : parts)
        if (part.kind == Part::Kind::url) return true;
    return false;
  }

  bool any_signature_of(const SignedText& text, const std::string& key) const {
    switch (check_.algorithm) {
      case Algorithm::equals: return any_equals(key);
      case Algorithm::hmac_sha1: return any_equals(net::hmac(net::Digest::sha1, key, text.pieces));
      case Algorithm::hmac_sha256: return any_equals(net::hmac(net::Digest::sha256, key, text.pieces));
      case Algorithm::hmac_sha512: return any_equals(net::hmac(net::Digest::sha512, key, text.pieces));
      case Algorithm::sha1: return any_equals(net::digest(net::Digest::sha1, text.pieces));
      case Algorithm::sha256: return any_equals(net::digest(net::Digest::sha256, text.pieces));
      case Algorithm::ed25519: {
        const std::string whole = join(text);
        return any([&](const std::string& signature) { return net::ed25519_verify(key, whole, signature); });
      }
      case Algorithm::rsa_sha256:
        return any([&](const std::string& signature) {
          return net::rsa_sha256_verify(key, text.pieces, signature);
        });
    }
    return false;
  }

  template <class Test>
  bool any(Test test) const {
    bool found = false;
    for (const std::string& signature : signatures_) found = test(signature) || found;
    return found;
  }
  bool any_equals(std::string_view expected) const {
    return any([expected](const std::string& signature) { return same(signature, expected); });
  }

  /// The signature is right.
  bool judge_age(WallTime now, const std::optional<std::chrono::milliseconds>& limit) {
    verdict_.outcome = Outcome::ok;
    verdict_.only_challenge = check_.only_challenge;
    if (!check_.timestamp || !limit) return true;
    const bool is_fine = check_.unit == TimeUnit::milliseconds ||
                         (check_.unit == TimeUnit::by_size && time_ >= milliseconds_from);
    // In whole seconds where the timestamp has no finer ones; sixteen digits of them do not overflow.
    const std::int64_t own = is_fine ? 1000 : 1;
    const std::int64_t present = now.time_since_epoch().count() / (1000 / own);
    const std::int64_t tolerance = limit->count() / (1000 / own);
    if (time_ < present - tolerance) return fail(Outcome::too_old, to_text(*check_.timestamp));
    return time_ <= present + tolerance || fail(Outcome::too_new, to_text(*check_.timestamp));
  }

  bool opens() {
    if (message_.opened()) return true;
    const std::string& key = message_.scheme().envelope.secret;
    return fail(message_.secrets().has(key) ? Outcome::undecipherable : Outcome::no_secret, key);
  }

  /// What may be looked at only now that it is known whose words these are.
  void judge_meaning(WallTime now) {
    if (check_.only_challenge) {
      const auto& challenges = message_.scheme().challenges;
      if (std::ranges::none_of(challenges, [this](const Challenge& each) {
            return challenge_text(each, message_).has_value();
          }))
        fail(Outcome::unrecognised, "");
      return;
    }
    const EventRule* const rule = check_.timestamp ? event_rule(message_) : nullptr;
    if (rule && rule->tolerance) judge_age(now, rule->tolerance);
  }

  const Check& check_;
  const Message& message_;
  Verdict verdict_;
  std::string header_, place_, timestamp_, nonce_, id_;
  std::int64_t time_ = 0;
  std::vector<std::string> signatures_;  // decoded
};

// A challenge is short. Of a longer body nobody without a signature shall learn, by the time that it takes,
// whether it could be opened.
constexpr std::size_t challenge_bytes_max = 4 * 1024;

bool is_for(const Check& check, const Message& message) {
  return message.hold(check.when) && (check.unless.empty() || !message.secrets().has(check.unless));
}

/// The verdict on a challenge that comes unsigned; nothing if the request is none.
std::optional<Verdict> judge_unsigned(const Message& message) {
  if (message.request().body.size() > challenge_bytes_max) return std::nullopt;
  for (const Challenge& challenge : message.scheme().challenges) {
    if (!challenge.is_unsigned) continue;
    if (!challenge_text(challenge, message)) continue;  // what cannot be answered is no challenge
    Verdict verdict{Outcome::ok, "challenge", {}, true};
    const auto& secrets = message.secrets().values(challenge.secret);
    if (!challenge.token || secrets.empty()) return verdict;
    const auto token = message.value(*challenge.token);
    bool found = false;
    for (const std::string& secret : secrets) found = (token && same(*token, secret)) || found;
    if (found) return verdict;
    verdict.outcome = token ? Outcome::mismatch : Outcome::missing;
    verdict.part = to_text(*challenge.token);
    return verdict;
  }
  return std::nullopt;
}

/// False if what would be a signature of this kind was not there.
bool has_signature(const Verdict& verdict) {
  return verdict.outcome != Outcome::missing && verdict.outcome != Outcome::malformed;
}

/// True if the signature is right, whatever else is wrong.
bool is_signed(const Verdict& verdict) {
  return has_signature(verdict) && verdict.outcome != Outcome::mismatch &&
         verdict.outcome != Outcome::bad_secret;
}

}  // namespace

std::string_view outcome_name(Outcome outcome) noexcept {
  return outcome_names[static_cast<std::size_t>(outcome)];
}

Verdict verify(const Message& message, WallTime now) {
  if (message.secrets().empty()) return Verdict{Outcome::unchecked, {}, {}};
  if (auto verdict = judge_unsigned(message)) return std::move(*verdict);
  Verdict verdict;
  const Check* decisive = nullptr;
  for (const Check& check : message.scheme().checks) {
    if (decisive && check.instead_of != decisive->name) continue;
    if (!is_for(check, message)) continue;
    if (!message.secrets().has(check.secret)) {
      if (verdict.outcome == Outcome::unrecognised)
        verdict = Verdict{Outcome::no_secret, check.name, check.secret};
      continue;
    }
    Verdict next = Trial(check, message).run(now);
    if (!decisive || is_signed(next) || !has_signature(verdict)) verdict = std::move(next);
    if (!decisive) decisive = &check;
    if (is_signed(verdict)) break;
  }
  return verdict;
}

Verdict verify(const Scheme& scheme, const Secrets& secrets, const RequestView& request, WallTime now) {
  return verify(Message(scheme, secrets, request), now);
}

std::string explain(const Verdict& verdict) {
  const std::string& part = verdict.part;
  switch (verdict.outcome) {
    case Outcome::ok: return "the request is proven";
    case Outcome::unchecked: return "no secret is configured: nothing was checked";
    case Outcome::no_secret:
      return "such a request is checked with the secret " + part + ", which is not set";
    case Outcome::bad_secret: return "the secret " + part + " is not in the form of a key";
    case Outcome::unrecognised: return "no check of this provider is for such a request";
    case Outcome::missing: return part + " is missing: not from this provider, or not signed";
    case Outcome::malformed: return part + " is not in the form that this provider uses";
    case Outcome::mismatch:
      return part + " does not match: another secret, or the request was changed on its way";
    case Outcome::too_old:
      return part + " is too far back: an old request sent again, or a clock that is wrong";
    case Outcome::too_new: return part + " is in the future: this clock or the provider's is wrong";
    case Outcome::undecipherable: return "the body cannot be decrypted with the secret " + part;
  }
  return {};
}

}  // namespace rockdove::providers
