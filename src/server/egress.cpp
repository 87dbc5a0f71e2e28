#include "server/egress.hpp"

#include "base/text.hpp"
#include "http/error_response.hpp"
#include "net/address.hpp"
#include "net/log.hpp"
#include "server/settings.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace rockdove::server {
namespace {

constexpr std::size_t address_text_max = 4 * 1024;
constexpr std::chrono::seconds address_time{10};

net::Endpoint proxy_endpoint(const HostPort& address) {
  const auto endpoint = net::parse_listen_address(to_string(address));
  if (!endpoint)
    throw std::runtime_error("[egress] listen: \"" + to_string(address) +
                             "\" is no address to listen on; write for example \"0.0.0.0:8083\"");
  return *endpoint;
}

std::string first_line(std::string_view text) {
  return std::string(trim(text.substr(0, text.find_first_of("\r\n"))));
}

/// What brings calls has no say in how long a body may be: that is for the gate.
http::Server::Options proxy_options(const config::LimitsConfig& limits) {
  http::Server::Options options = http_options(limits);
  options.body_bytes = 0;
  return options;
}

}  // namespace

/// A connection has a server of its own, so that it can be cut off by the tokens that it was used with.
struct Egress::ProxyConnection {
  explicit ProxyConnection(Egress& its_egress)
      : egress(its_egress),
        entrance(egress.gate_, egress.verify_, egress.refusals_),
        server(entrance, egress.proxy_options_),
        news(egress.executor_) {}

  Egress& egress;
  egress::ProxyEntrance entrance;
  http::Server server;
  net::Event news;
  std::optional<net::TaskGroup::Task> task;  // until it has ended
};

Egress::Egress(net::Executor executor, const config::ServerConfig& config, const TokenStore& tokens,
               std::function<void()> refresh, egress::WallClock clock)
    : executor_(executor),
      check_url_(config.egress.check_url),
      handshake_timeout_(config.limits.handshake_timeout),
      memory_(config.limits.link_memory),
      gate_(executor, config::load_egress_secrets(config.egress), std::move(clock)),
      verify_([&tokens,
               refresh = std::move(refresh)](const egress::Credentials& given) -> std::optional<std::string> {
        refresh();
        const auto token = tokens.verify(given.password);
        if (!token || token->tunnel != given.user) return std::nullopt;
        return token->id;
      }),
      proxy_options_(proxy_options(config.limits)),
      proxy_tasks_(executor, net::abort_on_error) {
  gate_.ledger().set_audit(config.log.requests);
  if (!config.egress.listen) return;
  net::Listener::Options options;
  options.connections_max = config.limits.connections;
  listener_ = std::make_unique<net::Listener>(
      executor_, proxy_endpoint(*config.egress.listen), options,
      [this](net::TcpSocket socket) { return serve_proxy(std::move(socket)); });
  log::info("egress", "the proxy port listens: {}", net::to_string(listener_->endpoint()));
}

Awaitable<void> Egress::run() {
  if (listener_) co_await listener_->run();
}

Awaitable<void> Egress::serve_proxy(net::TcpSocket socket) {
  net::Stream stream(std::move(socket));
  const auto tls = tls_;
  if (tls) {
    net::Deadline limit(net::Deadlines::of(executor_.context()), [&stream] { stream.close(); });
    limit.set(handshake_timeout_);
    auto secured = co_await stream.accept_tls(*tls);
    if (!secured) co_return;
  }
  const auto connection = std::make_shared<ProxyConnection>(*this);
  if (is_draining_) connection->server.drain();
  struct Leave {
    ProxyConnectionPtr connection;
    ~Leave() {
      std::erase(connection->egress.proxies_, connection);
      if (connection->task) connection->task->cancel();
    }
  } leave{connection};
  proxies_.push_back(connection);
  connection->task = proxy_tasks_.spawn(run_proxy(connection, std::move(stream)));
  while (connection->task) co_await connection->news.wait();
}

Awaitable<void> Egress::run_proxy(ProxyConnectionPtr connection, net::Stream stream) {
  struct Ended {
    ProxyConnection& connection;
    ~Ended() {
      connection.task.reset();
      connection.news.notify();
    }
  } ended{*connection};
  co_await connection->server.serve(std::move(stream));
}

