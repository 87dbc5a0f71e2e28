// The agent's Handler: which local service answers, and how the services are.
#pragma once

#include "config/agent_config.hpp"
#include "http/client.hpp"
#include "http/handler.hpp"
#include "tunnel/report.hpp"

#include <functional>
#include <list>
#include <memory>
#include <vector>

namespace rockdove::agent {

/// Calls the upstream that a request's route names. Loop thread only; close() must have returned before it
/// is destroyed.
class Upstreams final : public http::Handler {
 public:
  /// `on_change` is told when an upstream has gone up or down.
  Upstreams(net::Executor executor, const std::vector<config::UpstreamConfig>& upstreams,
            std::function<void()> on_change);
  ~Upstreams() override;

  /// Error::upstream_unknown if the request's route names none of them.
  Awaitable<Result<http::Response>> handle(http::Request&& request) override;

  /// Checks each upstream again and again; ends by cancellation.
  Awaitable<void> watch();
  /// How they are: as the last check, or the last request, found them.
  std::vector<tunnel::UpstreamReport> report() const;
  Awaitable<void> close();

 private:
  struct Upstream;
  Awaitable<void> watch_one(Upstream& upstream);
  Awaitable<Result<void>> check(Upstream& upstream);
  void set_state(Upstream& upstream, const Result<void>& result);
  Upstream* find(std::string_view name);

  const net::Executor executor_;
  const std::function<void()> on_change_;
  std::list<Upstream> upstreams_;
  net::TaskGroup checks_;
};

}  // namespace rockdove::agent
