#include "egress/destination.hpp"

#include "egress/address_rules.hpp"
#include "egress/host_pattern.hpp"

namespace rockdove::egress {
namespace {

Outlet::Options with_destination(Outlet::Options outlet, const DestinationOptions& options) {
  outlet.address = {options.url.host, options.url.port};
  outlet.tls = options.url.is_tls();
  outlet.ca_file = options.ca_file;
  outlet.permits = [networks = options.networks](const net::Address& address) {
    return is_permitted(address, networks);
  };
  return outlet;
}

std::unique_ptr<Lingxing> signer(net::Executor executor, http::Handler& next,
                                 const std::optional<LingxingApp>& app, WallClock clock) {
  if (!app) return nullptr;
  Lingxing::Options options;
  options.app_id = app->app_id;
  options.app_secret = app->app_secret;
  options.gates.buckets = app->buckets;
  return std::make_unique<Lingxing>(executor, next, std::move(options), std::move(clock));
}

}  // namespace

Destination::Destination(net::Executor executor, DestinationOptions options, Outlet::Options outlet,
                         WallClock clock)
    : options_(std::move(options)),
      address_{canonical_host(options_.url.host), options_.url.port},
      outlet_(executor, with_destination(std::move(outlet), options_)),
      lingxing_(signer(executor, outlet_, options_.lingxing, std::move(clock))) {}

Awaitable<void> Destination::close() {
  if (lingxing_) co_await lingxing_->close();
  co_await outlet_.close();
}

std::string Destination::target_of(std::string_view path) const {
  std::string_view base = options_.url.path;
  if (base.ends_with('/')) base.remove_suffix(1);
  return std::string(base).append(path);
}

}  // namespace rockdove::egress
