// The way out of a network that lets nothing through but its HTTP proxy (RFC 9110 section 9.3.6).
#pragma once

#include "base/host_port.hpp"
#include "net/asio.hpp"
#include "net/dial.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rockdove::net {

struct Proxy {
  HostPort address;
  std::string credentials;  ///< "user:password", decoded; empty: none. Secret: never logged.

  bool operator==(const Proxy&) const = default;
};

/// The value of an environment variable, or nothing if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Reads "http://user:password@host:port", the scheme and the user part being optional; the port is 80 then.
/// Error::not_implemented for a proxy of another kind (https, socks5), Error::malformed for anything else.
Result<Proxy> parse_proxy(std::string_view text);

/// The proxy that leads to `target`: https_proxy, HTTPS_PROXY, all_proxy or ALL_PROXY, whichever is set
/// first, unless no_proxy or NO_PROXY covers the target. That is a list with commas of "*", names (which
/// cover the names below them, with or without a dot before), addresses and networks, each with ":port" if
/// need be. Targets on this machine itself never go through a proxy. Errors as of parse_proxy().
Result<std::optional<Proxy>> proxy_for(const Environment& environment, const HostPort& target);

/// Connects to `target` through `proxy`: CONNECT, with Basic credentials (RFC 7617) if there are any. The
/// timeout is for all of it. Error::protocol if the proxy does not answer in HTTP, permission_denied if
/// it refuses: `refusal` gets its status line ("403 Forbidden"); without one the log says it. Else the errors
/// of dial(). The next bytes on the socket are the target's.
Awaitable<Result<TcpSocket>> dial_through_proxy(Proxy proxy, HostPort target, DialOptions options,
                                                std::string* refusal = nullptr);

}  // namespace rockdove::net
