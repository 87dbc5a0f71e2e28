#include "cli/server_address.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/udp.hpp>

#include <algorithm>

namespace rockdove::cli {

namespace asio = boost::asio;

GuessedAddress guess_server_address() {
  asio::io_context context;
  asio::ip::udp::socket socket(context);
  boost::system::error_code error;
  // Connecting a UDP socket only asks the routing table. TEST-NET-2 (RFC 5737) is nobody's.
  socket.connect({asio::ip::make_address_v4("198.51.100.1"), 9}, error);
  const auto local = error ? asio::ip::udp::endpoint{} : socket.local_endpoint(error);
  if (error || !local.address().is_v4()) return {"127.0.0.1", true};
  const auto address = local.address().to_v4();
  const auto within = [&](const char* block) {
    const auto network = asio::ip::make_network_v4(block);
    return (address.to_uint() & network.netmask().to_uint()) == network.network().to_uint();
  };
  const auto blocks = {"10.0.0.0/8",    "172.16.0.0/12", "192.168.0.0/16",
                       "100.64.0.0/10", "127.0.0.0/8",   "169.254.0.0/16"};
  return {address.to_string(), std::ranges::any_of(blocks, within)};
}

}  // namespace rockdove::cli
