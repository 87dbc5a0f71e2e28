#include "server/node.hpp"

#include "base/files.hpp"
#include "http/error_response.hpp"
#include "net/address.hpp"
#include "net/log.hpp"
#include "ops/process.hpp"
#include "server/admin_token.hpp"
#include "server/settings.hpp"

#include <algorithm>
#include <stdexcept>

namespace rockdove::server {
namespace {

constexpr std::chrono::milliseconds watch_interval{200};
constexpr std::uint64_t start_turns = 10;  // of them: the inbox is open then, and agents are back
constexpr std::chrono::milliseconds drain_slice{100}, minimum_slice{1};
// Callers that came just before the end: their requests are waited for so long, and looked for so often.
constexpr std::chrono::milliseconds first_requests{3000}, first_requests_slice{20};

config::ServerConfig with_data_directory(config::ServerConfig config) {
  make_private_directory(config.data);
  return config;
}

inbox::WallTime wall_time() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

net::Endpoint endpoint_of(const HostPort& address, const char* key) {
  auto endpoint = net::parse_listen_address(to_string(address));
  if (!endpoint)
    throw std::runtime_error(std::string("[server] ") + key + ": \"" + to_string(address) +
                             "\" is no address to listen on; write for example \"0.0.0.0:8080\"");
  return *endpoint;
}

}  // namespace

Node::Node(net::Executor executor, config::ServerConfig config, const net::InheritedSockets& inherited)
    : executor_(executor),
      config_(with_data_directory(std::move(config))),
      budget_{config_.limits.link_memory, 0},
      tokens_(config_.data),
      agents_(executor, agents_options(config_)),
      plaintext_(agents_, wall_time),
      inbox_(executor, plaintext_, wall_time, inbox_options(config_)),
      ingress_(
          executor, agents_, plaintext_, inbox_.capture(), wall_time,
          [this](std::string_view target) { return page(target, Audience::everybody); },
          ingress_options(config_)),
      egress_(
          executor, config_, tokens_, [this] { refresh_tokens(); }, wall_time),
      alerts_(executor, config_.alerts, config_.data, wall_time,
              [this] {
                return Alerts::Sight{judge_health().conditions, agents_.connected()};
              }),
      api_(inbox_.api(), egress_, alerts_),
      admin_([this](std::string_view target) { return page(target, Audience::operators); },
             ensure_admin_token(config_.data), &api_),
      ingress_server_(ingress_, http_options(config_.limits)),
      admin_server_(admin_, http_options(config_.limits)),
      tunnel_tls_(tunnel_tls(config_)),
      ingress_tls_(ingress_tls(config_)),
      certificates_(certificates(config_)),
      link_port_(
          agents_, egress_, tokens_, [this] { refresh_tokens(); }, tunnel_tls_,
          link_options(config_, budget_)),
      deliveries_(executor, net::abort_on_error),
      tasks_(executor, net::abort_on_error),
      stop_(executor) {
  agents_.on_ready([this](const std::string& tunnel) { inbox_.hope(tunnel); });
  egress_.set_tls(ingress_tls_);
  apply(config_);
  use_providers(config_);
  use_tokens();
  open_listeners(inherited);
}

void Node::open_listeners(const net::InheritedSockets& inherited) {
  net::Listener::Options callers;
  callers.connections_max = config_.limits.connections;
  ingress_listener_ = open(
      inherited, "ingress", config_.ingress, callers,
      [this](net::TcpSocket socket) { return serve_caller(std::move(socket)); },
      [this](net::TcpSocket socket) { return refuse_caller(std::move(socket)); });
  tunnel_listener_ = open(inherited, "tunnel", config_.tunnel, {},
                          [this](net::TcpSocket socket) { return link_port_.serve(std::move(socket)); });
  admin_listener_ = open(inherited, "admin", config_.admin, {},
                         [this](net::TcpSocket socket) { return serve_admin(std::move(socket)); });
}

std::unique_ptr<net::Listener> Node::open(const net::InheritedSockets& inherited, const char* name,
                                          const HostPort& address, const net::Listener::Options& options,
                                          net::Listener::OnConnection on_connection,
                                          net::Listener::OnConnection on_overflow) {
  const auto found = inherited.find(name);
  if (found != inherited.end())
    return net::Listener::adopt(executor_, found->second, options, std::move(on_connection),
                                std::move(on_overflow));
  return std::make_unique<net::Listener>(executor_, endpoint_of(address, name), options,
                                         std::move(on_connection), std::move(on_overflow));
}

Awaitable<void> Node::run() {
  tasks_.spawn(ingress_listener_->run());
  tasks_.spawn(tunnel_listener_->run());
  tasks_.spawn(admin_listener_->run());
  tasks_.spawn(egress_.run());
  tasks_.spawn(watch());
  tasks_.spawn(alerts_.run());
  deliveries_.spawn(inbox_.run());
  while (!stopping_) co_await stop_.wait();
  co_await stop_in_order();
}

/// Each step has its reason: what is still running must be able to end.
Awaitable<void> Node::stop_in_order() {
  alerts_.stop();  // what stops is not gone
  // 1. No new callers and agents: a load balancer or the next process gets them. A caller that has just come
  // may still ask.
  const auto began = net::Clock::now();
  ingress_listener_->stop();
  ingress_server_.drain();
  link_port_.drain();
  co_await net::asio::post(executor_, net::asio::use_awaitable_t<net::Executor>());  // to what is accepted
  do {
    co_await ingress_listener_->drain(first_requests_slice);
  } while (ingress_server_.awaits_requests() &&
           net::Clock::now() - began < std::min(config_.drain, first_requests));
  // 2. Agents learn that they should look for another server.
  agents_.drain();
  egress_.drain();
  // 3. What is under way ends, over links that still stand; a second stop() cuts this short. Events that
  // nobody waits for can as well be delivered after the next start.
  inbox_.stop();
  while (net::Clock::now() - began < config_.drain) {  // which a second stop() makes zero
    const auto slice = std::min<net::Duration>(drain_slice, began + config_.drain - net::Clock::now());
    const bool has_no_callers = co_await ingress_listener_->drain(slice);
    const net::Duration patience = has_no_callers ? slice : minimum_slice;
    const bool has_no_attempts = co_await deliveries_.join_for(patience);
    const net::Duration rest = has_no_callers && has_no_attempts ? slice : minimum_slice;
    const bool has_no_calls = co_await egress_.idle_for(rest);
    if (has_no_callers && has_no_attempts && has_no_calls) break;
  }
  // 4. Nothing needs the links any more.
  tunnel_listener_->stop();
  agents_.abort_all();
  egress_.abort();
  co_await ingress_listener_->cancel();
  co_await tunnel_listener_->cancel();
  co_await admin_listener_->cancel();
  co_await ingress_.cancel();
  co_await egress_.close();
  co_await alerts_.close();
  deliveries_.cancel();
  co_await deliveries_.join();
  tasks_.cancel();
  co_await tasks_.join();
  // 5. What was said of events reaches the disk.
  co_await inbox_.close();
}

void Node::stop() {
  if (!std::exchange(stopping_, true)) return stop_.notify();
  config_.drain = std::chrono::milliseconds(0);
  ingress_listener_->abort();
}

Awaitable<void> Node::serve_caller(net::TcpSocket socket) {
  net::Stream stream(std::move(socket));
  const auto tls = ingress_tls_;
  if (tls) {
    net::Deadline limit(net::Deadlines::of(executor_.context()), [&stream] { stream.close(); });
    limit.set(config_.limits.handshake_timeout);
    auto secured = co_await stream.accept_tls(*tls);
    if (!secured) co_return;
  }
  co_await ingress_server_.serve(std::move(stream));
}

/// Too many callers: those above the limit are told so at once instead of waiting for nothing.
Awaitable<void> Node::refuse_caller(net::TcpSocket socket) {
  if (ingress_tls_) co_return;
  http::Response response = http::error_response(Error::queue_full, "");
  std::string text =
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: " +
      std::to_string(response.content.size()) + "\r\nRetry-After: 2\r\nConnection: close\r\n\r\n" +
      response.content;
  net::Stream stream(std::move(socket));
  auto [error, written] = co_await stream.async_write(net::asio::buffer(text), net::token);
  if (!error) co_await stream.shutdown_write();
}

Awaitable<void> Node::serve_admin(net::TcpSocket socket) {
  net::Stream stream(std::move(socket));
  co_await admin_server_.serve(std::move(stream));
}

/// Sees to it that a revoked agent is cut off at once, whichever process revoked it; and knows when the last
/// commit was.
Awaitable<void> Node::watch() {
  net::Timer timer(executor_);
  for (std::uint64_t turn = 0;; ++turn) {
    timer.expires_after(watch_interval);
    co_await timer.async_wait(net::token);
    if (turn == start_turns) ops::release_startup_pages();
    refresh_tokens();
    const std::uint64_t commits = inbox_.health().commits;
    if (std::exchange(commits_, commits) != commits) committed_ = net::Clock::now();
  }
}

void Node::refresh_tokens() {
  const auto reload = tokens_.reload_if_changed();
  if (!reload.error.empty() && reload.error != tokens_error_)
    log::error("server", "the tokens stay as they were: {}", reload.error);
  tokens_error_ = reload.error;
  if (reload.changed) use_tokens();
}

void Node::use_tokens() {
  std::set<std::string> ids;
  for (const Token& token : tokens_.list()) ids.insert(token.id);
  agents_.set_known(tunnels());
  const auto is_valid = [&ids](const std::string& id) { return ids.contains(id); };
  agents_.revoke(is_valid);
  egress_.revoke(is_valid);
}

void Node::apply(const config::ServerConfig& config) {
  http::Server::Options options = http_options(config.limits);
  options.on_done = [this](const http::Record& record) {
    ingress_.on_done(record);
    if (!record.route.empty() && record.status / 100 == 2) inbox_.served_caller();
  };
  ingress_server_.set_options(std::move(options));
}

void Node::use_providers(const config::ServerConfig& config) {
  warn_of_unchecked(config, *ingress_.providers());
  plaintext_.set_routes(ingress_.providers());
}

void Node::reload(config::ServerConfig config) {
  const bool has_other_data = config.data != config_.data;
  config.data = config_.data;  // where tokens and the own key stay until the next start
  // Everything that can fail comes first.
  auto new_tunnel_tls = tunnel_tls(config);
  auto new_ingress_tls = ingress_tls(config);
  auto new_ingress = ingress_options(config);
  auto new_certificates = certificates(config);
  auto new_receivers = alerts_.make_senders(config.alerts);
  const auto warn_if = [](bool differs, const char* key) {
    if (differs) log::warn("server", "{} has changed: it takes effect at the next start", key);
  };
  warn_if(config.ingress != config_.ingress, "[server] ingress");
  warn_if(config.tunnel != config_.tunnel, "[server] tunnel");
  warn_if(config.admin != config_.admin, "[server] admin");
  warn_if(config.egress.listen != config_.egress.listen, "[egress] listen");
  warn_if(has_other_data, "[server] data");
  warn_if(config.inbox.memory != config_.inbox.memory, "[inbox] memory");
  warn_if(config.inbox.commit_limit != config_.inbox.commit_limit, "[inbox] commit_limit");
  warn_if(config.limits.connections != config_.limits.connections, "[limits] connections");
  egress_.set_options(config);
  alerts_.set_options(config.alerts, std::move(new_receivers));
  tunnel_tls_ = std::move(new_tunnel_tls);
  ingress_tls_ = std::move(new_ingress_tls);
  certificates_ = std::move(new_certificates);
  link_port_.set_tls(tunnel_tls_);
  egress_.set_tls(ingress_tls_);
  ingress_.set_options(std::move(new_ingress));
  use_providers(config);
  agents_.set_options(agents_options(config));
  inbox_.set_options(config.inbox.retention, deliverer_options(config));
  budget_.limit = config.limits.link_memory;
  apply(config);
  config_ = std::move(config);
  log::info("server", "the configuration has been read again");
}

}  // namespace rockdove::server
