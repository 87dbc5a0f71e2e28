// What is known of a provider: how its requests are signed and sealed, and what they say. Data, no code.
#pragma once

#include "providers/place.hpp"
#include "providers/template.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::providers {

/// Time as providers know it.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

enum class Algorithm {
  equals,  ///< the secret itself stands where a signature would
  hmac_sha1,
  hmac_sha256,
  hmac_sha512,
  sha1,    ///< of a text that has the secret in it
  sha256,  ///< the same
  ed25519,
  rsa_sha256,
};

/// As the table writes them, in the order of the enumerators.
inline constexpr std::array<std::string_view, 8> algorithm_names{
    "equals", "hmac-sha1", "hmac-sha256", "hmac-sha512", "sha1", "sha256", "ed25519", "rsa-sha256"};

enum class Encoding { hex, base64, text };
inline constexpr std::array<std::string_view, 3> encoding_names{"hex", "base64", "text"};

/// How a secret becomes a key.
enum class KeyForm {
  text,    ///< its bytes
  hex,     ///< decoded
  base64,  ///< decoded
  rsa,     ///< as net::rsa_public_key() reads it
};

enum class TimeUnit {
  seconds,
  milliseconds,
  by_size,  ///< milliseconds from 10^11 on, which as seconds are the year 5138
};

/// One way to prove that a request comes from its provider.
struct Check {
  std::string name;             ///< in verdicts; unique within its scheme
  std::vector<Condition> when;  ///< all hold, else this check is not for the request
  std::string unless;           ///< name of a secret: where it is configured, this check is for no request
  std::string instead_of;       ///< name of an earlier check: tried as well if that one has not proven it
  bool only_challenge = false;  ///< proves a challenge that can be answered, and nothing else
  Algorithm algorithm = Algorithm::hmac_sha256;
  std::vector<Place> signature;  ///< the first that is there
  std::string separator;         ///< between several values in one place; empty: there is one
  std::string prefix;            ///< of a signature among them; others are passed over
  Encoding encoding = Encoding::hex;
  std::optional<Place> timestamp;
  std::string timestamp_prefix;  ///< if the place holds several values, with the same separator
  TimeUnit unit = TimeUnit::by_size;
  std::optional<std::chrono::milliseconds> tolerance;  ///< of the timestamp, both ways; nothing: any age
  std::optional<Place> nonce, id;
  std::vector<Template> parts;  ///< what is signed, one after the other
  bool sorted = false;          ///< the parts are put in order of their bytes first
  std::string secret = "secret";
  KeyForm key = KeyForm::text;
  std::string key_prefix;            ///< taken off the secret before decoding, if it is there
  std::optional<Place> body_digest;  ///< where SHA-256 of the body stands in hex and has to be right

  bool operator==(const Check&) const = default;
};

/// How the body is encrypted.
struct Envelope {
  enum class Kind {
    none,
    feishu,      ///< AES-256-CBC, key SHA-256(secret), IV first
    wechat,      ///< AES-256-CBC, key base64(secret + "="), IV = its beginning, framed, padded to 32
    wechat_pay,  ///< AES-256-GCM, key = secret, nonce and associated data beside the ciphertext
  };
  Kind kind = Kind::none;
  std::vector<Place> at;    ///< of the ciphertext; the first that is there
  std::string secret;       ///< name of the key
  std::string signed_with;  ///< of wechat: name of the secret that signs sealed answers
  std::string receiver;     ///< of wechat: name of the id that a message has to be for; unset: any

  bool operator==(const Envelope&) const = default;
};

/// An answer of our own; `body` is a shown_text.
struct Reply {
  int status = 200;
  std::string type = "application/json";
  Template body;
  bool sealed = false;  ///< encrypted and signed as the envelope says, in its JSON form

  bool operator==(const Reply&) const = default;
};

/// A request that only asks whether anybody is there: answered by the server itself.
struct Challenge {
  std::vector<Condition> when;
  bool is_unsigned = false;    ///< it never has a signature, whatever the checks say
  std::optional<Place> token;  ///< holds the secret `secret`, if one is configured
  std::string secret;
  Reply reply;

  bool operator==(const Challenge&) const = default;
};

/// What an event says of itself. Each is the first template all of whose holes are filled.
struct EventRule {
  std::vector<Condition> when;
  std::vector<Template> id;    ///< the same for a repeated delivery
  std::vector<Template> type;  ///< what happened
  std::vector<Template> app;   ///< which of the provider's apps or tenants it is for
  std::vector<Template> chat;  ///< the conversation or thing whose events have an order
  /// In place of the check's, where that is longer: for events that are never sent again.
  std::optional<std::chrono::milliseconds> tolerance;
  bool synchronous = false;          ///< its sender shows the answer to somebody: it cannot be given later
  std::optional<Template> fallback;  ///< of a synchronous one: the JSON to say if nobody answers in time

  bool operator==(const EventRule&) const = default;
};

struct Scheme {
  std::string name;   ///< [a-z0-9-]
  std::string title;  ///< for people
  std::vector<Check> checks;
  Envelope envelope;
  std::vector<Challenge> challenges;
  std::vector<EventRule> events;             ///< the first that fits
  Reply ack;                                 ///< for an event that is stored
  int refusal = 401;                         ///< status for a request that is not proven
  std::chrono::milliseconds deadline{2500};  ///< for a synchronous answer

  bool operator==(const Scheme&) const = default;
};

/// The names of all secrets that a scheme can use, in order, each once.
std::vector<std::string> secret_names(const Scheme& scheme);

}  // namespace rockdove::providers
