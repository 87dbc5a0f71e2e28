#include "doctor/path.hpp"

#include "agent/hello.hpp"
#include "agent/way.hpp"
#include "doctor/judge.hpp"
#include "doctor/machine.hpp"
#include "doctor/name_lookup.hpp"
#include "doctor/stopwatch.hpp"
#include "net/address.hpp"
#include "net/crypto.hpp"
#include "net/deadline.hpp"
#include "net/dial.hpp"
#include "net/peer_certificate.hpp"

#include <boost/asio/ip/address.hpp>

#include <utility>

namespace rockdove::doctor {
namespace {

constexpr std::size_t addresses_max = 8;  // of a name that are tried one by one

bool is_refusal(boost::system::error_code error) {
  return error == boost::system::errc::connection_refused;
}

bool is_time_out(boost::system::error_code error) {
  return error == Error::timed_out || error == boost::system::errc::timed_out;
}

std::string list(const std::vector<net::Address>& addresses) {
  std::string text;
  for (const net::Address& each : addresses) text += (text.empty() ? "" : ", ") + net::to_string(each);
  return text;
}

std::int64_t days_until(const net::PeerCertificate& certificate) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return certificate.end ? std::chrono::floor<std::chrono::days>(*certificate.end - now).count() : 0;
}

net::DialOptions within_limit() {
  net::DialOptions options;
  options.timeout = check_limit;
  return options;
}

}  // namespace

Path::Path(Report& report, const config::AgentConfig& config, HostPort server)
    : report_(report), config_(config), server_(std::move(server)), name_(to_string(server_)) {
  if (config_.server.tls == config::ServerTls::off) return;
  if (config_.server.tls == config::ServerTls::pin) trust_.pin = config_.server.pin;
  trust_.ca_file = config_.server.ca_file;
  tls_ = net::make_client_tls(trust_);
}

Awaitable<bool> Path::check() {
  bool is_good = find_way();
  if (is_good) is_good = co_await check_names();
  if (is_good) is_good = co_await check_tcp();
  if (is_good) is_good = co_await check_tls();
  if (is_good) is_good = co_await check_link();
  co_return is_good;
}

bool Path::find_way() {
  auto way = agent::way_to_server(config_.proxy, config_.egress.listen, server_);
  if (!way) {
    report_.add("proxy.wrong", {way.error().message()});
    return false;
  }
  proxy_ = std::move(*way);
  if (proxy_) report_.add("proxy.used", {to_string(proxy_->address)});
  else report_.add("proxy.none", {name_});
  return true;
}

/// By way of a proxy the server's name is the proxy's to look up.
Awaitable<bool> Path::check_names() {
  const std::string host = proxy_ ? proxy_->address.host : server_.host;
  boost::system::error_code is_name;
  const net::Address address = net::asio::ip::make_address(host, is_name);
  if (!is_name) {
    addresses_ = {address};
    report_.add("dns.address", {host});
    co_return true;
  }
  report_.doing("dns.looking", {host});
  const Stopwatch watch;
  auto found = co_await look_up(host, check_limit);
  if (!found) {
    report_.add("dns.failed", {host, found.error().message()}, watch.elapsed());
    co_return false;
  }
  addresses_ = std::move(*found);
  report_.add(judge_lookup(watch.elapsed()), {host, list(addresses_)}, watch.elapsed());
  co_return true;
}

Awaitable<bool> Path::check_tcp() {
  report_.doing("tcp.connecting", {name_});
  if (!proxy_ && addresses_.size() > 1) {
    const bool is_any_good = co_await check_addresses();
    co_return is_any_good;
  }
  std::string refusal;
  const Stopwatch watch;
  auto socket = co_await connect(&refusal);
  if (!socket) {
    add_unreachable(socket.error(), refusal);
    co_return false;
  }
  report_.add(proxy_ ? Id("tcp.by_proxy") : Id("tcp.connected"), {name_}, watch.elapsed());
  co_return true;
}

