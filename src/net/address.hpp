// Addresses, networks and URLs from text. Pure: nothing here asks the system.
#pragma once

#include "base/host_port.hpp"
#include "net/asio.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace rockdove::net {

/// Where to listen: "0.0.0.0:8080", "[::1]:8080", or ":8080" for every address of this machine.
/// Error::malformed for anything else; a name is not taken, since it may mean several addresses.
Result<Endpoint> parse_listen_address(std::string_view text);

/// "192.0.2.1", "2001:db8::1". Written for every request, so it avoids what Asio's own goes through.
std::string to_string(const Address& address);

/// "192.0.2.1:8080", "[2001:db8::1]:8080".
std::string to_string(const Endpoint& endpoint);

/// A block of addresses (RFC 4632). An IPv4-mapped IPv6 address counts as the IPv4 address it holds, so that
/// a dual-stack socket's callers match the rules written for them.
class Network {
 public:
  /// Reads "10.0.0.0/8", "2001:db8::/32", or one address. Bits after the prefix are ignored.
  /// Error::malformed for anything else.
  static Result<Network> parse(std::string_view text);

  bool contains(const Address& address) const;
  bool operator==(const Network&) const = default;

 private:
  using Bytes = std::array<unsigned char, 16>;

  bool v4_ = false;
  unsigned prefix_ = 0;  ///< significant bits, from the start of the 4 or 16 bytes
  Bytes bytes_{};
};

/// What of a URL (RFC 3986) it takes to connect and ask.
struct Url {
  std::string scheme;  ///< http, https, ws or wss
  std::string host;    ///< a name or an address; IPv6 without brackets
  std::uint16_t port = 0;
  std::string path;  ///< path and query as written, at least "/"

  bool is_tls() const { return scheme == "https" || scheme == "wss"; }
  bool operator==(const Url&) const = default;
};

/// Error::malformed for another scheme, user information (secrets do not belong there), a fragment, white
/// space, control characters or a bad host or port.
Result<Url> parse_url(std::string_view text);

}  // namespace rockdove::net
