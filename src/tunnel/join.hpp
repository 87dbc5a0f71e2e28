// The join string: all that an agent needs to reach its server, as one line that survives copy and paste.
//
//   rockdove1.<base64url of a JSON object>.<first 8 hex digits of the SHA-256 of the base64url text>
//
// The object's keys are v (format version, 1), a (addresses), t (tunnel), s (secret), m (how to check the
// server: "pin", "ca" or "off") and p (pin); unknown keys are left aside, so that a later program may add
// some. The checksum tells a truncated or mistyped paste apart from a wrong secret.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rockdove::tunnel {

struct JoinInfo {
  /// How the agent checks the server: its pinned key, certificate authorities, or no TLS at all.
  enum class Tls { pin, ca, off };

  std::vector<std::string> addresses;  ///< 1 to 8 of "host:port" (an IPv6 host in brackets), tried in order
  std::string tunnel;                  ///< see valid_tunnel_name()
  std::string secret;                  ///< see valid_secret()
  Tls tls = Tls::pin;
  std::string pin;  ///< base64url SHA-256 of the server's public key, 43 characters; only with Tls::pin

  bool operator==(const JoinInfo&) const = default;
};

/// Why a join string was not taken: a sentence for the person who pasted it. Never quotes the string.
struct JoinError {
  std::string message;
};

/// The longest join string in bytes, white space left out, that is looked at. No valid JoinInfo makes a
/// longer one. With white space it may be four times as long.
inline constexpr std::size_t join_string_max = 4096;

/// True if every member keeps the limits its comment names.
bool is_valid(const JoinInfo& info);

/// The join string without a newline. `info` must be valid.
std::string encode_join(const JoinInfo& info);

/// Reads what a person pasted: white space anywhere (a terminal wraps long lines) and a pair of quotes
/// around it do not matter. A JoinInfo that is returned is valid.
std::variant<JoinInfo, JoinError> decode_join(std::string_view text);

}  // namespace rockdove::tunnel
