// One exchange with Lingxing, within a time limit and with the beginning of its answer at hand.
#pragma once

#include "http/handler.hpp"
#include "net/task_group.hpp"

#include <memory>

namespace rockdove::egress {

/// Loop thread only; close() must have returned before it is destroyed.
class LingxingApi {
 public:
  /// `next` reaches Lingxing; it must outlive this and its responses.
  LingxingApi(net::Executor executor, http::Handler& next, std::size_t peek_bytes);

  /// Returns once the answer is whole, in `content` and without `body`, or at least the `peek_bytes` that it
  /// was made with are here. Error::upstream_timeout after `limit`. Cancelling the call gives the exchange
  /// up.
  Awaitable<Result<http::Response>> call(http::Request request, net::Duration limit);

  /// Gives up what runs, and waits for it.
  Awaitable<void> close();

 private:
  struct Exchange;
  static Awaitable<void> run(LingxingApi* self, http::Request request, std::shared_ptr<Exchange> exchange);

  http::Handler& next_;
  const std::size_t peek_bytes_;
  net::TaskGroup tasks_;
};

}  // namespace rockdove::egress
