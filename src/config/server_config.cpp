#include "config/server_config.hpp"

#include "base/files.hpp"
#include "base/units.hpp"
#include "config/provider_config.hpp"
#include "inbox/held_memory.hpp"

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <tuple>

namespace rockdove::config {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t count_max = 1'000'000;
constexpr std::size_t events_limit = 1'000'000'000;
constexpr std::uint64_t smallest_store = 1024 * 1024;
constexpr std::uint64_t smallest_link_memory = 1024 * 1024;  // one link's windows must fit

void read_file_name(Section& section, std::string_view key, std::filesystem::path& into) {
  std::string text;
  section.read(key, text);
  if (text.empty()) return;
  if (!file_stamp(text))
    section.fail(key, std::string(key) + " = " + quote(text) + ": there is no such file");
  into = text;
}

void read_limited_size(Section& section, std::string_view key, std::size_t& into, std::uint64_t min,
                       std::uint64_t max) {
  std::uint64_t size = into;
  section.read_size(key, size);
  if (size < min || size > max)
    section.fail(key, std::string(key) + " must be from " + std::to_string(min) + " to " +
                          std::to_string(max) + " bytes");
  into = static_cast<std::size_t>(size);
}

void read_needed_duration(Section& section, std::string_view key, milliseconds& into) {
  section.read(key, into);
  if (into == milliseconds{0})
    section.fail(key, std::string(key) + " must not be 0: a caller could hold a connection open for ever");
}

void check_address_block(Section& section, const std::string& block) {
  boost::system::error_code v4, v6;
  boost::asio::ip::make_network_v4(block, v4);
  boost::asio::ip::make_network_v6(block, v6);
  if (v4 && v6)
    section.fail("trusted_proxies", "trusted_proxies: " + quote(block) +
                                        " is no address block; write it like " +
                                        "\"10.0.0.0/8\", one address as \"10.0.0.1/32\" or \"fd00::1/128\"");
}

void read_server(Section server, ServerConfig& config) {
  server.read("ingress", config.ingress);
  server.read("tunnel", config.tunnel);
  server.read("admin", config.admin);
  std::string data = config.data.string();
  server.read("data", data);
  if (data.empty()) server.fail("data", "data must name a directory");
  config.data = data;
  server.read("service", config.service);
  server.read("address", config.address);
  std::erase(config.address, "");
  for (const std::string& address : config.address)
    if (const auto parsed = parse_host_port(address, 1); !parsed || parsed->port == 0)
      server.fail("address",
                  "address: " + quote(address) + " must be what agents can reach, host or host:port");
  server.read("trusted_proxies", config.trusted_proxies);
  for (const std::string& block : config.trusted_proxies) check_address_block(server, block);
  server.read("agent_wait", config.agent_wait);
  server.read("drain", config.drain);
  server.read("trace", config.trace);
  server.read("public_stats", config.public_stats);
  server.finish();
}

void check_ports(Section& server, const ServerConfig& config) {
  const auto clash = [](const HostPort& a, const HostPort& b) { return a.port != 0 && a == b; };
  if (clash(config.ingress, config.tunnel)) server.fail("tunnel", "tunnel and ingress need different ports");
  if (clash(config.ingress, config.admin)) server.fail("admin", "admin and ingress need different ports");
  if (clash(config.tunnel, config.admin)) server.fail("admin", "admin and tunnel need different ports");
}

void read_certificate(Section& section, std::filesystem::path& certificate, std::filesystem::path& key) {
  read_file_name(section, "certificate", certificate);
  read_file_name(section, "key", key);
  if (certificate.empty() != key.empty())
    section.fail(certificate.empty() ? "key" : "certificate",
                 "certificate and key go together; set both or none");
  section.finish();
}

TunnelTlsConfig read_tunnel_tls(Section section) {
  constexpr std::array<std::string_view, 3> modes = {"pin", "certificate", "off"};
  TunnelTlsConfig config;
  if (const auto mode = section.read_choice("mode", modes)) config.mode = static_cast<TunnelTls>(*mode);
  read_certificate(section, config.certificate, config.key);
  if (config.mode == TunnelTls::certificate && config.certificate.empty())
    section.fail("mode",
                 "mode = \"certificate\" needs certificate and key: the files your authority gave you");
  return config;
}

LimitsConfig read_limits(Section limits) {
  constexpr std::uint64_t any = std::numeric_limits<std::int64_t>::max();
  LimitsConfig config;
  limits.read_count("connections", config.connections, 1, count_max);
  read_limited_size(limits, "target_bytes", config.head.target_bytes, 256, 1024 * 1024);
  read_limited_size(limits, "header_bytes", config.head.header_bytes, 1024, 16 * 1024 * 1024);
  if (config.head.header_bytes < config.head.target_bytes)
    limits.fail("header_bytes", "header_bytes counts the whole head and cannot be less than target_bytes");
  limits.read_count("header_fields", config.head.fields, 10, 10'000);
  limits.read_size("body_bytes", config.body_bytes);
  read_needed_duration(limits, "head_timeout", config.head_timeout);
  limits.read("idle_timeout", config.idle_timeout);
  limits.read("body_idle_timeout", config.body_idle_timeout);
  limits.read("write_idle_timeout", config.write_idle_timeout);
  limits.read("first_byte_timeout", config.first_byte_timeout);
  limits.read("stream_idle_timeout", config.stream_idle_timeout);
  limits.read_count("handshakes", config.handshakes, 1, count_max);
  read_needed_duration(limits, "handshake_timeout", config.handshake_timeout);
  limits.read_count("running", config.running, 1, count_max);
  limits.read_count("waiting", config.waiting, 0, count_max);
  read_limited_size(limits, "link_memory", config.link_memory, smallest_link_memory, any);
  limits.finish();
  return config;
}

void read_tunnels(std::vector<Section> sections, ServerConfig& config) {
  std::set<std::string> names;
  for (Section& section : sections) {
    TunnelConfig tunnel{"", config.limits.running, config.limits.waiting};
    section.read_name("name", tunnel.name);
    section.read_count("running", tunnel.running, 1, count_max);
    section.read_count("waiting", tunnel.waiting, 0, count_max);
    section.finish();
    if (tunnel.name.empty()) section.fail("name", "needs a name: the one its tokens were made for");
    if (!names.insert(tunnel.name).second)
      section.fail("name", "there is a tunnel " + quote(tunnel.name) + " already");
    config.tunnels.push_back(std::move(tunnel));
  }
}

InboxConfig read_inbox(Section section) {
  constexpr std::uint64_t any = std::numeric_limits<std::int64_t>::max();
  InboxConfig config;
  inbox::Retention& retention = config.retention;
  section.read("done_age", retention.done_age);
  section.read("dead_age", retention.dead_age);
  std::size_t events_max = retention.events_max;
  section.read_count("events_max", events_max, 0, events_limit);
  retention.events_max = events_max;
  section.read_size("bytes_max", retention.bytes_max);
  if (retention.bytes_max < smallest_store)
    section.fail("bytes_max",
                 "bytes_max must be at least \"1MiB\": when it is reached, requests are refused");
  read_limited_size(section, "memory", config.memory, smallest_store, any);
  section.read("commit_limit", config.commit_limit);
  if (config.commit_limit == milliseconds{0})
    section.fail("commit_limit", "commit_limit must not be 0: callers would wait for a broken disk for ever");
  section.finish();
  return config;
}

void check_tunnels(Section& section, const RouteConfig& route, const ServerConfig& config) {
  if (config.tunnels.size() < 2) return;
  const char* const advice = "tunnel is empty, but there are several [[tunnel]]; name the one to use";
  if (route.targets.empty() && route.tunnel.empty()) section.fail("tunnel", advice);
  for (const TargetConfig& target : route.targets)
    if (target.tunnel.empty())
      section.fail("target", "[[route.target]] " + quote(target.name) + ": " + advice);
}

void check_body_limit(Section& section, const RouteConfig& route, const ServerConfig& config) {
  if (route.inbox.mode == inbox::Mode::live && !route.provider) return;
  const std::size_t memory = config.inbox.memory, body = route.inbox.body_bytes;
  if (body > memory)
    section.fail("body_limit", "body_limit must not exceed memory of [inbox], which all requests share");
  const bool is_asked_for = section.contains("body_limit");  // else a larger one is refused as it comes
  if (route.provider && is_asked_for && body > inbox::HeldMemory::unproven_max(memory))
    section.fail(
        "body_limit",
        "body_limit of a route with a provider must not exceed a quarter of memory of [inbox]: until a "
        "request is proven, it may be a stranger's who sends it slowly");
}

/// Dedupe knows an event for as long as the inbox has it.
void check_ages(Section inbox, const ServerConfig& config) {
  const inbox::Retention& kept = config.inbox.retention;
  for (const RouteConfig& route : config.routes) {
    if (!route.provider) continue;
    const milliseconds needed = needed_memory(*route.provider, route.inbox);
    for (const auto& [key, age] :
         {std::pair("done_age", kept.done_age), std::pair("dead_age", kept.dead_age)})
      if (age < needed)
        inbox.fail(key, std::string(key) + " must be at least " + quote(format_duration(needed)) +
                            ": route " + quote(route.name) + " would take what was sent before for new");
  }
}

void read_routes(std::vector<Section> sections, Section& document, ServerConfig& config) {
  const providers::Catalog catalog = read_providers(document);
  if (!sections.empty()) config.routes.clear();
  std::set<std::string> names;
  std::set<std::pair<std::string, std::string>> rules;
  for (Section& section : sections) {
    RouteConfig route = read_route(section, catalog);
    if (!names.insert(route.name).second)
      section.fail("name", "there is a route " + quote(route.name) + " already");
    if (!rules.emplace(route.host, route.path).second)
      section.fail("path", "another route has the same host and path, so that this one would never be used");
    check_body_limit(section, route, config);
    check_tunnels(section, route, config);
    config.routes.push_back(std::move(route));
  }
  if (sections.empty() && config.tunnels.size() > 1)
    document.fail("tunnel",
                  "there are several [[tunnel]] but no [[route]]: add routes that say which requests go " +
                      std::string("to which tunnel"));
}

}  // namespace

bool LimitsConfig::operator==(const LimitsConfig& other) const {
  const auto all = [](const LimitsConfig& limits) {
    return std::tie(limits.connections, limits.head.target_bytes, limits.head.header_bytes,
                    limits.head.fields, limits.body_bytes, limits.head_timeout, limits.idle_timeout,
                    limits.body_idle_timeout, limits.write_idle_timeout, limits.first_byte_timeout,
                    limits.stream_idle_timeout, limits.handshakes, limits.handshake_timeout, limits.running,
                    limits.waiting, limits.link_memory);
  };
  return all(*this) == all(other);
}

bool InboxConfig::operator==(const InboxConfig& other) const {
  const auto all = [](const InboxConfig& config) {
    const inbox::Retention& kept = config.retention;
    return std::tie(kept.done_age, kept.dead_age, kept.events_max, kept.bytes_max, config.memory,
                    config.commit_limit);
  };
  return all(*this) == all(other);
}

ServerConfig parse_server_config(std::string_view text, const std::string& file) {
  Section document = Section::parse(text, file);
  ServerConfig config;
  Section server = document.section("server");
  read_server(server, config);
  check_ports(server, config);
  config.tunnel_tls = read_tunnel_tls(document.section("tunnel_tls"));
  Section ingress_tls = document.section("ingress_tls");
  read_certificate(ingress_tls, config.ingress_tls.certificate, config.ingress_tls.key);
  config.log = read_log(document.section("log"));
  config.limits = read_limits(document.section("limits"));
  config.inbox = read_inbox(document.section("inbox"));
  config.egress = read_egress(document.section("egress"));
  config.alerts = read_alerts(document.section("alerts"));
  read_tunnels(document.sections("tunnel"), config);
  read_routes(document.sections("route"), document, config);
  check_ages(document.section("inbox"), config);
  document.finish();
  return config;
}

ServerConfig load_server_config(const std::filesystem::path& path) {
  ServerConfig config = path.empty() ? ServerConfig{} : parse_server_config(read_file(path), path.string());
  take_log_environment(config.log);
  return config;
}

}  // namespace rockdove::config
