#include "agent/upstreams.hpp"

#include "net/log.hpp"

namespace rockdove::agent {
namespace {

http::Client::Options client_options(const config::UpstreamConfig& config) {
  http::Client::Options options;
  options.address = config.address;
  options.tls = config.tls;
  options.connections = config.connections;
  options.connect_timeout = config.connect_timeout;
  options.first_byte_timeout = config.first_byte_timeout;
  options.idle_timeout = config.idle_timeout;
  return options;
}

}  // namespace

struct Upstreams::Upstream {
  Upstream(net::Executor executor, config::UpstreamConfig settings, http::Client::Options options)
      : config(std::move(settings)), client(executor, std::move(options)) {}

  config::UpstreamConfig config;
  http::Client client;
  bool up = true;  // until a check has failed
  std::string detail;
};

Upstreams::Upstreams(net::Executor executor, const std::vector<config::UpstreamConfig>& upstreams,
                     std::function<void()> on_change)
    : executor_(executor), on_change_(std::move(on_change)), checks_(executor, net::abort_on_error) {
  for (const config::UpstreamConfig& each : upstreams) {
    const auto place = upstreams_.size();
    http::Client::Options options = client_options(each);
    // A request tells how the upstream is, sooner than the next check would.
    options.on_connect = [this, place](const Result<void>& result) {
      Upstream& upstream = *std::next(upstreams_.begin(), static_cast<std::ptrdiff_t>(place));
      if (!result || upstream.config.health.empty()) set_state(upstream, result);
    };
    upstreams_.emplace_back(executor, each, std::move(options));
  }
}

Upstreams::~Upstreams() = default;

Awaitable<Result<http::Response>> Upstreams::handle(http::Request&& request) {
  Upstream* upstream = find(request.context.upstream);
  if (!upstream) return http::ready(Error::upstream_unknown);
  if (request.context.host == "upstream") request.fields.set("Host", upstream->client.authority());
  return upstream->client.handle(std::move(request));
}

Awaitable<void> Upstreams::watch() {
  for (Upstream& upstream : upstreams_)
    if (upstream.config.health_interval.count() > 0) checks_.spawn(watch_one(upstream));
  co_await checks_.join_or_cancel();
}

Awaitable<void> Upstreams::watch_one(Upstream& upstream) {
  net::Timer timer(executor_);
  while (true) {
    auto result = co_await check(upstream);
    set_state(upstream, result);
    timer.expires_after(upstream.config.health_interval);
    co_await timer.async_wait(net::token);
  }
}

Awaitable<Result<void>> Upstreams::check(Upstream& upstream) {
  if (upstream.config.health.empty()) {
    auto probed = co_await upstream.client.probe();
    co_return probed;
  }
  http::Request request;
  request.method = "GET";
  request.target = upstream.config.health;
  request.fields.add("Host", upstream.client.authority());
  request.fields.add("User-Agent", "rockdove/" ROCKDOVE_VERSION);
  request.context.first_byte_timeout = std::chrono::seconds(5);
  auto response = co_await upstream.client.handle(std::move(request));
  if (!response) co_return response.error();
  http::Response answer = std::move(*response);
  auto whole = co_await http::read_all(answer, 64 * 1024);
  if (!whole) co_return whole.error();
  if (answer.status < 200 || answer.status >= 400) co_return Error::unavailable;
  co_return Result<void>{};
}

void Upstreams::set_state(Upstream& upstream, const Result<void>& result) {
  const bool is_up = result.has_value();
  std::string detail;
  if (!is_up && result.error() == Error::unavailable)
    detail = "GET " + upstream.config.health + " did not answer 2xx or 3xx";
  else if (!is_up) detail = result.error().message();
  if (upstream.up == is_up && upstream.detail == detail) return;
  if (upstream.up != is_up) {
    if (is_up) log::info("agent", "upstream {} is up", upstream.config.url);
    else
      log::warn("agent", "upstream {} is down: {}; is the local service running?", upstream.config.url,
                detail);
  }
  upstream.up = is_up;
  upstream.detail = std::move(detail);
  on_change_();
}

Upstreams::Upstream* Upstreams::find(std::string_view name) {
  for (Upstream& each : upstreams_)
    if (each.config.name == (name.empty() ? tunnel::default_upstream : name)) return &each;
  return name.empty() ? &upstreams_.front() : nullptr;
}

std::vector<tunnel::UpstreamReport> Upstreams::report() const {
  std::vector<tunnel::UpstreamReport> report;
  for (const Upstream& each : upstreams_)
    report.push_back({each.config.name, each.config.url, each.up, each.detail});
  return report;
}

Awaitable<void> Upstreams::close() {
  for (Upstream& upstream : upstreams_) co_await upstream.client.close();
}

}  // namespace rockdove::agent
