#include "config/agent_config.hpp"

#include "base/files.hpp"
#include "net/address.hpp"
#include "tunnel/handshake.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

namespace rockdove::config {
namespace {

constexpr std::size_t pin_size = 43;  // base64url of 32 bytes

std::string trim(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == text.npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(space) + 1 - first));
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "agent";
  const std::string_view text = std::string_view(name.data()).substr(0, 64);
  return tunnel::valid_agent_name(text) ? std::string(text) : "agent";
}

/// No secret stands in these messages: they end up in logs and terminals.
void read_secret(Section& server, std::string& secret) {
  std::string file;
  server.read("secret", secret);
  server.read("secret_file", file);
  if (!secret.empty() && !file.empty()) server.fail("secret_file", "set secret or secret_file, not both");
  try {
    if (!file.empty()) secret = trim(read_file(file));
  } catch (const std::runtime_error& error) {
    server.fail("secret_file", "secret_file: " + std::string(error.what()));
  }
  if ((!file.empty() || !secret.empty()) && !tunnel::valid_secret(secret))
    server.fail(file.empty() ? "secret" : "secret_file", "this is no secret; copy it whole, or join again");
}

ServerLink read_server(Section server) {
  constexpr std::array<std::string_view, 3> modes = {"pin", "ca", "off"};
  ServerLink link;
  std::vector<std::string> addresses;
  server.read("address", addresses);
  for (const std::string& text : addresses) {
    if (text.empty()) continue;
    const auto address = parse_host_port(text, default_tunnel_port);
    if (!address || address->port == 0)
      server.fail("address",
                  "address: " + quote(text) + " must be host or host:port, such as \"example.com:8081\"");
    link.address.push_back(*address);
  }
  server.read_name("tunnel", link.tunnel);
  read_secret(server, link.secret);
  if (const auto mode = server.read_choice("tls", modes)) link.tls = static_cast<ServerTls>(*mode);
  server.read("pin", link.pin);
  if (!link.pin.empty() && link.pin.size() != pin_size)
    server.fail("pin", "pin must be the 43 characters that the server's join string carries; join again");
  std::string ca_file;
  server.read("ca_file", ca_file);
  if (!ca_file.empty() && !file_stamp(ca_file))
    server.fail("ca_file", "ca_file = " + quote(ca_file) + ": there is no such file");
  link.ca_file = ca_file;
  server.finish();
  return link;
}

void read_agent(Section agent, AgentConfig& config) {
  agent.read("name", config.name);
  if (config.name.empty()) config.name = host_name();
  if (!tunnel::valid_agent_name(config.name))
    agent.fail("name", "name must be 1 to 64 printable ASCII characters without spaces");
  agent.read_count("links", config.links, 1, tunnel::links_max);
  agent.read("drain", config.drain);
  agent.read("proxy", config.proxy);
  constexpr std::string_view scheme = "http://";
  if (!config.proxy.empty() && config.proxy != "none") {
    // What stands before '@' is user:password; it is not quoted in the message.
    std::string_view rest = std::string_view(config.proxy);
    const bool http = rest.starts_with(scheme);
    rest.remove_prefix(http ? scheme.size() : 0);
    if (const auto at = rest.rfind('@'); at != rest.npos) rest.remove_prefix(at + 1);
    if (rest.ends_with('/')) rest.remove_suffix(1);
    if (!http || !parse_host_port(rest, 80))
      agent.fail("proxy", "proxy must be \"\", \"none\" or a URL such as \"http://proxy.example.com:3128\"");
  }
  agent.finish();
}

AgentEgress read_egress(Section section) {
  AgentEgress egress;
  std::string listen = to_string(*egress.listen);
  section.read("listen", listen);
  egress.listen.reset();
  if (!listen.empty()) {
    const auto address = parse_host_port(listen);
    if (!address || !net::parse_listen_address(listen))
      section.fail("listen", "listen must be \"\" or address:port, such as \"127.0.0.1:5001\"");
    egress.listen = *address;
  }
  section.finish();
  return egress;
}

