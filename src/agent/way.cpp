#include "agent/way.hpp"

#include "http/fields.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstdlib>

namespace rockdove::agent {
namespace {

std::optional<std::string> environment(const std::string& name) {
  const char* value =
      std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nothing sets the environment
  return value ? std::optional<std::string>(value) : std::nullopt;
}

bool is_own(const HostPort& proxy, const HostPort& own) {
  if (proxy.port != own.port) return false;
  std::string host = proxy.host;
  if (host.ends_with('.')) host.pop_back();
  boost::system::error_code no_address;
  const net::Address address = net::asio::ip::make_address(host, no_address);
  return http::iequals(host, own.host) || http::iequals(host, "localhost") ||
         (!no_address && (address.is_loopback() || address.is_unspecified()));
}

}  // namespace

Result<std::optional<net::Proxy>> way_to_server(const std::string& setting,
                                                const std::optional<HostPort>& own_proxy,
                                                const HostPort& address) {
  std::optional<net::Proxy> proxy;
  if (setting.empty()) {
    auto found = net::proxy_for(environment, address);
    if (!found) return found.error();
    proxy = std::move(*found);
  } else if (setting != "none") {
    auto named = net::parse_proxy(setting);
    if (!named) return named.error();
    proxy = std::move(*named);
  }
  if (proxy && own_proxy && is_own(proxy->address, *own_proxy)) proxy.reset();
  return proxy;
}

}  // namespace rockdove::agent
