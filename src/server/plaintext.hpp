// What the upstream gets on routes with deliver = "verified-plaintext".
#pragma once

#include "http/handler.hpp"
#include "inbox/deliverer.hpp"
#include "providers/verify.hpp"
#include "server/provider_route.hpp"

#include <memory>

namespace rockdove::server {

/// Stands before the agents: verifies requests once more, whatever their age, since some may have been stored
/// before there was a secret to verify them with; opens their bodies, takes the fields off with which their
/// provider proved them, and signs them anew (Standard Webhooks), with the time of this very attempt.
/// Requests of other routes go through untouched. Loop thread only.
class Plaintext final : public http::Handler {
 public:
  /// `next` must outlive it.
  Plaintext(http::Handler& next, inbox::WallClock clock) : next_(next), clock_(std::move(clock)) {}

  /// Bodies of the routes in question are in the requests' `content`. A request that is not proven with the
  /// secrets in force is answered with 422.
  Awaitable<Result<http::Response>> handle(http::Request&& request) override;

  void set_routes(std::shared_ptr<const ProviderRoutes> routes) { routes_ = std::move(routes); }

 private:
  http::Handler& next_;
  const inbox::WallClock clock_;
  std::shared_ptr<const ProviderRoutes> routes_ = std::make_shared<ProviderRoutes>();
};

/// Makes the request what Plaintext hands on, if the verdict is Outcome::ok; else leaves it as it is.
providers::Verdict make_plain(http::Request& request, const ProviderRoute& route, providers::WallTime now);

}  // namespace rockdove::server
