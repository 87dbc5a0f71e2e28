#include "http/server.hpp"

#include "http/connection.hpp"

namespace rockdove::http {

Awaitable<void> Server::serve(net::Stream stream) {
  Connection connection(*this, std::move(stream));
  co_await connection.run();
}

void Server::drain() {
  draining_ = true;
  for (Connection* connection : connections_) connection->end_if_idle();
}

}  // namespace rockdove::http
