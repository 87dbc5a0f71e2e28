// A destination that has a name: its URL, its limits, and who signs its calls.
#pragma once

#include "egress/lines.hpp"
#include "egress/lingxing.hpp"
#include "egress/outlet.hpp"
#include "net/address.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rockdove::egress {

/// The app for which the server signs calls of Lingxing.
struct LingxingApp {
  std::string app_id;              ///< is_lingxing_app_id()
  std::string app_secret;          ///< not empty by the time that a Destination is made
  LingxingGates::Buckets buckets;  ///< calls at a time, of paths that take more than one

  bool operator==(const LingxingApp&) const = default;
};

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
  net::Duration hold = std::chrono::seconds(120);  ///< longest use of one, but for CONNECT; 0: no limit
  std::optional<LingxingApp> lingxing;  ///< calls by name get its token and sign; none: as they are

  bool operator==(const DestinationOptions&) const = default;
};

/// As a Handler: requests whose target and Host are those of the destination already. Loop thread only.
class Destination final : public http::Handler {
 public:
  /// Those of an Outlet that leads to the destination, with the time limits of `limits`.
  static Outlet::Options outlet_options(const DestinationOptions& options, Outlet::Options limits);

  /// `outlet` is made as outlet_options() says; `signer` is there if `options.lingxing` is.
  Destination(DestinationOptions options, std::shared_ptr<Outlet> outlet, std::shared_ptr<Lingxing> signer);

  Awaitable<Result<http::Response>> handle(http::Request&& request) override {
    return lingxing_ ? lingxing_->handle(std::move(request)) : outlet_->handle(std::move(request));
  }
  /// The signer, which may have signed for an older Destination of its app, goes by this one from now on.
  void take_effect();

  const DestinationOptions& options() const { return options_; }
  const std::string& authority() const { return outlet_->authority(); }
  /// canonical_host() and port.
  const HostPort& address() const { return address_; }
  /// Calls get credentials that are the server's: a rule has to name the destination.
  bool lends_credentials() const { return lingxing_ != nullptr; }
  /// The target for a request of `path`.
  std::string target_of(std::string_view path) const;

 private:
  const DestinationOptions options_;
  const HostPort address_;
  const std::shared_ptr<Outlet> outlet_;
  const std::shared_ptr<Lingxing> lingxing_;  // stands before the outlet; null: nothing does
};

}  // namespace rockdove::egress
