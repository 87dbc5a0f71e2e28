#include "egress/destination.hpp"

#include "egress/address_rules.hpp"
#include "egress/host_pattern.hpp"

namespace rockdove::egress {

Outlet::Options Destination::outlet_options(const DestinationOptions& options, Outlet::Options limits) {
  limits.address = {options.url.host, options.url.port};
  limits.tls = options.url.is_tls();
  limits.ca_file = options.ca_file;
  limits.permits = [networks = options.networks](const net::Address& address) {
    return is_permitted(address, networks);
  };
  return limits;
}

Destination::Destination(DestinationOptions options, std::shared_ptr<Outlet> outlet,
                         std::shared_ptr<Lingxing> signer)
    : options_(std::move(options)),
      address_{canonical_host(options_.url.host), options_.url.port},
      outlet_(std::move(outlet)),
      lingxing_(std::move(signer)) {}

void Destination::take_effect() {
  if (lingxing_) lingxing_->adopt(outlet_, options_.lingxing->app_secret, options_.lingxing->buckets);
}

std::string Destination::target_of(std::string_view path) const {
  std::string_view base = options_.url.path;
  if (base.ends_with('/')) base.remove_suffix(1);
  return std::string(base).append(path);
}

}  // namespace rockdove::egress
