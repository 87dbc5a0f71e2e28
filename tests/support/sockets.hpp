// Connected pairs and small scripted peers on ephemeral loopback ports.
#pragma once

#include "net/asio.hpp"
#include "net/stream.hpp"
#include "support/run.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace rockdove::test {

inline net::Endpoint loopback(std::uint16_t port = 0) {
  return net::Endpoint(net::asio::ip::address_v4::loopback(), port);
}

/// Two ends of one TCP connection.
inline std::pair<net::TcpSocket, net::TcpSocket> socket_pair(net::IoContext& io) {
  net::TcpAcceptor acceptor(io.get_executor(), loopback());
  net::TcpSocket client(io.get_executor());
  client.connect(acceptor.local_endpoint());
  net::TcpSocket server(io.get_executor());
  acceptor.accept(server);
  return {std::move(client), std::move(server)};
}

/// Reads until `count` bytes have come or the other end is done.
inline net::Awaitable<std::string> read_bytes(net::Stream& stream, std::size_t count) {
  std::string bytes;
  char piece[16 * 1024];
  while (bytes.size() < count) {
    const auto room = std::min(sizeof piece, count - bytes.size());
    const auto [error, size] = co_await stream.async_read_some(net::asio::buffer(piece, room), net::token);
    bytes.append(piece, size);
    if (error) break;
  }
  co_return bytes;
}

/// Writes all of `bytes`; returns the error, if any.
inline net::Awaitable<boost::system::error_code> write_bytes(net::Stream& stream, std::string bytes) {
  const auto [error, size] = co_await stream.async_write(net::asio::buffer(bytes), net::token);
  co_return error;
}

/// The next read's error, or none if it brought bytes.
inline net::Awaitable<boost::system::error_code> read_error(net::Stream& stream) {
  char piece[64];
  const auto [error, size] = co_await stream.async_read_some(net::asio::buffer(piece), net::token);
  co_return error;
}

}  // namespace rockdove::test
