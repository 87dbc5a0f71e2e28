// The public side of HTTP/1.1: connections in, requests to a Handler, answers out (RFC 9112).
#pragma once

#include "http/handler.hpp"
#include "http/parser.hpp"
#include "net/stream.hpp"

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string_view>

namespace rockdove::http {

class Connection;

/// Serves connections that somebody else accepts. Loop thread only.
class Server {
 public:
  struct Options {
    HeadLimits head;
    std::uint64_t body_bytes = std::uint64_t{1} << 30;            ///< 413 above; zero: no limit
    net::Duration head_timeout = std::chrono::seconds(10);        ///< first byte to last of a head, else 408
    net::Duration keep_alive_timeout = std::chrono::seconds(75);  ///< idle between requests
    net::Duration body_idle_timeout = std::chrono::seconds(30);   ///< silence inside a request body, else 408
    net::Duration write_timeout = std::chrono::seconds(60);       ///< for a caller to take one piece
    /// Of a server that drains, for a new connection's first request; for the next one of a connection that
    /// has just been answered, and is then told that it was the last.
    net::Duration first_wait = std::chrono::seconds(2), next_wait = std::chrono::seconds(1);
    /// Told of every exchange when it has ended.
    std::function<void(const Record&)> on_done;
  };

  struct Stats {
    std::uint64_t requests = 0, rejected = 0;  ///< answered by the handler; refused before it
    std::size_t connections = 0;
    std::map<std::string_view, std::uint64_t> rejections;  ///< the refused ones by error_name()
  };

  /// `handler` must outlive the server.
  Server(Handler& handler, Options options) : handler_(handler), options_(std::move(options)) {}

  /// Serves one connection until it ends. Cancel to drop it.
  Awaitable<void> serve(net::Stream stream);

  /// Ends connections that have been idle for long now, and the others after their current exchange. One that
  /// was made within `first_wait`, or answered within `next_wait`, has the rest of that time to bring a
  /// request, for which its caller may have used it already, and is answered.
  void drain();
  /// Some connection may still bring such a request.
  bool awaits_requests() const;
  bool is_draining() const { return draining_; }
  /// Takes effect with each connection's next request.
  void set_options(Options options) { options_ = std::move(options); }
  const Stats& stats() const { return stats_; }

 private:
  friend class Connection;
  Handler& handler_;
  Options options_;
  Stats stats_;
  std::list<Connection*> connections_;
  bool draining_ = false;
};

}  // namespace rockdove::http
