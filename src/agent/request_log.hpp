// One line in the agent's log for each request that comes over a link.
#pragma once

#include "http/handler.hpp"

namespace rockdove::agent {

/// Hands requests on, and says what became of each when the last byte of its answer has been taken: the ids
/// that the server's line of it has, too. Loop thread only.
class RequestLog final : public http::Handler {
 public:
  /// `next` must outlive it.
  RequestLog(http::Handler& next, bool is_on) : next_(next), is_on_(is_on) {}

  Awaitable<Result<http::Response>> handle(http::Request&& request) override;

  /// From the next request on.
  void turn(bool is_on) { is_on_ = is_on; }

 private:
  http::Handler& next_;
  bool is_on_;
};

}  // namespace rockdove::agent
