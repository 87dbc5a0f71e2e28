// What Lingxing says in an answer's JSON: it answers nearly everything with status 200.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace rockdove::egress {

/// Access to a company's data for about two hours. Secret.
struct LingxingGrant {
  std::string access_token;
  std::string refresh_token;         ///< good for one refresh; may be empty
  std::chrono::seconds lifetime{0};  ///< of the access token, from the answer on
};

struct LingxingAnswer {
  std::string code;     ///< business endpoints send a number, the token endpoints a string
  std::string message;  ///< `msg` or `message`: UTF-8 for people, at most lingxing_message_max bytes
  std::optional<LingxingGrant> grant;
};

inline constexpr std::size_t lingxing_message_max = 300;

/// Nothing if `text` is not a JSON object with a `code` that is a string of at most 32 bytes or an integer.
std::optional<LingxingAnswer> parse_lingxing_answer(std::string_view text);

enum class LingxingVerdict {
  final,  ///< for the caller, whatever it says
  stale,  ///< 2001003, 2001005: nothing was done, because the token is not valid, or not any more
  busy,   ///< 3001008, 103: nothing was done, because too many calls of the kind are running
};

LingxingVerdict judge_lingxing(std::string_view code) noexcept;

}  // namespace rockdove::egress
