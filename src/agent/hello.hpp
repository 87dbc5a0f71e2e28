// The agent's first words on a connection: the upgrade request, and what the server says to it.
#pragma once

#include "net/stream.hpp"
#include "tunnel/handshake.hpp"

#include <string>

namespace rockdove::agent {

struct HelloAnswer {
  tunnel::LinkAnswer answer;
  std::string early;  ///< what came right behind it
};

/// Sends `hello`, for which is_valid() holds, and reads the answer. `host` is the value of the Host field.
/// Error::protocol if the answer is no answer to that; else the stream's errors. Has no time limit.
Awaitable<Result<HelloAnswer>> say_hello(net::Stream& stream, const tunnel::LinkHello& hello,
                                         const std::string& host);

}  // namespace rockdove::agent
