// The admin API as a whole: which part of the server answers.
#pragma once

#include "http/handler.hpp"

namespace rockdove::server {

/// Hands requests below /api/v1/egress/ to one part and all others to the other; both must outlive it.
class Api final : public http::Handler {
 public:
  Api(http::Handler& inbox, http::Handler& egress) : inbox_(inbox), egress_(egress) {}
  Awaitable<Result<http::Response>> handle(http::Request request) override {
    const bool is_egress = request.target.starts_with("/api/v1/egress/");
    return (is_egress ? egress_ : inbox_).handle(std::move(request));
  }

 private:
  http::Handler& inbox_;
  http::Handler& egress_;
};

}  // namespace rockdove::server
