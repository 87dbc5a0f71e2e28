// One event for several targets: each gets a copy that is stored and delivered on its own.
#pragma once

#include "config/route_config.hpp"
#include "inbox/capture.hpp"
#include "net/task_group.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::server {

/// True if the target takes events of this type; "" is an event of no known type, for those that take all.
bool wants(const config::TargetConfig& target, std::string_view type);

/// Loop thread only.
class FanOut {
 public:
  /// `capture` must outlive it.
  FanOut(net::Executor executor, inbox::Capture& capture);

  /// Keeps a copy for each of `contexts`, which say where it goes, all at the same time. Returns when every
  /// one is on disk: the first one's answer as Capture::keep() gives it, or the error of one that failed.
  /// Those that are stored by then stay so; when the caller tries again, they are its duplicates. `options`
  /// are the route's. Cancelling it leaves open which copies are stored.
  Awaitable<Result<http::Response>> handle(http::Request request, std::vector<http::Context> contexts,
                                           std::shared_ptr<const inbox::RouteOptions> options,
                                           inbox::EventFacts facts, inbox::Capture::Hold hold);

  /// Gives up what is under way. Once no handle() is left.
  Awaitable<void> cancel();

 private:
  struct Call;
  static Awaitable<void> keep(inbox::Capture& capture, http::Request request,
                              std::shared_ptr<const inbox::RouteOptions> options, inbox::EventFacts facts,
                              inbox::Capture::Hold hold, std::shared_ptr<Call> call);

  inbox::Capture& capture_;
  net::TaskGroup tasks_;
};

}  // namespace rockdove::server