/// An agent takes whichever answers first, so that one that does not is no failure.
Awaitable<bool> Path::check_addresses() {
  struct Tried {
    std::string name;
    boost::system::error_code error;
    std::chrono::microseconds took;
  };
  std::vector<Tried> all;
  for (std::size_t at = 0; at < std::min(addresses_.size(), addresses_max); ++at) {
    HostPort target{net::to_string(addresses_[at]), server_.port};
    const std::string name = to_string(target);
    const Stopwatch watch;
    auto socket = co_await net::dial(std::move(target), within_limit());
    all.push_back({name, socket ? boost::system::error_code() : socket.error(), watch.elapsed()});
  }
  bool is_any_good = false;
  for (const Tried& each : all) is_any_good = is_any_good || !each.error;
  if (!is_any_good) {
    add_unreachable(all.front().error, {});
    co_return false;
  }
  for (const Tried& each : all) {
    if (each.error) report_.add("tcp.one_down", {each.name, each.error.message()}, each.took);
    else report_.add("tcp.connected", {each.name}, each.took);
  }
  co_return true;
}

void Path::add_unreachable(boost::system::error_code error, const std::string& refusal) {
  if (!proxy_ && is_refusal(error)) return report_.add("tcp.refused", {name_});
  if (!proxy_ && is_time_out(error)) return report_.add("tcp.timeout", {name_});
  if (!proxy_) return report_.add("tcp.failed", {name_, error.message()});
  const std::string proxy = to_string(proxy_->address);
  if (!refusal.empty()) return report_.add("proxy.refused", {proxy, name_, refusal});
  if (error == Error::protocol || error == Error::truncated)
    return report_.add("proxy.not_http", {proxy, error.message()});
  report_.add("proxy.unreachable", {proxy, error.message()});
}

/// As an agent connects. `refusal` gets what a proxy says against it.
Awaitable<Result<net::TcpSocket>> Path::connect(std::string* refusal) {
  net::DialOptions options = within_limit();
  if (!proxy_) {
    auto socket = co_await net::dial(server_, options);
    co_return socket;
  }
  net::Proxy way = *proxy_;
  auto socket = co_await net::dial_through_proxy(std::move(way), server_, options, refusal);
  co_return socket;
}

/// Looks at whatever certificate there is, on a connection of its own: a handshake that fails tells nothing.
Awaitable<bool> Path::check_tls() {
  if (!tls_) {
    const bool is_local = !proxy_ && addresses_.size() == 1 && addresses_.front().is_loopback();
    report_.add(is_local ? Id("tls.off_local") : Id("tls.off"), {name_});
    co_return true;
  }
  report_.doing("tls.looking", {name_});
  std::string refusal;
  auto socket = co_await connect(&refusal);
  if (!socket) {
    add_unreachable(socket.error(), refusal);
    co_return false;
  }
  const Stopwatch watch;
  auto seen = co_await net::look_at_peer(std::move(*socket), trust_, server_.host, check_limit);
  const auto took = watch.elapsed();
  if (!seen) {
    report_.add("tls.failed", {name_, seen.error().message()}, took);
    co_return false;
  }
  if (!trust_.pin.empty()) {
    const bool is_pinned = seen->pin == trust_.pin;
    report_.add(is_pinned ? Id("tls.pinned") : Id("tls.other_key"), {name_, seen->subject, seen->issuer},
                took);
    co_return is_pinned;
  }
  if (!seen->objection.empty()) {
    report_.add("tls.untrusted", {name_, seen->subject, seen->issuer, seen->objection}, took);
    co_return false;
  }
  const auto days = days_until(*seen);
  report_.add(judge_days(days) == State::ok ? Id("tls.valid") : Id("tls.ends_soon"),
              {seen->subject, seen->issuer, std::to_string(days)}, took);
  co_return true;
}

