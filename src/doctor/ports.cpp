#include "doctor/ports.hpp"

#include "doctor/ask.hpp"
#include "doctor/listening.hpp"
#include "doctor/machine.hpp"
#include "net/dial.hpp"
#include "net/peer_certificate.hpp"

#include <boost/asio/ip/address.hpp>

namespace rockdove::doctor {
namespace {

namespace errc = boost::system::errc;

/// True if what listens there presents the certificate of that file.
Awaitable<bool> presents(HostPort address, std::filesystem::path certificate) {
  std::string pin;
  try {
    pin = net::certificate_pin(certificate);
  } catch (const std::exception&) {
    co_return false;  // said already
  }
  if (address.host == "0.0.0.0") address.host = "127.0.0.1";
  if (address.host == "::") address.host = "::1";
  net::DialOptions options;
  options.timeout = check_limit;
  auto socket = co_await net::dial(address, options);
  if (!socket) co_return false;
  net::TlsTrust anybody;
  auto seen = co_await net::look_at_peer(std::move(*socket), std::move(anybody), address.host, check_limit);
  co_return seen && seen->pin == pin;
}

Awaitable<std::optional<std::string>> answer_of(HostPort address, std::string target, std::string_view mark) {
  Question question{std::move(address), false, std::move(target), {}};
  auto answer = co_await ask(std::move(question));
  if (!answer || answer->body.find(mark) == std::string::npos) co_return std::nullopt;
  co_return std::optional(std::move(answer->body));
}

Awaitable<bool> is_our_ingress(const config::ServerConfig& config) {
  if (config.ingress_tls.enabled()) {
    const bool is_ours = co_await presents(config.ingress, config.ingress_tls.certificate);
    co_return is_ours;
  }
  const auto answer = co_await answer_of(config.ingress, "/health", "\"ws_port\"");
  co_return answer.has_value();
}

/// Without TLS it is known by how it turns away what is no agent (docs/protocol.md section 3).
Awaitable<bool> is_our_tunnel(const config::ServerConfig& config) {
  if (config.tunnel_tls.mode == config::TunnelTls::off) {
    const auto answer = co_await answer_of(config.tunnel, "/", "\"hop\":\"link\"");
    co_return answer.has_value();
  }
  std::filesystem::path certificate = config.tunnel_tls.certificate;
  if (certificate.empty()) certificate = config.data / "tls-certificate.pem";
  const bool is_ours = co_await presents(config.tunnel, std::move(certificate));
  co_return is_ours;
}

/// Adds what is certain without asking; true if somebody listens there.
bool is_taken(Report& report, net::Executor executor, const char* name, const HostPort& address) {
  const std::string where = to_string(address);
  if (address.port == 0) {
    report.add("port.any", {name});
    return false;
  }
  const auto error = try_listening(executor, address);
  if (!error) report.add("port.free", {name, where});
  else if (error == errc::permission_denied) report.add("port.denied", {name, where});
  else if (error != errc::address_in_use) report.add("port.unusable", {name, where, error.message()});
  return error == errc::address_in_use;
}

}  // namespace

Awaitable<std::optional<std::string>> check_ports(Report& report, const config::ServerConfig& config) {
  const net::Executor executor = co_await net::asio::this_coro::executor;
  if (is_taken(report, executor, "ingress", config.ingress)) {
    const bool is_ours = co_await is_our_ingress(config);
    report.add(is_ours ? Id("port.served") : Id("port.taken"), {"ingress", to_string(config.ingress)});
  }
  if (is_taken(report, executor, "tunnel", config.tunnel)) {
    const bool is_ours = co_await is_our_tunnel(config);
    report.add(is_ours ? Id("port.served") : Id("port.taken"), {"tunnel", to_string(config.tunnel)});
  }
  std::optional<std::string> health;
  if (is_taken(report, executor, "admin", config.admin)) {
    health = co_await answer_of(config.admin, "/health", "\"ws_port\"");
    report.add(health ? Id("port.served") : Id("port.taken"), {"admin", to_string(config.admin)});
  }
  co_return health;
}

void hint_at_reach(Report& report, const config::ServerConfig& config) {
  boost::system::error_code is_name;
  const auto address = net::asio::ip::make_address(config.ingress.host, is_name);
  if (!is_name && address.is_loopback()) return report.add("reach.local", {to_string(config.ingress)});
  std::string host = "PUBLIC-ADDRESS";
  if (!config.address.empty())
    if (const auto named = parse_host_port(config.address.front(), config.tunnel.port)) host = named->host;
  const std::string url = std::string(config.ingress_tls.enabled() ? "https://" : "http://") +
                          to_string(HostPort{host, config.ingress.port}) + "/health";
  report.add("reach.hint", {url, std::to_string(config.tunnel.port)});
}

}  // namespace rockdove::doctor
