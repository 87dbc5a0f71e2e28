// How a link begins: the agent's upgrade request and the server's answer (RFC 6455 section 4), as values
// and text. No socket in sight; docs/protocol.md shows the bytes.
#pragma once

#include "base/error.hpp"
#include "http/parser.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace rockdove::tunnel {

inline constexpr std::string_view link_target = "/rockdove/v1/link";
inline constexpr std::string_view link_protocol = "rockdove.1";
/// Links that one agent may hold to a server; their indexes are 0 to links_max - 1.
inline constexpr int links_max = 64;

/// True for [a-z0-9][a-z0-9._-]{0,62}.
bool valid_tunnel_name(std::string_view name) noexcept;
/// True for 1 to 64 printable ASCII characters without spaces.
bool valid_agent_name(std::string_view name) noexcept;
/// True for a bearer token of RFC 6750 section 2.1, 1 to 256 characters.
bool valid_secret(std::string_view secret) noexcept;

/// Who opens the streams of a link: `ingress`, the server; `egress`, the agent; `probe`, nobody: somebody
/// looks whether there would be a link. It takes nobody's place, and carries WebSocket pings only.
enum class Direction { ingress, egress, probe };

/// What an agent says of itself and of the link it asks for.
struct LinkHello {
  std::string tunnel;    ///< see valid_tunnel_name()
  std::string secret;    ///< see valid_secret()
  std::string agent;     ///< see valid_agent_name(); two agents of a tunnel have different names
  std::string instance;  ///< 1 to 32 lower-case hex digits, new at each start of the agent
  int link_index = 0;    ///< 0 to links_max - 1; a new link replaces the one of the same agent and index
  std::string version;   ///< of the agent's program: 1 to 32 printable ASCII characters without spaces
  Direction direction = Direction::ingress;

  bool operator==(const LinkHello&) const = default;
};

/// True if every member keeps the limits its comment names.
bool is_valid(const LinkHello& hello) noexcept;

/// The upgrade request. `hello` must be valid; `host` is the value of the Host field; `key` is the base64
/// form of 16 fresh random bytes.
std::string write_hello(const LinkHello& hello, std::string_view host, std::string_view key);

/// Reads the upgrade request; `key` gets its Sec-WebSocket-Key. Error::protocol: not an upgrade to
/// our protocol, or a field of ours that is missing, repeated or outside its limits. Error::unauthorized: no
/// credentials, or credentials that no tunnel can have.
Result<LinkHello> read_hello(const http::RequestHead& head, std::string& key);

/// The answer that begins the link: 101, after which both ends speak WebSocket. `time`: the server's clock,
/// since 1970, for a probe.
std::string write_accept(std::string_view key, std::optional<std::chrono::milliseconds> time = {});

/// Why the server turned an agent away.
struct LinkRefusal {
  int status = 0;       ///< of the HTTP answer, 3xx to 5xx
  std::string reason;   ///< one word for programs, [a-z0-9_]{1,32}: "unauthorized", "draining", ...
  std::string message;  ///< a sentence for people
  std::optional<std::chrono::milliseconds> retry_after;  ///< not to be tried again before

  bool operator==(const LinkRefusal&) const = default;
};

/// The reason that read_answer() gives to an answer which no rockdove server wrote.
inline constexpr std::string_view foreign_answer = "foreign_answer";
/// Longer messages are cut here, by writer and reader. Bytes that are not printable ASCII become '?'.
inline constexpr std::size_t refusal_message_max = 256;
/// A longer retry_after counts as this: no answer may keep an agent away for good.
inline constexpr std::chrono::milliseconds retry_after_max = std::chrono::hours(1);

/// The whole HTTP answer of a refusal, after which the server closes the connection. Reason, message and
/// delay are in fields, which is all an agent reads; the body says the same in JSON.
std::string write_refusal(const LinkRefusal& refusal);

/// The server took the link.
struct LinkAccept {
  std::string version;                            ///< of the server's program
  std::optional<std::chrono::milliseconds> time;  ///< the server's clock, since 1970, if it says so
};
using LinkAnswer = std::variant<LinkAccept, LinkRefusal>;

/// Reads the answer to the request that carried `key`. Any final answer but 101 is a refusal; one that
/// does not come from a rockdove server (a proxy's 502, some other web site) has the reason
/// foreign_answer. Error::protocol: a 101 that does not fit the request, or a status below 200.
Result<LinkAnswer> read_answer(const http::ResponseHead& head, std::string_view key);

}  // namespace rockdove::tunnel
