// One exchange with Lingxing, within a time limit and with the beginning of its answer at hand.
#pragma once

#include "http/handler.hpp"
#include "net/task_group.hpp"

#include <memory>

namespace rockdove::egress {

/// Loop thread only; close() must have returned before it is destroyed.
class LingxingApi {
 public:
  /// `next` reaches Lingxing.
  LingxingApi(net::Executor executor, std::shared_ptr<http::Handler> next, std::size_t peek_bytes);

  /// For exchanges that begin from now on; the others keep the one that they began with.
  void set_next(std::shared_ptr<http::Handler> next) { next_ = std::move(next); }

  /// Returns once the answer is whole, in `content` and without `body`, or at least the `peek_bytes` that it
  /// was made with are here. Error::upstream_timeout after `limit`. Cancelling the call gives the exchange
  /// up.
  Awaitable<Result<http::Response>> call(http::Request request, net::Duration limit);

  /// Gives up what runs, and waits for it.
  Awaitable<void> close();

 private:
  struct Exchange;
  static Awaitable<void> run(LingxingApi* self, http::Request request, std::shared_ptr<Exchange> exchange);
  class AnswerBody;

  std::shared_ptr<http::Handler> next_;
  const std::size_t peek_bytes_;
  net::TaskGroup tasks_;
};

}  // namespace rockdove::egress
