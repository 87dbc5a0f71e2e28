// Outgoing TCP connections by name.
#pragma once

#include "base/host_port.hpp"
#include "net/asio.hpp"

#include <functional>

namespace rockdove::net {

struct DialOptions {
  Duration timeout = std::chrono::seconds(10);  ///< for everything: the lookup and all attempts
  /// Asked of each address of the target before it is connected to; empty: every address will do.
  std::function<bool(const Address&)> permits{};
};

/// Connects to `target`, a name or an address. Tries the name's addresses in the system's order with the
/// families taking turns, each a head start of 250 ms before the next one joins in; the first to connect wins
/// (RFC 8305). Error::timed_out, Error::address_denied if `permits` denies all of them, the lookup's error
/// (Error::unavailable: too many names are being looked up), or the first attempt's error if all failed.
/// Cancelling gives everything up at once.
Awaitable<Result<TcpSocket>> dial(HostPort target, DialOptions options);

}  // namespace rockdove::net
