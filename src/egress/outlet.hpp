// The way to one destination by HTTP: a client that connects to nothing but permitted addresses.
#pragma once

#include "http/client.hpp"

#include <filesystem>
#include <functional>

namespace rockdove::egress {

/// Sends requests on. Failures are Error::destination_… and Error::address_denied. Loop thread only; close()
/// must have returned before it is destroyed.
class Outlet final : public http::Handler {
 public:
  struct Options {
    HostPort address;
    bool tls = false;
    std::filesystem::path ca_file;  ///< in place of the system's authorities
    std::function<bool(const net::Address&)> permits;
    net::Duration connect_timeout = std::chrono::seconds(10);
    net::Duration first_byte_timeout = std::chrono::seconds(150);
    net::Duration idle_timeout = std::chrono::minutes(10);
  };

  /// Throws std::exception that names the file if `ca_file` is no good.
  Outlet(net::Executor executor, Options options);

  Awaitable<Result<http::Response>> handle(http::Request&& request) override;
  Awaitable<void> close() { return client_.close(); }
  /// What stands in the Host field.
  const std::string& authority() const { return client_.authority(); }

 private:
  http::Client::Options client_options(Options options);

  boost::system::error_code connect_error_;  // of the last attempt
  http::Client client_;
};

}  // namespace rockdove::egress
