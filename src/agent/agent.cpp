#include "agent/agent.hpp"

#include "agent/node.hpp"
#include "net/asio.hpp"
#include "net/log.hpp"
#include "net/notify.hpp"
#include "ops/process.hpp"

#include <boost/asio/signal_set.hpp>

namespace rockdove::agent {
namespace {

using Signals = net::asio::signal_set;

// Who starts services waits until an agent is ready. One without a link is doing what it can, and a server
// that is down must not hold up a boot or the upgrade of a package.
constexpr std::chrono::seconds ready_patience{20};

/// Says once that the agent is ready: at the first link, or when that takes too long.
class Readiness {
 public:
  Readiness(net::Executor executor, net::Notifier& notifier, const config::AgentConfig& config)
      : notifier_(notifier), config_(config), timer_(executor) {}

  Awaitable<void> run() {
    if (!has_link_ && !is_stopping_) {
      timer_.expires_after(ready_patience);
      co_await timer_.async_wait(net::token);
    }
    is_over_ = true;
    ops::release_startup_pages();
    if (!is_stopping_) say();
  }
  /// A link stands. Later ones are no news, except after a start without any.
  void linked() {
    if (std::exchange(has_link_, true)) return;
    if (is_over_) say();
    timer_.cancel();
  }
  void stop() {
    is_stopping_ = true;
    timer_.cancel();
  }
  bool is_over() const { return is_over_; }
  void say() {
    const std::string server = to_string(config_.server.address.front());
    notifier_.ready(has_link_ ? "Agent of tunnel " + config_.server.tunnel + " at " + server
                              : "No link to " + server + " yet; trying again and again");
  }

 private:
  net::Notifier& notifier_;
  const config::AgentConfig& config_;
  net::Timer timer_;
  bool has_link_ = false;
  bool is_over_ = false;  // said
  bool is_stopping_ = false;
};

/// What a signal is about.
struct Parts {
  Node& node;
  net::Notifier& notifier;
  Readiness& readiness;
};

Awaitable<void> handle_signals(Signals& signals, Parts parts, const config::AgentConfig& config,
                               const std::function<config::AgentConfig()>& reload) {
  while (true) {
    auto [error, number] = co_await signals.async_wait(net::token);
    if (error) co_return;
#ifdef SIGHUP
    if (number == SIGHUP) {
      if (parts.readiness.is_over()) parts.notifier.reloading();
      try {
        log::reopen();
        config::AgentConfig changed = reload();
        log::init(config::log_options(changed.log));
        parts.node.log_requests(changed.log.requests);
        changed.log = config.log;
        if (changed == config) log::info("agent", "the configuration has been read again");
        else log::warn("agent", "the configuration has changed: it takes effect at the next start");
      } catch (const std::exception& failure) {
        log::error("agent", "the configuration cannot be read: {}", failure.what());
      }
      if (parts.readiness.is_over()) parts.readiness.say();
      continue;
    }
#endif
    log::info("agent", "stopping: requests under way may end; a second signal stops at once");
    parts.readiness.stop();
    parts.notifier.stopping();
    parts.node.stop();
  }
}

Awaitable<void> serve(Signals& signals, Parts parts) {
  co_await parts.node.run();
  signals.cancel();
  parts.readiness.stop();
  parts.notifier.stop();
}

}  // namespace

int run(config::AgentConfig config, std::function<config::AgentConfig()> reload) {
  config::check_joined(config);
  log::init(config::log_options(config.log));
  net::IoContext io(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO);
  Signals signals(io, SIGTERM, SIGINT);  // before anybody can know that we run
#ifdef SIGHUP
  signals.add(SIGHUP);
#endif
  net::Notifier notifier(io.get_executor(), net::notify_settings());
  Readiness readiness(io.get_executor(), notifier, config);
  Node node(io.get_executor(), config, [&readiness] { readiness.linked(); });
  log::info("agent", "rockdove {}: agent {} of tunnel {}, {} links to {}", ROCKDOVE_VERSION, config.name,
            config.server.tunnel, config.links, to_string(config.server.address.front()));
  for (const config::UpstreamConfig& upstream : config.upstreams)
    log::info("agent", "upstream {}: {}", upstream.name, upstream.url);
  net::TaskGroup group(io.get_executor(), net::abort_on_error);
  const Parts parts{node, notifier, readiness};
  group.spawn(handle_signals(signals, parts, config, reload));
  group.spawn(serve(signals, parts));
  group.spawn(readiness.run());
  group.spawn(notifier.beat());
  io.run();
  log::info("agent", "stopped");
  return 0;
}

}  // namespace rockdove::agent
