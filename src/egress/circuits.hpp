// CONNECT: a connection to a host and port, and bytes both ways (RFC 9110 section 9.3.6).
#pragma once

#include "egress/call.hpp"
#include "net/dial.hpp"
#include "net/task_group.hpp"

namespace rockdove::egress {

/// Opens circuits and moves their bytes. Each direction ends for itself. Loop thread only; close() must have
/// returned before it is destroyed.
class Circuits {
 public:
  struct Limits {
    net::Duration connect = std::chrono::seconds(10);  ///< for the connection, name lookup included
    net::Duration idle = std::chrono::minutes(10);     ///< without a byte either way a circuit ends; 0: never
  };

  explicit Circuits(net::Executor executor);

  /// A switched 200 once the connection to `target` stands; `permits` as in net::DialOptions. What `outgoing`
  /// brings is sent there. Error::address_denied, Error::destination_refused or Error::destination_timeout.
  Awaitable<Result<http::Response>> open(CallPtr call, HostPort target,
                                         std::function<bool(const net::Address&)> permits, Limits limits,
                                         std::unique_ptr<http::Body> outgoing);
  /// Ends all circuits, and returns when they are gone.
  Awaitable<void> close();

 private:
  struct Circuit;
  class Incoming;
  static Awaitable<void> send(std::shared_ptr<Circuit> circuit, std::unique_ptr<http::Body> outgoing);

  const net::Executor executor_;
  net::TaskGroup group_;
};

}  // namespace rockdove::egress
