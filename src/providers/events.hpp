// What a request says: which event it is, or what has to be answered to it at once.
#pragma once

#include "providers/message.hpp"

#include <optional>
#include <string>

namespace rockdove::providers {

/// As text; empty: the request does not say. A text longer than fact_bytes_max is its SHA-256 in hex.
struct Facts {
  std::string id, type, app, chat;
  bool synchronous = false;
  std::optional<std::string> fallback;  ///< JSON; nothing: there is none, and a failure is told as such
};
inline constexpr std::size_t fact_bytes_max = 256;

Facts read_facts(const Message& message);

/// The first rule that is for the request; null if there is none.
const EventRule* event_rule(const Message& message);

struct Answer {
  int status = 200;
  std::string type, body;

  bool operator==(const Answer&) const = default;
};

/// What the server has to say if the request is a challenge, whether an agent is there or not; nothing if it
/// is none. Only after verify() has accepted the request.
std::optional<Answer> challenge_answer(const Message& message, WallTime now);

/// The text of the challenge's answer before it is sealed; nothing if the request is no such challenge, or if
/// it cannot be answered. What was sealed is handed back opened only if it can be such a word as providers
/// make up for it, never a message: at most echo_bytes_max letters, digits and + / = _ . ~ -.
std::optional<std::string> challenge_text(const Challenge& challenge, const Message& message);
inline constexpr std::size_t echo_bytes_max = 128;

/// What tells the provider that the event is safe. Nothing if it has to be sealed and no key is there for it.
std::optional<Answer> ack(const Message& message, WallTime now);

}  // namespace rockdove::providers
