#include "agent/node.hpp"

#include "net/crypto.hpp"
#include "tunnel/report.hpp"

namespace rockdove::agent {

Node::Node(net::Executor executor, config::AgentConfig config)
    : executor_(executor),
      config_(std::move(config)),
      upstreams_(executor, config_.upstreams,
                 [this] {
                   for (const auto& connector : connectors_) connector->send_note(report());
                 }),
      tasks_(executor, net::abort_on_error),
      draining_(executor, net::abort_on_error),
      stop_(executor) {
  Connector::Options options;
  options.server = config_.server;
  options.proxy = config_.proxy;
  options.agent = config_.name;
  options.instance = net::random_hex(8);
  for (std::size_t index = 0; index < config_.links; ++index) {
    options.index = static_cast<int>(index);
    connectors_.push_back(
        std::make_unique<Connector>(executor, options, upstreams_, [this] { return report(); }));
  }
}

Awaitable<void> Node::run() {
  tasks_.spawn(upstreams_.watch());
  for (const auto& connector : connectors_) tasks_.spawn(connector->run());
  while (!stopping_) co_await stop_.wait();
  // 1. No new links, no new requests on the old ones; what is under way may end. stop() cuts this short.
  for (const auto& connector : connectors_) draining_.spawn(drain(*connector));
  co_await draining_.join_for(config_.drain);
  draining_.cancel();
  co_await draining_.join();
  // 2. Goodbye.
  for (const auto& connector : connectors_) co_await connector->close();
  tasks_.cancel();
  co_await tasks_.join();
  co_await upstreams_.close();
}

Awaitable<void> Node::drain(Connector& connector) {
  co_await connector.drain();
}

void Node::stop() {
  if (std::exchange(stopping_, true)) draining_.cancel();
  stop_.notify();
}

std::string Node::report() const {
  return tunnel::encode_report(upstreams_.report());
}

}  // namespace rockdove::agent
