#include "http/server.hpp"

#include "http/connection.hpp"

#include <algorithm>

namespace rockdove::http {

Awaitable<void> Server::serve(net::Stream stream) {
  Connection connection(*this, std::move(stream));
  co_await connection.run();
}

bool Server::awaits_requests() const {
  return std::ranges::any_of(connections_, &Connection::is_awaited);
}

void Server::drain() {
  draining_ = true;
  for (Connection* connection : connections_) connection->end_if_idle();
}

}  // namespace rockdove::http
