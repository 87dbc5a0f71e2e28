#include "egress/lingxing_api.hpp"

#include "net/deadline.hpp"

#include <optional>
#include <utility>

namespace rockdove::egress {
namespace {

/// Reads on until the answer is whole or `limit` bytes are here.
Awaitable<Result<void>> peek(http::Response& response, std::size_t limit) {
  while (response.body && response.content.size() < limit) {
    const auto piece = co_await response.body->read();
    if (!piece) co_return piece.error();
    response.content.append(*piece);
    if (piece->empty()) response.body.reset();
  }
  co_return Result<void>();
}

}  // namespace

/// Shared by the task and whoever waits for it: either may end first.
struct LingxingApi::Exchange {
  explicit Exchange(net::Executor executor) : news(executor) {}
  net::Event news;
  std::optional<Result<http::Response>> result;
  bool is_late = false;
  std::optional<net::TaskGroup::Task> task;  // until it has ended
};

/// Keeps alive what brings it.
class LingxingApi::AnswerBody final : public http::Body {
 public:
  AnswerBody(std::shared_ptr<http::Handler> from, std::unique_ptr<http::Body> body)
      : from_(std::move(from)), body_(std::move(body)) {}
  Awaitable<Result<std::string_view>> read() override { return body_->read(); }
  const http::Fields& trailers() const override { return body_->trailers(); }

 private:
  const std::shared_ptr<http::Handler> from_;
  std::unique_ptr<http::Body> body_;
};

LingxingApi::LingxingApi(net::Executor executor, std::shared_ptr<http::Handler> next, std::size_t peek_bytes)
    : next_(std::move(next)), peek_bytes_(peek_bytes), tasks_(executor, net::abort_on_error) {}

Awaitable<void> LingxingApi::run(LingxingApi* self, http::Request request,
                                 std::shared_ptr<Exchange> exchange) {
  struct Ended {
    Exchange& exchange;
    ~Ended() {
      exchange.task.reset();
      exchange.news.notify();
    }
  } ended{*exchange};
  const auto next = self->next_;
  auto response = co_await next->handle(std::move(request));
  if (!response) {
    exchange->result.emplace(response.error());
    co_return;
  }
  const auto read = co_await peek(*response, self->peek_bytes_);
  if (read && response->body) response->body = std::make_unique<AnswerBody>(next, std::move(response->body));
  // Built in place: GCC 12 warns wrongly about assigning a Result.
  if (read) exchange->result.emplace(std::move(*response));
  else exchange->result.emplace(read.error());
}

Awaitable<Result<http::Response>> LingxingApi::call(http::Request request, net::Duration limit) {
  const auto exchange = std::make_shared<Exchange>(tasks_.executor());
  struct GiveUp {
    Exchange& exchange;
    ~GiveUp() {
      if (exchange.task) exchange.task->cancel();
    }
  } give_up{*exchange};
  net::Deadline deadline(net::Deadlines::of(tasks_.executor().context()), [state = exchange.get()] {
    state->is_late = true;
    state->news.notify();
  });
  deadline.set(limit);
  request.context.record = nullptr;  // may end before the task
  request.context.first_byte_timeout = limit;
  exchange->task = tasks_.spawn(run(this, std::move(request), exchange));
  while (exchange->task && !exchange->is_late) co_await exchange->news.wait();
  if (exchange->result) co_return std::move(*exchange->result);
  co_return exchange->is_late ? Error::upstream_timeout : Error::cancelled;
}

Awaitable<void> LingxingApi::close() {
  tasks_.cancel();
  co_await tasks_.join();
}

}  // namespace rockdove::egress
