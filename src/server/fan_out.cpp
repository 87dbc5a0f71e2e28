#include "server/fan_out.hpp"

#include "net/event.hpp"

#include <algorithm>

namespace rockdove::server {
namespace {

http::Request copy_of(const http::Request& request, http::Context context) {
  http::Request copy;
  copy.method = request.method;
  copy.target = request.target;
  copy.fields = request.fields;
  copy.has_body = request.has_body;
  copy.content = request.content;
  copy.context = std::move(context);
  copy.context.record = nullptr;  // may outlive the call
  return copy;
}

}  // namespace

bool wants(const config::TargetConfig& target, std::string_view type) {
  // Of a type that cannot be read: twice is better than never.
  return target.types.empty() || type.empty() ||
         std::ranges::any_of(target.types, [type](std::string_view wanted) {
           return wanted.ends_with('*') ? type.starts_with(wanted.substr(0, wanted.size() - 1))
                                        : type == wanted;
         });
}

/// Shared by the copies and whoever waits for them.
struct FanOut::Call {
  explicit Call(net::Executor executor) : news(executor) {}
  net::Event news;
  std::size_t open = 0;
  boost::system::error_code error;  // of one that failed
};

FanOut::FanOut(net::Executor executor, inbox::Capture& capture)
    : capture_(capture), tasks_(executor, net::abort_on_error) {}

Awaitable<void> FanOut::keep(inbox::Capture& capture, http::Request request,
                             std::shared_ptr<const inbox::RouteOptions> options, inbox::EventFacts facts,
                             inbox::Capture::Hold hold, std::shared_ptr<Call> call) {
  struct Ended {
    Call& call;
    ~Ended() {
      --call.open;
      call.news.notify();
    }
  } ended{*call};
  const auto kept =
      co_await capture.keep(std::move(request), std::move(options), std::move(facts), std::move(hold));
  if (!kept) call->error = kept.error();
}

Awaitable<Result<http::Response>> FanOut::handle(http::Request request, std::vector<http::Context> contexts,
                                                 std::shared_ptr<const inbox::RouteOptions> options,
                                                 inbox::EventFacts facts, inbox::Capture::Hold hold) {
  // Room for all before anything is stored.
  std::vector<inbox::Capture::Hold> holds;
  for (std::size_t i = 1; i < contexts.size(); ++i) {
    holds.push_back(capture_.hold(request.content.size()));
    if (!holds.back()) co_return Error::queue_full;
  }
  const auto call = std::make_shared<Call>(tasks_.executor());
  std::shared_ptr<inbox::RouteOptions> in_background;
  if (contexts.size() > 1) {
    in_background = std::make_shared<inbox::RouteOptions>(*options);
    in_background->mode = inbox::Mode::inbox;
  }
  for (std::size_t i = 1; i < contexts.size(); ++i) {
    ++call->open;
    http::Request copy = copy_of(request, std::move(contexts[i]));
    tasks_.spawn(keep(capture_, std::move(copy), in_background, facts, std::move(holds[i - 1]), call));
  }
  request.context = std::move(contexts.front());
  auto response =
      co_await capture_.keep(std::move(request), std::move(options), std::move(facts), std::move(hold));
  while (call->open > 0) co_await call->news.wait();
  if (response && call->error) co_return call->error;
  co_return response;
}

Awaitable<void> FanOut::cancel() {
  tasks_.cancel();
  co_await tasks_.join();
}

}  // namespace rockdove::server
