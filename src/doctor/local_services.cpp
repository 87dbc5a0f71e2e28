#include "doctor/local_services.hpp"

#include "doctor/ask.hpp"
#include "doctor/listening.hpp"
#include "doctor/machine.hpp"
#include "doctor/stopwatch.hpp"
#include "http/client.hpp"

namespace rockdove::doctor {
namespace {

/// A request's errors are Error::upstream_..., a mere connection's are the system's.
void add_failure(Report& report, const config::UpstreamConfig& upstream, boost::system::error_code error,
                 std::chrono::microseconds took) {
  const bool is_refused =
      error == Error::upstream_refused || error == boost::system::errc::connection_refused;
  const bool is_late = error == Error::upstream_timeout || error == Error::timed_out;
  if (is_refused) return report.add("upstream.refused", {upstream.name, upstream.url}, took);
  if (is_late) return report.add("upstream.silent", {upstream.name, upstream.url}, took);
  report.add("upstream.failed", {upstream.name, upstream.url, error.message()}, took);
}

Awaitable<Result<void>> connect_only(const config::UpstreamConfig& upstream) {
  http::Client::Options options;
  options.address = upstream.address;
  options.tls = upstream.tls;
  options.connect_timeout = check_limit;
  const net::Executor executor = co_await net::asio::this_coro::executor;
  http::Client client(executor, std::move(options));
  auto connected = co_await client.probe();
  co_await client.close();
  co_return connected;
}

}  // namespace

Awaitable<void> check_upstream(Report& report, const config::UpstreamConfig& upstream) {
  report.doing("upstream.asking", {upstream.url});
  const Stopwatch watch;
  if (upstream.health.empty()) {
    const auto connected = co_await connect_only(upstream);
    if (!connected) add_failure(report, upstream, connected.error(), watch.elapsed());
    else report.add("upstream.ok", {upstream.name, upstream.url}, watch.elapsed());
    co_return;
  }
  Question question{upstream.address, upstream.tls, upstream.health, {}};
  const auto answer = co_await ask(std::move(question));
  if (!answer) {
    add_failure(report, upstream, answer.error(), watch.elapsed());
    co_return;
  }
  const bool is_healthy = answer->status >= 200 && answer->status < 400;
  report.add(is_healthy ? Id("upstream.healthy") : Id("upstream.unhealthy"),
             {upstream.url, upstream.health, std::to_string(answer->status)}, watch.elapsed());
}

/// A proxy of ours turns web pages away by itself, without asking its server: so it is known.
Awaitable<void> check_egress_port(Report& report, const config::AgentEgress& egress) {
  if (!egress.listen) {
    report.add("egress.off");
    co_return;
  }
  const HostPort& listen = *egress.listen;
  const std::string where = to_string(listen);
  const net::Executor executor = co_await net::asio::this_coro::executor;
  const auto error = try_listening(executor, listen);
  if (!error) {
    report.add("egress.free", {where});
    co_return;
  }
  if (error != boost::system::errc::address_in_use) {
    report.add("egress.unusable", {where, error.message()});
    co_return;
  }
  Question question{listen, false, "/", "http://rockdove-doctor.invalid"};
  const auto answer = co_await ask(std::move(question));
  const bool is_ours =
      answer && answer->status == 403 && answer->body.find("\"web_page\"") != std::string::npos;
  report.add(is_ours ? Id("egress.agent") : Id("egress.taken"), {where});
}

}  // namespace rockdove::doctor