/// Asks for a link that nobody gets: the server looks at the secret, and registers nothing.
Awaitable<Result<Path::Probe>> Path::probe() {
  auto socket = co_await connect(nullptr);
  if (!socket) co_return socket.error();
  net::Stream stream(std::move(*socket));
  bool is_late = false;
  net::Deadline limit(net::Deadlines::of(stream.executor().context()), [&stream, &is_late] {
    is_late = true;
    stream.close();
  });
  limit.set(check_limit);
  if (tls_) {
    auto secured = co_await stream.connect_tls(*tls_, trust_, server_.host);
    if (!secured) co_return is_late ? make_error_code(Error::timed_out) : secured.error();
  }
  tunnel::LinkHello hello;
  hello.tunnel = config_.server.tunnel;
  hello.secret = config_.server.secret;
  hello.agent = config_.name;
  hello.instance = net::random_hex(8);
  hello.direction = tunnel::Direction::probe;
  hello.version = ROCKDOVE_VERSION;
  const Stopwatch watch;
  const auto asked = std::chrono::system_clock::now();
  auto said = co_await agent::say_hello(stream, hello, name_);
  if (!said) co_return is_late ? make_error_code(Error::timed_out) : said.error();
  limit.clear();
  Probe result{std::move(stream), std::move(said->answer), watch.elapsed(), asked,
               std::chrono::system_clock::now()};
  co_return result;
}

Awaitable<bool> Path::check_link() {
  report_.doing("link.asking", {name_});
  auto asked = co_await probe();
  if (!asked) {
    report_.add("link.failed", {name_, asked.error().message()});
    co_return false;
  }
  if (const auto* refusal = std::get_if<tunnel::LinkRefusal>(&asked->answer)) {
    add_refusal(*refusal);
    co_return false;
  }
  const auto& accept = std::get<tunnel::LinkAccept>(asked->answer);
  report_.add("link.welcome", {config_.server.tunnel}, asked->took);
  const bool is_same = accept.version == ROCKDOVE_VERSION;
  report_.add(is_same ? Id("version.same") : Id("version.differs"), {accept.version, ROCKDOVE_VERSION});
  add_skew(accept, *asked);
  co_return true;
}

/// Servers that know no probes refuse them as no request of the protocol.
void Path::add_refusal(const tunnel::LinkRefusal& refusal) {
  const std::string& tunnel = config_.server.tunnel;
  if (refusal.reason == "unauthorized") return report_.add("link.unauthorized", {tunnel});
  if (refusal.reason == "tunnel_mismatch") return report_.add("link.other_tunnel", {tunnel});
  if (refusal.reason == "protocol") return report_.add("link.old_server");
  if (refusal.reason == tunnel::foreign_answer)
    return report_.add("link.foreign", {name_, std::to_string(refusal.status)});
  if (refusal.retry_after) {
    const auto pause = std::chrono::ceil<std::chrono::seconds>(*refusal.retry_after);
    return report_.add("link.later", {std::to_string(pause.count()), refusal.message});
  }
  report_.add("link.turned_away", {refusal.reason + ": " + refusal.message});
}

/// The server read its clock somewhen between question and answer.
void Path::add_skew(const tunnel::LinkAccept& accept, const Probe& probe) {
  using std::chrono::milliseconds;
  if (!accept.time) return;
  const auto asked = std::chrono::floor<milliseconds>(probe.asked.time_since_epoch());
  const auto answered = std::chrono::ceil<milliseconds>(probe.answered.time_since_epoch());
  const auto ahead = *accept.time - answered, behind = *accept.time - asked;
  const bool is_between = ahead <= milliseconds(0) && behind >= milliseconds(0);
  const milliseconds certain = is_between ? milliseconds(0) : ahead > milliseconds(0) ? ahead : behind;
  const Id id = judge_skew(certain);
  if (id.row().state == State::ok) {
    const auto most = std::max(std::chrono::abs(ahead), std::chrono::abs(behind));
    return report_.add(id, {std::to_string(most.count())});
  }
  report_.add(id, {std::to_string(std::chrono::duration_cast<std::chrono::seconds>(certain).count())});
}

}  // namespace rockdove::doctor