UpstreamConfig read_upstream(Section& section) {
  UpstreamConfig upstream;
  section.read_name("name", upstream.name);
  if (upstream.name.empty()) section.fail("name", "name must not be empty; leave it out for \"default\"");
  std::string url = upstream.url;
  section.read("url", url);
  try {
    set_url(upstream, url);
  } catch (const ConfigError& error) { section.fail("url", error.what()); }
  section.read("health", upstream.health);
  if (!upstream.health.empty() &&
      (!upstream.health.starts_with('/') ||
       !std::ranges::all_of(upstream.health, [](char c) { return c > ' ' && c < 0x7f; })))
    section.fail("health", "health must be a path such as \"/health\", or empty for a TCP connect");
  section.read("health_interval", upstream.health_interval);
  section.read("connect_timeout", upstream.connect_timeout);
  section.read("first_byte_timeout", upstream.first_byte_timeout);
  section.read("idle_timeout", upstream.idle_timeout);
  section.read_count("connections", upstream.connections, 1, 100'000);
  section.finish();
  return upstream;
}

}  // namespace

void set_url(UpstreamConfig& upstream, std::string_view url) {
  const auto refuse = [&](std::string_view why) {
    throw ConfigError("upstream url " + quote(url) + ": " + std::string(why));
  };
  const bool tls = url.starts_with("https://");
  if (!tls && !url.starts_with("http://")) refuse("must begin with http:// or https://");
  std::string_view rest = url.substr(tls ? 8 : 7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != rest.npos)
    refuse("must not have a path: requests reach the upstream with the path they came with");
  if (rest.find('@') != rest.npos) refuse("must not have a user or password");
  const auto address = parse_host_port(rest, tls ? 443 : 80);
  if (!address || address->port == 0)
    refuse("needs a host and perhaps a port, such as http://127.0.0.1:5000");
  upstream.url = url;
  upstream.tls = tls;
  upstream.address = *address;
}

AgentConfig parse_agent_config(std::string_view text, const std::string& file) {
  Section document = Section::parse(text, file);
  AgentConfig config;
  config.server = read_server(document.section("server"));
  read_agent(document.section("agent"), config);
  std::vector<Section> upstreams = document.sections("upstream");
  if (!upstreams.empty()) config.upstreams.clear();
  std::set<std::string> names;
  for (Section& section : upstreams) {
    UpstreamConfig upstream = read_upstream(section);
    if (!names.insert(upstream.name).second)
      section.fail("name",
                   "there is an upstream " + quote(upstream.name) + " already; give each its own name");
    config.upstreams.push_back(std::move(upstream));
  }
  config.egress = read_egress(document.section("egress"));
  config.log = read_log(document.section("log"));
  document.finish();
  return config;
}

AgentConfig load_agent_config(const std::filesystem::path& path) {
  AgentConfig config = parse_agent_config(path.empty() ? "" : read_file(path), path.string());
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing sets the environment
  if (const char* secret = std::getenv("ROCKDOVE_SECRET"); secret && *secret) {
    config.server.secret = trim(secret);
    if (!tunnel::valid_secret(config.server.secret))
      throw ConfigError("the environment's ROCKDOVE_SECRET is no secret; copy it whole");
  }
  take_log_environment(config.log);
  return config;
}

void check_joined(const AgentConfig& config) {
  const auto missing = [](std::string_view key) {
    throw ConfigError("this agent has no " + std::string(key) +
                      " yet: run \"rockdove token create TUNNEL\" at " +
                      "the server, then \"rockdove join -\" here, and paste the line it printed");
  };
  if (config.server.address.empty()) missing("server");
  if (config.server.tunnel.empty()) missing("tunnel");
  if (config.server.secret.empty()) missing("secret");
  if (config.server.tls == ServerTls::pin && config.server.pin.empty()) missing("pin of the server's key");
}

}  // namespace rockdove::config
