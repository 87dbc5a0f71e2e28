#include "agent/egress_proxy.hpp"

#include "egress/web_page.hpp"
#include "http/error_response.hpp"
#include "net/address.hpp"
#include "net/deadline.hpp"

#include <stdexcept>

namespace rockdove::agent {
namespace {

// The server's own limits are shorter; this is for one that has forgotten a call.
constexpr std::chrono::minutes answer_time{10};
constexpr std::chrono::hours patience{24 * 365};

net::Endpoint endpoint_of(const HostPort& listen) {
  const auto endpoint = net::parse_listen_address(to_string(listen));
  if (!endpoint) throw std::runtime_error("[egress] listen: \"" + to_string(listen) + "\" is no address");
  return *endpoint;
}

net::Listener::Options listener_options(std::size_t connections) {
  net::Listener::Options options;
  options.connections_max = connections;
  return options;
}

http::Server::Options server_options() {
  http::Server::Options options;
  options.body_bytes = 0;  // the server counts
  return options;
}

Connector::Options egress_options(Connector::Options options, const HostPort& listen) {
  options.direction = tunnel::Direction::egress;
  options.index = 0;
  options.link.first_byte = answer_time;
  options.own_proxy = listen;
  return options;
}

}  // namespace

struct EgressProxy::Waiter {
  Waiter(net::Executor executor, std::list<Waiter*>& queue, net::Duration limit)
      : line(queue),
        news(executor),
        deadline(net::Deadlines::of(executor.context()), [this] { news.notify(); }) {
    line.push_back(this);
    deadline.set(limit);
  }
  ~Waiter() { line.remove(this); }
  std::list<Waiter*>& line;
  net::Event news;
  net::Deadline deadline;
};

EgressProxy::EgressProxy(net::Executor executor, Options options)
    : executor_(executor),
      options_(std::move(options)),
      connector_(executor, egress_options(options_.connector, options_.listen),
                 [this] {
                   for (Waiter* waiter : waiters_) waiter->news.notify();
                 }),
      server_(*this, server_options()),
      listener_(executor, endpoint_of(options_.listen), listener_options(options_.connections),
                [this](net::TcpSocket socket) { return serve(std::move(socket)); }),
      tasks_(executor, net::abort_on_error) {}

Awaitable<void> EgressProxy::run() {
  tasks_.spawn(connector_.run());
  tasks_.spawn(listener_.run());
  co_await tasks_.join_or_cancel();
}

Awaitable<void> EgressProxy::serve(net::TcpSocket socket) {
  net::Stream stream(std::move(socket));
  co_await server_.serve(std::move(stream));
}

Awaitable<Result<http::Response>> EgressProxy::handle(http::Request&& request) {
  if (egress::is_from_web_page(request, endpoint().address()))
    co_return http::error_response(403, "web_page", "this port is for programs, not for web pages",
                                   request.context.request_id);
  request.fields.remove("Proxy-Authorization");  // the link says who we are
  const auto until = net::Clock::now() + options_.link_wait;
  while (!draining_) {
    const auto link = co_await wait_for_link(until);
    if (!link) break;
    auto response = co_await link->call(request);
    if (response) co_return response;
    if (response.error() == Error::upstream_timeout) co_return Error::destination_timeout;  // on this link
    if (response.error() != Error::stream_refused || request.used) co_return response;
    if (link->takes_streams()) co_return Error::queue_full;  // it has as many as it can
  }
  if (!draining_) co_return Error::no_link;
  co_return http::error_response(503, "draining", "the agent is stopping", request.context.request_id);
}

/// Null if none has come by `until`.
Awaitable<std::shared_ptr<tunnel::Link>> EgressProxy::wait_for_link(net::Clock::time_point until) {
  while (true) {
    if (auto link = connector_.link()) co_return link;
    const auto left = until - net::Clock::now();
    if (left <= net::Duration::zero() || draining_) co_return nullptr;
    Waiter waiter(executor_, waiters_, left);
    co_await waiter.news.wait();
  }
}

Awaitable<void> EgressProxy::drain() {
  draining_ = true;
  listener_.stop();
  server_.drain();
  for (Waiter* waiter : waiters_) waiter->news.notify();
  co_await listener_.drain(patience);
  co_await connector_.drain();
}

Awaitable<void> EgressProxy::close() {
  draining_ = true;
  co_await connector_.close();
  co_await listener_.cancel();  // run() ends by itself then
}

}  // namespace rockdove::agent
