#include "agent/node.hpp"

#include "net/address.hpp"
#include "net/crypto.hpp"
#include "net/log.hpp"
#include "tunnel/report.hpp"

#include <stdexcept>

namespace rockdove::agent {

Node::Node(net::Executor executor, config::AgentConfig config, std::function<void()> on_link)
    : executor_(executor),
      config_(std::move(config)),
      upstreams_(executor, config_.upstreams,
                 [this] {
                   for (const auto& connector : connectors_) connector->send_note(report());
                 }),
      request_log_(upstreams_, config_.log.requests),
      tasks_(executor, net::abort_on_error),
      draining_(executor, net::abort_on_error),
      stop_(executor) {
  Connector::Options options;
  options.server = config_.server;
  options.proxy = config_.proxy;
  options.agent = config_.name;
  options.instance = net::random_hex(8);
  options.own_proxy = config_.egress.listen;
  for (std::size_t index = 0; index < config_.links; ++index) {
    options.index = static_cast<int>(index);
    connectors_.push_back(std::make_unique<Connector>(
        executor, options, request_log_, [this] { return report(); }, on_link));
  }
  if (config_.egress.listen) open_egress(options);
}

/// Who has not asked for the proxy is not to go without a tunnel because something else has its port.
void Node::open_egress(const Connector::Options& options) {
  EgressProxy::Options own;
  own.listen = *config_.egress.listen;
  own.connector = options;
  try {
    egress_ = std::make_unique<EgressProxy>(executor_, std::move(own));
  } catch (const std::runtime_error& error) {
    if (config_.egress != config::AgentEgress{}) throw;
    log::warn("agent", "no egress: {}; set listen in [egress] to another address, or to \"\" for none",
              error.what());
    return;
  }
  log::info("agent", "egress: http://{} is the proxy for local programs",
            net::to_string(egress_->endpoint()));
  if (!egress_->endpoint().address().is_loopback())
    log::warn("agent",
              "egress: {} is no loopback address: whoever reaches it makes calls in this agent's name",
              net::to_string(egress_->endpoint()));
}

Awaitable<void> Node::run() {
  tasks_.spawn(upstreams_.watch());
  for (const auto& connector : connectors_) tasks_.spawn(connector->run());
  if (egress_) tasks_.spawn(egress_->run());
  while (!stopping_) co_await stop_.wait();
  // 1. No new links, no new requests on the old ones; what is under way may end. stop() cuts this short.
  for (const auto& connector : connectors_) draining_.spawn(drain(*connector));
  if (egress_) draining_.spawn(drain_egress(*egress_));
  co_await draining_.join_for(config_.drain);
  draining_.cancel();
  co_await draining_.join();
  // 2. Goodbye.
  for (const auto& connector : connectors_) co_await connector->close();
  if (egress_) co_await egress_->close();
  tasks_.cancel();
  co_await tasks_.join();
  co_await upstreams_.close();
}

Awaitable<void> Node::drain(Connector& connector) {
  co_await connector.drain();
}

Awaitable<void> Node::drain_egress(EgressProxy& egress) {
  co_await egress.drain();
}

void Node::stop() {
  if (std::exchange(stopping_, true)) draining_.cancel();
  stop_.notify();
}

std::string Node::report() const {
  return tunnel::encode_report(upstreams_.report());
}

}  // namespace rockdove::agent
