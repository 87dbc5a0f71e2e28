// The admin API as a whole: which part of the server answers.
#pragma once

#include "http/handler.hpp"
#include "server/log_api.hpp"

namespace rockdove::server {

/// Hands requests for /api/v1/log and those below /api/v1/egress/ to their parts, and all others to the
/// inbox. The parts must outlive it.
class Api final : public http::Handler {
 public:
  Api(http::Handler& inbox, http::Handler& egress) : inbox_(inbox), egress_(egress) {}
  Awaitable<Result<http::Response>> handle(http::Request request) override {
    if (request.target == "/api/v1/log") return log_.handle(std::move(request));
    const bool is_egress = request.target.starts_with("/api/v1/egress/");
    return (is_egress ? egress_ : inbox_).handle(std::move(request));
  }

 private:
  http::Handler& inbox_;
  http::Handler& egress_;
  LogApi log_;
};

}  // namespace rockdove::server
