// What becomes of a request once its route is known: refused, answered, passed on live, or stored.
#pragma once

#include "http/handler.hpp"
#include "inbox/capture.hpp"
#include "server/agents.hpp"
#include "server/callbacks.hpp"
#include "server/edge.hpp"
#include "server/fan_out.hpp"

#include <memory>

namespace rockdove::server {

/// Loop thread only.
class Dispatch {
 public:
  using Route = std::shared_ptr<const config::RouteConfig>;
  using Provider = std::shared_ptr<const ProviderRoute>;  ///< null: the route has none

  /// `capture` gets what is stored; the rest goes to `upstreams`, which is `agents` or something before them.
  /// All must outlive it. `clock` tells the wall time.
  Dispatch(net::Executor executor, Agents& agents, http::Handler& upstreams, inbox::Capture& capture,
           inbox::WallClock clock);

  /// The request's context says where its route leads; after http::set_forwarded().
  Awaitable<Result<http::Response>> handle(http::Request&& request, Route route, Provider provider);

  /// Gives up what no caller waits for any more. Once no handle() is left.
  Awaitable<void> cancel();

  const Edge& edge() const { return edge_; }
  const Callbacks::Counters& callbacks() const { return callbacks_.counters(); }

 private:
  using Options = std::shared_ptr<const inbox::RouteOptions>;

  Awaitable<Result<http::Response>> judge(http::Request request, Route route, Provider provider);
  Awaitable<Result<http::Response>> read_and_distribute(http::Request request, Route route);
  Awaitable<Result<http::Response>> distribute(http::Request request, Route route, Edge::Judgement judgement,
                                               inbox::Capture::Hold hold);
  // Those that take a Request&& are no coroutines: they hand it on at once, and each move of one costs.
  Awaitable<Result<http::Response>> pass(http::Request&& request, Route route);
  Awaitable<Result<http::Response>> go_live(http::Request&& request, Options options, bool is_synchronous);

  Agents& agents_;
  http::Handler& upstreams_;
  inbox::Capture& capture_;
  const inbox::WallClock clock_;
  Callbacks callbacks_;
  FanOut fan_out_;
  Edge edge_;
};

}  // namespace rockdove::server
