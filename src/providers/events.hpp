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

struct Answer {
  int status = 200;
  std::string type, body;

  bool operator==(const Answer&) const = default;
};

/// What the server has to say if the request is a challenge, whether an agent is there or not; nothing if it
/// is none. Only after verify() has accepted the request.
std::optional<Answer> challenge_answer(const Message& message, WallTime now);

/// What tells the provider that the event is safe. Nothing if it has to be sealed and no key is there for it.
std::optional<Answer> ack(const Message& message, WallTime now);

}  // namespace rockdove::providers
