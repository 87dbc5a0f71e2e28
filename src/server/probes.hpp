// Connections that only look whether there would be a link, and how long the path keeps silent ones open.
#pragma once

#include "net/stream.hpp"

#include <functional>
#include <string>

namespace rockdove::server {

/// Answers WebSocket pings and nothing else (docs/protocol.md section 3). Loop thread only.
class Probes {
 public:
  struct Options {
    std::size_t places = 8;                          ///< at a time
    net::Duration lifetime = std::chrono::hours(3);  ///< of one; the longest silence it may keep, too
  };

  explicit Probes(const Options& options) : options_(options) {}

  bool has_place() const { return running_ < options_.places; }

  /// Runs one, whose 101 has been written, to its end. `early` came with its request. `is_welcome` is asked
  /// before each pong: a token may have been revoked. Both `this` and what `is_welcome` refers to must
  /// outlive it.
  Awaitable<void> serve(net::Stream stream, std::string early, std::function<bool()> is_welcome);

 private:
  const Options options_;
  std::size_t running_ = 0;
};

}  // namespace rockdove::server
