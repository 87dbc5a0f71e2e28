// A destination that has a name: its URL, its limits, and what stands before the way to it.
#pragma once

#include "egress/lines.hpp"
#include "egress/outlet.hpp"
#include "net/address.hpp"

#include <memory>
#include <string>
#include <vector>

namespace rockdove::egress {

/// One [[egress.destination]].
struct DestinationOptions {
  std::string name;  ///< [a-z0-9._-]{1,63}: the first segment of the path that local programs use
  net::Url url;      ///< http or https; its path, if there is one, comes before that of each request
  std::filesystem::path ca_file;       ///< in place of the system's authorities
  std::vector<net::Network> networks;  ///< special addresses that its host may have nevertheless
  std::size_t concurrency = 0;  ///< calls to its host and port at a time, CONNECT included; 0: no limit
  std::size_t concurrency_per_path = 0;  ///< calls to one path (without the query) at a time; 0: no limit
  std::size_t waiting = 256;             ///< calls that wait for a place, per line; more: 503
  net::Duration wait = std::chrono::seconds(120);  ///< longest wait for one

  bool operator==(const DestinationOptions&) const = default;
};

/// Makes what stands before the way to a destination and answers in its place, mostly by asking `next`: it
/// may add credentials and signatures. Null: nothing stands there. `next` outlives it.
using Decorate =
    std::function<std::unique_ptr<http::Handler>(const DestinationOptions& options, http::Handler& next)>;

/// As a Handler: requests whose target and Host are those of the destination already. Loop thread only;
/// close() must have returned before it is destroyed.
class Destination final : public http::Handler {
 public:
  /// `outlet.address` and the like are set from `options`; the time limits of `outlet` count.
  Destination(net::Executor executor, DestinationOptions options, Outlet::Options outlet,
              const Decorate& decorate);

  Awaitable<Result<http::Response>> handle(http::Request request) override {
    return decorator_ ? decorator_->handle(std::move(request)) : outlet_.handle(std::move(request));
  }
  Awaitable<void> close() { return outlet_.close(); }

  const DestinationOptions& options() const { return options_; }
  const std::string& authority() const { return outlet_.authority(); }
  /// canonical_host() and port.
  const HostPort& address() const { return address_; }
  /// It adds credentials of the server's: a rule has to name it.
  bool is_decorated() const { return decorator_ != nullptr; }
  /// The target for a request of `path`.
  std::string target_of(std::string_view path) const;

 private:
  const DestinationOptions options_;
  const HostPort address_;
  Outlet outlet_;
  const std::unique_ptr<http::Handler> decorator_;
};

}  // namespace rockdove::egress
