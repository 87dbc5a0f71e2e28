#include "agent/agent.hpp"

#include "agent/node.hpp"
#include "net/asio.hpp"
#include "net/log.hpp"

#include <boost/asio/signal_set.hpp>

namespace rockdove::agent {
namespace {

using Signals = net::asio::signal_set;

Awaitable<void> handle_signals(Signals& signals, Node& node, const config::AgentConfig& config,
                               const std::function<config::AgentConfig()>& reload) {
  while (true) {
    auto [error, number] = co_await signals.async_wait(net::token);
    if (error) co_return;
#ifdef SIGHUP
    if (number == SIGHUP) {
      try {
        log::reopen();
        if (!(reload() == config))
          log::warn("agent", "the configuration has changed: it takes effect at the next start");
      } catch (const std::exception& failure) {
        log::error("agent", "the configuration cannot be read: {}", failure.what());
      }
      continue;
    }
#endif
    log::info("agent", "stopping: requests under way may end; a second signal stops at once");
    node.stop();
  }
}

Awaitable<void> serve(Signals& signals, Node& node) {
  co_await node.run();
  signals.cancel();
}

}  // namespace

int run(config::AgentConfig config, std::function<config::AgentConfig()> reload) {
  config::check_joined(config);
  net::IoContext io(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO);
  Signals signals(io, SIGTERM, SIGINT);  // before anybody can know that we run
#ifdef SIGHUP
  signals.add(SIGHUP);
#endif
  Node node(io.get_executor(), config);
  log::info("agent", "rockdove {}: agent {} of tunnel {}, {} links to {}", ROCKDOVE_VERSION, config.name,
            config.server.tunnel, config.links, to_string(config.server.address.front()));
  for (const config::UpstreamConfig& upstream : config.upstreams)
    log::info("agent", "upstream {}: {}", upstream.name, upstream.url);
  net::TaskGroup group(io.get_executor(), net::abort_on_error);
  group.spawn(handle_signals(signals, node, config, reload));
  group.spawn(serve(signals, node));
  io.run();
  log::info("agent", "stopped");
  return 0;
}

}  // namespace rockdove::agent
