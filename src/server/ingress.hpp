// The public side's Handler: finds the route, tells the upstream who calls, hands on, counts.
#pragma once

#include "http/handler.hpp"
#include "inbox/capture.hpp"
#include "net/address.hpp"
#include "ops/metrics.hpp"
#include "ops/route_stats.hpp"
#include "server/agents.hpp"
#include "server/dispatch.hpp"
#include "server/router.hpp"

#include <boost/json/array.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rockdove::server {

class Ingress final : public http::Handler {
 public:
  struct Options {
    std::vector<config::RouteConfig> routes;
    std::shared_ptr<const ProviderRoutes> providers = std::make_shared<ProviderRoutes>();  ///< never null
    std::vector<net::Network> trusted_proxies;
    net::Duration first_byte_timeout = std::chrono::seconds(60);
    bool trace = true;  ///< see http::join_trace()
    bool public_stats = true;
    bool log_requests = true;
  };
  /// Answers GET /health and /stats; null if `target` is not one of its own.
  using Pages = std::function<std::optional<http::Response>(std::string_view target)>;

  /// As Dispatch, which gets every request that is not for one of the server's own pages.
  Ingress(net::Executor executor, Agents& agents, http::Handler& upstreams, inbox::Capture& capture,
          inbox::WallClock clock, Pages pages, Options options);

  Awaitable<Result<http::Response>> handle(http::Request&& request) override;

  /// Gives up what no caller waits for any more. Once no handle() is left.
  Awaitable<void> cancel() { return dispatch_.cancel(); }

  /// Counts and logs an exchange that has ended.
  void on_done(const http::Record& record);

  /// Counts of routes that stay are kept.
  void set_options(Options options);
  const std::shared_ptr<const ProviderRoutes>& providers() const { return options_.providers; }
  boost::json::array to_json() const;
  /// The configured routes; valid until the next request ends or set_options().
  std::vector<ops::MetricsSource::Route> routes() const;
  const Callbacks::Counters& callbacks() const { return dispatch_.callbacks(); }

 private:
  std::optional<http::Response> own_page(const http::Request& request) const;
  Dispatch::Provider provider_of(std::string_view route) const;
  const ops::RouteStats& stats_of(const std::string& route) const;

  Dispatch dispatch_;
  const Pages pages_;
  Options options_;
  std::shared_ptr<const Router> router_;  // requests hold on to the one that they came by
  std::map<std::string, ops::RouteStats, std::less<>> stats_;  // by route name
};

}  // namespace rockdove::server
