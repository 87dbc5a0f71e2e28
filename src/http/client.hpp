// Calls one HTTP/1.1 service, over connections that are kept and used again (RFC 9112 section 9).
#pragma once

#include "base/host_port.hpp"
#include "http/handler.hpp"
#include "http/parser.hpp"
#include "http/wire.hpp"
#include "net/task_group.hpp"
#include "net/tls.hpp"

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace rockdove::http {

struct ClientExchange;

/// A Handler that sends requests to one upstream. Failures are Error::upstream_...: refused means that
/// the upstream has not seen a byte. Loop thread only; close() must have returned before it is destroyed.
class Client final : public Handler {
 public:
  struct Options {
    HostPort address;
    bool tls = false;  ///< checked against the system's authorities
    net::TlsTrust trust;
    std::size_t connections = 256;                            ///< open at a time; more requests wait for one
    net::Duration queue_wait = std::chrono::seconds(30);      ///< so long; then Error::queue_full
    net::Duration connect_timeout = std::chrono::seconds(5);  ///< TLS included
    net::Duration first_byte_timeout = std::chrono::seconds(60);  ///< unless the request says otherwise
    net::Duration idle_timeout = std::chrono::minutes(10);        ///< silence inside a body
    net::Duration keep_alive_timeout = std::chrono::seconds(55);  ///< an unused connection is closed then
    HeadLimits head;
    /// As net::DialOptions::permits: Error::address_denied if no address of the upstream will do.
    std::function<bool(const net::Address&)> permits{};
    std::function<void(const Result<void>&)> on_connect;  ///< told how each attempt to connect ended
  };

  Client(net::Executor executor, Options options);
  ~Client() override;

  Awaitable<Result<Response>> handle(Request&& request) override;

  /// Connects and closes again: does somebody listen there?
  Awaitable<Result<void>> probe();
  /// Ends every connection and waits for what uses them.
  Awaitable<void> close();

  /// "127.0.0.1:5000": the upstream's own Host value, without a default port.
  const std::string& authority() const { return authority_; }
  std::size_t connections() const { return open_; }

 private:
  friend ClientExchange;
  struct Waiter;
  using ExchangePtr = std::shared_ptr<ClientExchange>;

  std::optional<std::shared_ptr<Wire>> take_place();
  Awaitable<Result<std::shared_ptr<Wire>>> wait_for_place();
  Awaitable<Result<std::shared_ptr<Wire>>> connect();
  std::shared_ptr<Wire> take_idle();
  void keep(std::shared_ptr<Wire> wire);
  void released();
  void give_back(std::shared_ptr<Wire> wire);
  void serve_waiting();
  static bool is_usable(const Wire& wire);

  Awaitable<Result<Response>> attempt(ExchangePtr exchange, Request& request);
  std::string compose(const Request& request, std::string_view& tail) const;
  Awaitable<void> send_body(ExchangePtr exchange, std::unique_ptr<Body> body,
                            std::optional<std::uint64_t> length);
  Awaitable<Result<ResponseHead>> read_head(ExchangePtr exchange, const Request& request);
  Awaitable<void> send_switched(ExchangePtr exchange, std::unique_ptr<Body> body);
  Response make_response_of(ExchangePtr exchange, ResponseHead head, Request& request);
  std::string write_head(const Request& request) const;

  struct Idle {
    std::shared_ptr<Wire> wire;
    net::Clock::time_point since;
  };

  const net::Executor executor_;
  const Options options_;
  const std::string authority_;
  std::optional<net::TlsContext> tls_;
  std::list<Idle> idle_;        // most recently used first
  std::list<Waiter*> waiting_;  // for a connection, in order
  std::size_t open_ = 0;
  net::TaskGroup group_;
  net::Deadline sweep_;
};

}  // namespace rockdove::http
