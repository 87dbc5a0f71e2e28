// Live requests whose caller waits for an answer, but not for long: a Feishu card, a Discord command.
#pragma once

#include "http/handler.hpp"
#include "inbox/route_options.hpp"
#include "net/task_group.hpp"

#include <cstdint>
#include <memory>

namespace rockdove::server {

/// Passes a request on and answers by its route's deadline: with the upstream's whole answer if that is there
/// by then, else with the route's fallback. Loop thread only.
class Callbacks {
 public:
  struct Counters {
    std::uint64_t answered = 0, late = 0, failed = 0;  ///< late and failed ones got the fallback
  };

  /// `agents` must outlive it.
  Callbacks(net::Executor executor, http::Handler& agents);

  /// Error::upstream_timeout, or why there is no answer, if the route has no fallback; body_too_large for an
  /// answer of more than 1 MiB. Cancelling it gives the exchange up.
  Awaitable<Result<http::Response>> handle(http::Request request,
                                           std::shared_ptr<const inbox::RouteOptions> route);

  /// Gives up what is under way. Once no handle() is left.
  Awaitable<void> cancel();

  const Counters& counters() const { return counters_; }

 private:
  struct Call;
  static Awaitable<void> run(http::Handler& agents, http::Request request, std::shared_ptr<Call> call);

  http::Handler& agents_;
  Counters counters_;
  net::TaskGroup tasks_;
};

}  // namespace rockdove::server
