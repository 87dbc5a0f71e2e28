// The agents that are connected, and which of them gets a request.
#pragma once

#include "http/handler.hpp"
#include "net/event.hpp"
#include "ops/hop_times.hpp"
#include "server/agent_links.hpp"

#include <boost/json/array.hpp>

#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace rockdove::server {

/// Keeps the links of every tunnel and, as a Handler, sends each request down one of them. Loop thread only.
class Agents final : public http::Handler {
 public:
  struct Limits {
    std::size_t running = 512;   ///< requests of a tunnel that an agent is working on
    std::size_t waiting = 1024;  ///< more wait, so many; above: Error::queue_full
  };
  struct Options {
    Limits limits;  ///< of tunnels that have none of their own
    std::map<std::string, Limits, std::less<>> tunnels;
    net::Duration agent_wait = std::chrono::seconds(2);     ///< bridges an agent's reconnect
    net::Duration queue_wait = std::chrono::seconds(30);    ///< longest wait for a free place
    net::Duration fresh = std::chrono::milliseconds(6500);  ///< a link silent for longer is a last resort
  };

  /// Bodies of responses must be gone before it is destroyed.
  Agents(net::Executor executor, Options options);
  ~Agents() override;

  /// Adds a link that is about to run. A newer instance of the same agent replaces all links of the older
  /// one, a newer link of the same instance the one of its index: they are closed and get nothing more.
  std::shared_ptr<AgentLink> add(AgentLink link);
  /// Forgets a link that has ended; nothing happens if it has been replaced already.
  void remove(const std::shared_ptr<AgentLink>& link);

  /// Serves a request of `context.tunnel` (empty: the one tunnel there is). Errors: no_agent,
  /// queue_full, what the link and the agent report.
  Awaitable<Result<http::Response>> handle(http::Request&& request) override;

  /// Closes every link whose token `is_valid` denies.
  void revoke(const std::function<bool(const std::string& token_id)>& is_valid);
  /// Tells every agent to open no more streams and to come back later.
  void drain();
  void abort_all();
  void set_options(Options options);
  /// `hook` is told the tunnel whenever a link has come, and whenever heard_of() says that an upstream is up.
  void on_ready(std::function<void(const std::string& tunnel)> hook) { on_ready_ = std::move(hook); }
  /// The agent at the link's other end has reported this.
  void heard_of(AgentLink& link, std::vector<tunnel::UpstreamReport> upstreams);
  /// The tunnels there are, connected or not: those that have a token.
  void set_known(std::set<std::string> tunnels) { known_ = std::move(tunnels); }

  /// The name of the one tunnel there is; empty if there is none, or more than one.
  std::string only_tunnel() const { return known_.size() == 1 ? *known_.begin() : std::string(); }

  /// Times by tunnel; valid until a tunnel is added.
  std::map<std::string, const ops::HopTimes*> hop_times() const;
  std::size_t agent_count() const;
  /// The names of those that are connected, by tunnel; a tunnel that has a token is there without any, too.
  std::map<std::string, std::set<std::string>> connected() const;
  std::size_t link_count() const;
  /// `with_places`: with the agents' addresses and their upstreams' URLs.
  boost::json::array to_json(bool with_places) const;

 private:
  struct Tunnel;
  struct Waiter;
  class Place;
  class PlacedBody;

  Tunnel& tunnel_named(const std::string& name);
  Result<Tunnel*> tunnel_for(const std::string& name);
  const Limits& limits_of(const std::string& name) const;
  Awaitable<Result<http::Response>> wait_for_tunnel(http::Request& request, boost::system::error_code why);
  Awaitable<Result<http::Response>> wait_and_send(Tunnel& tunnel, http::Request& request);
  Awaitable<Result<std::unique_ptr<Place>>> wait_for_place(Tunnel& tunnel);
  Awaitable<bool> wait_for_link(Tunnel& tunnel, const http::Context& context);
  Awaitable<Result<http::Response>> send(std::unique_ptr<Place> place, http::Request& request);

  const net::Executor executor_;
  Options options_;
  std::function<void(const std::string& tunnel)> on_ready_;
  std::map<std::string, std::unique_ptr<Tunnel>, std::less<>>
      tunnels_;  // never erased: waiters refer to them
  std::set<std::string> known_;
  std::unique_ptr<Tunnel>
      nobody_;  // stands in while no tunnel is known: requests may wait for the first agent
};

}  // namespace rockdove::server
