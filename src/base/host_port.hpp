// A host and a port as people write them: "example.com:8081", "[::1]:8081".
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rockdove {

struct HostPort {
  std::string host;  ///< a name or an address; IPv6 without brackets
  std::uint16_t port = 0;

  bool operator==(const HostPort&) const = default;
};

/// Reads host:port, or host alone if there is a `default_port`. An IPv6 address stands in brackets (RFC 3986
/// section 3.2.2). Error::malformed for anything else: no host, a port over 65535, bytes that no host has.
Result<HostPort> parse_host_port(std::string_view text, std::optional<std::uint16_t> default_port = {});

/// "host:port", with brackets around IPv6: what parse_host_port() reads back.
std::string to_string(const HostPort& address);

}  // namespace rockdove
