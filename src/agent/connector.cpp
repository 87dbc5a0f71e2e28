#include "agent/connector.hpp"

#include "agent/hello.hpp"
#include "agent/way.hpp"
#include "net/address.hpp"
#include "net/crypto.hpp"
#include "net/deadline.hpp"
#include "net/dial.hpp"
#include "net/log.hpp"

#include <algorithm>

namespace rockdove::agent {
namespace {

// Another process with our name took our place: to fight over it would only cut off both.
constexpr std::chrono::seconds replaced_pause{30};
// A token that was refused will be refused again: now and then is enough.
constexpr std::chrono::seconds refused_pause{30};

}  // namespace

Connector::Connector(net::Executor executor, Options options, http::Handler& upstreams,
                     std::function<std::string()> report, std::function<void()> on_link)
    : Connector(executor, std::move(options), &upstreams, std::move(report), std::move(on_link)) {}

Connector::Connector(net::Executor executor, Options options, std::function<void()> on_link)
    : Connector(executor, std::move(options), nullptr, {}, std::move(on_link)) {}

Connector::Connector(net::Executor executor, Options options, http::Handler* upstreams,
                     std::function<std::string()> report, std::function<void()> on_link)
    : executor_(executor),
      options_(std::move(options)),
      upstreams_(upstreams),
      report_(std::move(report)),
      on_link_(std::move(on_link)),
      name_((options_.direction == tunnel::Direction::egress ? "egress link " : "link ") +
            std::to_string(options_.index)),
      running_(executor, net::abort_on_error),
      news_(executor) {
  if (options_.server.tls == config::ServerTls::off) return;
  if (options_.server.tls == config::ServerTls::pin) trust_.pin = options_.server.pin;
  trust_.ca_file = options_.server.ca_file;
  tls_ = net::make_client_tls(trust_);
}

Awaitable<void> Connector::run() {
  net::Timer pause(executor_);
  for (std::size_t turn = 0; !draining_; ++turn) {
    const auto started = net::Clock::now();
    const HostPort address = options_.server.address[turn % options_.server.address.size()];
    auto connected = co_await connect(address);
    if (draining_) co_return;
    boost::system::error_code why;
    if (connected) {
      last_failure_.clear();
      current_ = make_link(std::move(connected->stream));
      std::string early = std::move(connected->early);
      running_.spawn(run_link(current_, std::move(early)));
      while (current_) co_await news_.wait();
      const auto lived = std::chrono::duration_cast<std::chrono::milliseconds>(net::Clock::now() - started);
      backoff_.succeeded_for(lived);
    } else {
      log_failure(address, connected.error());
    }
    if (draining_) co_return;
    const net::Duration own_pause = backoff_.next(net::random_u32());
    const auto wanted = net::Clock::now() + std::exchange(told_pause_, std::nullopt).value_or(own_pause);
    pause.expires_at(std::max(wanted, options_.truce->until));
    co_await pause.async_wait(net::token);
  }
}

/// Runs one link to its end. A link that the server drains goes on here while run() makes the next one.
Awaitable<void> Connector::run_link(std::shared_ptr<tunnel::Link> link, std::string early) {
  links_.insert(link);
  struct Leave {
    Connector& connector;
    std::shared_ptr<tunnel::Link> link;
    ~Leave() {
      connector.links_.erase(link);
      if (connector.current_ != link) return;
      connector.current_.reset();
      connector.news_.notify();
    }
  } leave{*this, link};
  if (draining_) co_return;
  log::info("agent", "connected to {} ({}), tunnel {}", net::to_string(link->peer()), name_,
            options_.server.tunnel);
  if (report_) link->send_note(report_());
  if (on_link_) on_link_();  // whoever waits looks at a later turn: the link runs by then
  const auto why = co_await link->run(std::move(early));
  if (!draining_) log::info("agent", "{} ended: {}; connecting again", name_, why.message());
}

std::shared_ptr<tunnel::Link> Connector::make_link(net::Stream stream) {
  tunnel::Link::Hooks hooks;
  hooks.on_peer_drain = [this](std::string_view why) {
    if (why == "replaced") {
      const bool is_news = options_.truce->until < net::Clock::now();
      options_.truce->until = net::Clock::now() + replaced_pause;
      if (is_news)
        log::error(
            "agent",
            "another agent named \"{}\" has taken this one's place. Two agents of a tunnel need different "
            "names: set name in [agent] of one of them. Next try in {} s",
            options_.agent, replaced_pause.count());
    } else {
      log::info("agent", "the server takes {} down ({}): connecting again", name_, why);
    }
    current_.reset();
    news_.notify();
  };
  const auto role = upstreams_ ? tunnel::Role::answerer : tunnel::Role::opener;
  return std::make_shared<tunnel::Link>(std::move(stream), tunnel::Side::client, role, upstreams_,
                                        options_.link, std::move(hooks));
}

Awaitable<Result<Connector::Connected>> Connector::connect(HostPort address) {
  auto socket = co_await dial(address);
  if (!socket) co_return socket.error();
  net::Stream stream(std::move(*socket));
  bool is_late = false;
  net::Deadline limit(net::Deadlines::of(executor_.context()), [&stream, &is_late] {
    is_late = true;
    stream.close();
  });
  limit.set(options_.handshake_timeout);
  if (tls_) {
    auto secured = co_await stream.connect_tls(*tls_, trust_, address.host);
    if (!secured) co_return is_late ? make_error_code(Error::timed_out) : secured.error();
  }
  auto early = co_await say_hello(stream, to_string(address));
  if (!early) co_return is_late ? make_error_code(Error::timed_out) : early.error();
  limit.clear();
  Connected connected{std::move(stream), std::move(*early)};
  co_return connected;
}

Awaitable<Result<net::TcpSocket>> Connector::dial(HostPort address) {
  auto proxy = way_to_server(options_.proxy, options_.own_proxy, address);
  if (!proxy) co_return proxy.error();
  net::DialOptions dial_options;
  if (!*proxy) {
    auto socket = co_await net::dial(address, dial_options);
    co_return socket;
  }
  net::Proxy way = std::move(**proxy);
  auto socket = co_await net::dial_through_proxy(std::move(way), address, dial_options);
  co_return socket;
}

/// Asks for a link; returns what came right behind the answer.
Awaitable<Result<std::string>> Connector::say_hello(net::Stream& stream, std::string host) {
  tunnel::LinkHello hello;
  hello.tunnel = options_.server.tunnel;
  hello.secret = options_.server.secret;
  hello.agent = options_.agent;
  hello.instance = options_.instance;
  hello.link_index = options_.index;
  hello.direction = options_.direction;
  hello.version = ROCKDOVE_VERSION;
  auto answer = co_await agent::say_hello(stream, hello, host);
  if (!answer) co_return answer.error();
  if (const auto* refusal = std::get_if<tunnel::LinkRefusal>(&answer->answer)) {
    explain(*refusal);
    co_return Error::unauthorized;
  }
  co_return std::move(answer->early);
}

void Connector::explain(const tunnel::LinkRefusal& refusal) {
  told_pause_ = refusal.retry_after;
  if (refusal.reason == "unauthorized") told_pause_ = refused_pause;
  const std::string text = refusal.reason + ": " + refusal.message;
  if (std::exchange(last_failure_, text) == text) return;  // said once is enough
  log::error("agent", "the server turned this agent away: {} (HTTP {})", text, refusal.status);
}

void Connector::log_failure(const HostPort& address, boost::system::error_code error) {
  if (error == Error::unauthorized) return;  // explained already
  std::string text = "no connection to " + to_string(address) + ": " + error.message();
  if (error == Error::untrusted_server)
    text +=
        ". If the server's key was made anew, join again with a new join string; if not, somebody may be in "
        "between";
  if (std::exchange(last_failure_, text) == text) return log::debug("agent", "{}", text);
  log::warn("agent", "{}; trying again, at most {} s apart", text, BackoffOptions{}.cap.count() / 1000);
}

Awaitable<void> Connector::drain() {
  draining_ = true;
  news_.notify();
  for (const auto& link : std::set(links_)) link->drain("leaving");
  for (const auto& link : std::set(links_)) co_await link->wait_idle();
}

Awaitable<void> Connector::close() {
  draining_ = true;
  for (const auto& link : std::set(links_)) link->close("leaving");
  co_await running_.join();
}

std::shared_ptr<tunnel::Link> Connector::link() const {
  if (current_ && current_->takes_streams()) return current_;
  return nullptr;
}

void Connector::send_note(const std::string& text) {
  for (const auto& link : links_) link->send_note(text);
}

}  // namespace rockdove::agent
