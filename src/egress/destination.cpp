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

}  // namespace

Destination::Destination(net::Executor executor, DestinationOptions options, Outlet::Options outlet,
                         const Decorate& decorate)
    : options_(std::move(options)),
      address_{canonical_host(options_.url.host), options_.url.port},
      outlet_(executor, with_destination(std::move(outlet), options_)),
      decorator_(decorate ? decorate(options_, outlet_) : nullptr) {}

std::string Destination::target_of(std::string_view path) const {
  std::string_view base = options_.url.path;
  if (base.ends_with('/')) base.remove_suffix(1);
  return std::string(base).append(path);
}

}  // namespace rockdove::egress
