// The public side's Handler: finds the route, tells the upstream who calls, hands on, counts.
#pragma once

#include "http/handler.hpp"
#include "inbox/capture.hpp"
#include "net/address.hpp"
#include "ops/route_stats.hpp"
#include "server/agents.hpp"
#include "server/callbacks.hpp"
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
    std::vector<net::Network> trusted_proxies;
    net::Duration first_byte_timeout = std::chrono::seconds(60);
    bool public_stats = true;
    bool log_requests = true;
  };
  /// Answers GET /health and /stats; null if `target` is not one of its own.
  using Pages = std::function<std::optional<http::Response>(std::string_view target)>;

  /// `capture` gets what its route has stored, `agents` everything else; both must outlive the ingress.
  Ingress(net::Executor executor, Agents& agents, inbox::Capture& capture, Pages pages, Options options);

  Awaitable<Result<http::Response>> handle(http::Request request) override;

  /// Gives up what no caller waits for any more. Once no handle() is left.
  Awaitable<void> cancel() { return callbacks_.cancel(); }

  /// Counts and logs an exchange that has ended.
  void on_done(const http::Record& record);

  /// Counts of routes that stay are kept.
  void set_options(Options options);
  boost::json::array to_json() const;

 private:
  std::optional<http::Response> own_page(const http::Request& request) const;

  Agents& agents_;
  inbox::Capture& capture_;
  Callbacks callbacks_;
  const Pages pages_;
  Options options_;
  std::shared_ptr<const Router> router_;  // requests hold on to the one that they came by
  std::map<std::string, ops::RouteStats, std::less<>> stats_;  // by route name
};

}  // namespace rockdove::server
