#include "doctor/listening.hpp"

#include "net/address.hpp"

#include <boost/asio/ip/v6_only.hpp>

namespace rockdove::doctor {

boost::system::error_code try_listening(net::Executor executor, const HostPort& address) {
  const auto endpoint = net::parse_listen_address(to_string(address));
  if (!endpoint) return endpoint.error();
  net::TcpAcceptor acceptor(executor);
  boost::system::error_code error, ignored;
  acceptor.open(endpoint->protocol(), error);
  if (error) return error;
  // As a server binds: connections of its last run that linger do not count.
  acceptor.set_option(net::TcpAcceptor::reuse_address(true), ignored);
  if (endpoint->protocol() == net::asio::ip::tcp::v6())
    acceptor.set_option(net::asio::ip::v6_only(false), ignored);
  acceptor.bind(*endpoint, error);
  return error;
}

}  // namespace rockdove::doctor
