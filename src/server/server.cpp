#include "server/server.hpp"

#include "net/address.hpp"
#include "net/asio.hpp"
#include "net/log.hpp"
#include "net/notify.hpp"
#include "server/node.hpp"

#include <fmt/format.h>
#include <boost/asio/signal_set.hpp>

namespace rockdove::server {
namespace {

using Signals = net::asio::signal_set;

std::string listens(const Node& node) {
  return fmt::format("listens: callers {}, agents {}, admin {}", net::to_string(node.ingress_endpoint()),
                     net::to_string(node.tunnel_endpoint()), net::to_string(node.admin_endpoint()));
}

/// Of a configuration whose other parts are in force already.
void use_log(const config::LogConfig& config) {
  try {
    log::init(config::log_options(config));
  } catch (const std::exception& failure) {
    log::error("server", "the log stays as it was: {}", failure.what());
  }
}

Awaitable<void> handle_signals(Signals& signals, Node& node, net::Notifier& notifier,
                               const std::function<config::ServerConfig()>& reload) {
  while (true) {
    auto [error, number] = co_await signals.async_wait(net::token);
    if (error) co_return;
    if (number != SIGHUP) {
      log::info("server", "stopping: requests under way may end; a second signal stops at once");
      notifier.stopping();
      node.stop();
      continue;
    }
    notifier.reloading();
    try {
      log::reopen();
      config::ServerConfig changed = reload();
      const config::LogConfig log_config = changed.log;
      node.reload(std::move(changed));
      use_log(log_config);
    } catch (const std::exception& failure) {
      log::error("server", "the configuration stays as it was: {}", failure.what());
    }
    notifier.ready(listens(node));
  }
}

Awaitable<void> serve(Signals& signals, Node& node, net::Notifier& notifier) {
  co_await node.run();
  signals.cancel();
  notifier.stop();
}

}  // namespace

int run(config::ServerConfig config, std::function<config::ServerConfig()> reload) {
  log::init(config::log_options(config.log));
  net::IoContext io(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO);
  Signals signals(io, SIGTERM, SIGINT, SIGHUP);  // before anybody can know that we run
  Node node(io.get_executor(), std::move(config), net::inherited_sockets(Node::listeners));
  net::Notifier notifier(io.get_executor(), net::notify_settings());
  log::info("server", "rockdove {} {}", ROCKDOVE_VERSION, listens(node));
  notifier.ready(listens(node));  // connections wait in the kernel until the loop runs
  net::TaskGroup group(io.get_executor(), net::abort_on_error);
  group.spawn(handle_signals(signals, node, notifier, reload));
  group.spawn(serve(signals, node, notifier));
  group.spawn(notifier.beat());
  io.run();
  log::info("server", "stopped");
  return 0;
}

}  // namespace rockdove::server
