// Hosts and ports as an operator allows them: "openapi.lingxing.com", "*.feishu.cn:443",
// "[2001:db8::1]:8443".
#pragma once

#include "base/host_port.hpp"

#include <string>
#include <string_view>

namespace rockdove::egress {

/// One form for all spellings of a host: lower case, no final dot, addresses as the system writes them.
std::string canonical_host(std::string_view host);

/// A host, or all hosts below one, and one port.
class HostPattern {
 public:
  /// host[:port] with the port 443 if there is none. The host is a name, an address, "*.name" for every name
  /// below that one (not the name itself), or "*" for every host. Error::malformed for anything else.
  static Result<HostPattern> parse(std::string_view text);

  /// `target.host` is a canonical_host().
  bool matches(const HostPort& target) const;
  bool operator==(const HostPattern&) const = default;

 private:
  enum class Kind { exact, below, every };

  Kind kind_ = Kind::exact;
  std::string host_;  // of `below`: with the dot before it
  std::uint16_t port_ = 0;
};

}  // namespace rockdove::egress
