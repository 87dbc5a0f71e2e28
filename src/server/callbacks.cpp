#include "server/callbacks.hpp"

#include "inbox/canned_answer.hpp"
#include "net/deadline.hpp"

#include <algorithm>
#include <optional>

namespace rockdove::server {
namespace {

constexpr std::size_t answer_max = 1024 * 1024;

}  // namespace

/// Shared by the call to the upstream and whoever waits for it: either may end first.
struct Callbacks::Call {
  explicit Call(net::Executor executor) : news(executor) {}
  net::Event news;
  std::optional<Result<http::Response>> result;
  bool is_late = false;
  std::optional<net::TaskGroup::Task> task;  // until it has ended
};

Callbacks::Callbacks(net::Executor executor, http::Handler& agents)
    : agents_(agents), tasks_(executor, net::abort_on_error) {}

Awaitable<void> Callbacks::run(http::Handler& agents, http::Request request, std::shared_ptr<Call> call) {
  struct Ended {
    Call& call;
    ~Ended() {
      call.task.reset();
      call.news.notify();
    }
  } ended{*call};
  auto response = co_await agents.handle(std::move(request));
  if (!response) {
    call->result.emplace(response.error());
    co_return;
  }
  const auto read = co_await http::read_all(*response, answer_max);
  // Built in place: GCC 12 warns wrongly about assigning a Result.
  if (read) call->result.emplace(std::move(*response));
  else call->result.emplace(read.error());
}

Awaitable<Result<http::Response>> Callbacks::handle(http::Request request,
                                                    std::shared_ptr<const inbox::RouteOptions> route) {
  const auto call = std::make_shared<Call>(tasks_.executor());
  struct GiveUp {
    Call& call;
    ~GiveUp() {
      if (call.task) call.task->cancel();
    }
  } give_up{*call};
  net::Deadline limit(net::Deadlines::of(tasks_.executor().context()), [state = call.get()] {
    state->is_late = true;
    state->news.notify();
  });
  limit.set(route->deadline);
  request.context.record = nullptr;  // may outlive this call
  call->task = tasks_.spawn(run(agents_, std::move(request), call));
  while (call->task && !call->is_late) co_await call->news.wait();
  if (call->result && *call->result) {
    ++counters_.answered;
    co_return std::move(*call->result);
  }
  const boost::system::error_code why = call->result ? call->result->error() : Error::upstream_timeout;
  ++(call->result ? counters_.failed : counters_.late);
  if (!route->fallback) co_return why;
  co_return inbox::make_response(*route->fallback);
}

Awaitable<void> Callbacks::cancel() {
  tasks_.cancel();
  co_await tasks_.join();
}

}  // namespace rockdove::server
