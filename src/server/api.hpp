// The admin API as a whole: which part of the server answers.
#pragma once

#include "http/handler.hpp"
#include "server/log_api.hpp"

namespace rockdove::server {

/// Hands requests for /api/v1/log, below /api/v1/egress/ and to /api/v1/alerts to their parts, and all others
/// to the inbox. The parts must outlive it.
class Api final : public http::Handler {
 public:
  Api(http::Handler& inbox, http::Handler& egress, http::Handler& alerts)
      : inbox_(inbox), egress_(egress), alerts_(alerts) {}
  Awaitable<Result<http::Response>> handle(http::Request&& request) override {
    const std::string_view target = request.target;
    if (target == "/api/v1/log") return log_.handle(std::move(request));
    if (target.starts_with("/api/v1/egress/")) return egress_.handle(std::move(request));
    const bool is_alerts = target == "/api/v1/alerts" || target.starts_with("/api/v1/alerts/");
    return (is_alerts ? alerts_ : inbox_).handle(std::move(request));
  }

 private:
  http::Handler& inbox_;
  http::Handler& egress_;
  http::Handler& alerts_;
  LogApi log_;
};

}  // namespace rockdove::server
