// The bytes that a provider has signed, put together from a request.
#pragma once

#include "providers/message.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rockdove::providers {

/// What else a check has found, or tries, when it fills the holes of its parts.
struct Holes {
  std::string_view url, secret, timestamp, nonce, id;
};

/// The text in pieces: the body is not copied. Views into the request, the holes and `owned`.
struct SignedText {
  std::deque<std::string> owned;
  std::vector<std::string_view> pieces;
};

/// The place that is needed and empty, as text.
struct Missing {
  std::string place;
};

std::variant<SignedText, Missing> signed_text(const Check& check, const Message& message, const Holes& holes);

/// `url` with the default port of its scheme written out if it was not, and without it if it was; empty if
/// there is no second way to write it. Some providers sign the one, some the other.
std::string other_url(std::string_view url);

}  // namespace rockdove::providers