void Egress::revoke(const std::function<bool(const std::string& token_id)>& is_valid) {
  links_.revoke(is_valid);
  for (const auto& each : std::vector(proxies_)) {
    if (!each->task || std::ranges::all_of(each->entrance.token_ids(), is_valid)) continue;
    log::info("egress", "a connection of the proxy port is cut off, its token was revoked");
    each->task->cancel();
  }
}

Awaitable<boost::system::error_code> Egress::serve(net::Stream stream, AgentLink entry, std::string early,
                                                   tunnel::Link::Options options) {
  const egress::Who who{entry.hello.tunnel, entry.hello.agent, stream.peer().address()};
  struct Share {
    EgressMemory& memory;
    const std::string& tunnel;
    ~Share() { memory.leave(tunnel); }
  };
  memory_.join(who.tunnel, options.h2);
  const Share share{memory_, who.tunnel};
  egress::LinkEntrance entrance(gate_, who);
  const auto link =
      std::make_shared<tunnel::Link>(std::move(stream), tunnel::Side::server, tunnel::Role::answerer,
                                     &entrance, options, tunnel::Link::Hooks{});
  entry.link = link;
  struct Leave {
    EgressLinks& links;
    std::shared_ptr<AgentLink> added;
    ~Leave() { links.remove(added); }
  } leave{links_, links_.add(std::move(entry))};
  const auto why = co_await link->run(std::move(early));
  co_return why;
}

Awaitable<Result<http::Response>> Egress::handle(http::Request&& request) {
  const std::string id = request.context.request_id;
  if (request.target != "/api/v1/egress/address" || request.method != "GET") co_return Error::not_found;
  if (check_url_.empty())
    co_return http::error_response(
        409, "no_check_url",
        "[egress] check_url is not set: the URL of a service that answers with the "
        "address it is asked from",
        id);
  auto address = co_await ask_address();
  if (!address) co_return http::error_response(address.error(), id);
  boost::json::object json;
  json["address"] = printable(*address, Lines::escape);
  json["check_url"] = check_url_;
  co_return http::make_response(200, "application/json", boost::json::serialize(json) + "\n");
}

/// Asks as a call would, but for the rules: the operator has set the URL.
Awaitable<Result<std::string>> Egress::ask_address() {
  const auto url = net::parse_url(check_url_);
  if (!url) co_return url.error();
  egress::Outlet::Options options;
  options.address = {url->host, url->port};
  options.tls = url->is_tls();
  options.first_byte_timeout = address_time;
  egress::Outlet outlet(executor_, std::move(options));
  http::Request request;
  request.method = "GET";
  request.target = url->path;
  request.fields.add("Host", outlet.authority());
  request.fields.add("User-Agent", "rockdove/" ROCKDOVE_VERSION);
  auto response = co_await outlet.handle(std::move(request));
  Result<void> read;
  if (response) read = co_await http::read_all(*response, address_text_max);
  Result<std::string> address = Error::destination_malformed;
  if (!response) address = response.error();
  else if (!read) address = read.error();
  else if (response->status == 200) address = first_line(response->content);
  if (response) response->body.reset();
  co_await outlet.close();
  co_return address;
}

void Egress::set_options(const config::ServerConfig& config) {
  gate_.set_options(config::load_egress_secrets(config.egress));
  gate_.ledger().set_audit(config.log.requests);
  proxy_options_ = proxy_options(config.limits);
  for (const auto& each : proxies_) each->server.set_options(proxy_options_);
  memory_.set_link_memory(config.limits.link_memory);
  check_url_ = config.egress.check_url;
  handshake_timeout_ = config.limits.handshake_timeout;
}

void Egress::drain() {
  is_draining_ = true;
  links_.drain();
  for (const auto& each : proxies_) each->server.drain();
  if (listener_) listener_->stop();
}

Awaitable<bool> Egress::idle_for(net::Duration limit) {
  const bool is_idle = co_await gate_.ledger().idle_for(limit);
  co_return is_idle;
}

void Egress::abort() {
  links_.abort_all();
  if (listener_) listener_->abort();
}

Awaitable<void> Egress::close() {
  if (listener_) co_await listener_->cancel();
  proxy_tasks_.cancel();
  co_await proxy_tasks_.join();
  co_await gate_.close();
}

boost::json::object Egress::to_json(bool with_destinations) const {
  boost::json::object json = gate_.ledger().to_json(with_destinations);
  json["links"] = links_.count();
  json["memory"] = {{"used", memory_.used()}, {"limit", memory_.limit()}};
  json["unauthorized"] = refusals_.unauthorized;
  return json;
}

}  // namespace rockdove::server
