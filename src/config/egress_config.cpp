#include "config/egress_config.hpp"

#include "base/files.hpp"
#include "tunnel/handshake.hpp"

#include <algorithm>
#include <set>

namespace rockdove::config {
namespace {

constexpr std::size_t count_max = 1'000'000;

egress::DestinationOptions destination(std::string name, std::string_view url) {
  egress::DestinationOptions options;
  options.name = std::move(name);
  options.url = net::parse_url(url).value();
  return options;
}

std::vector<net::Network> read_networks(Section& section) {
  std::vector<std::string> texts;
  section.read("networks", texts);
  std::vector<net::Network> networks;
  for (const std::string& text : texts) {
    if (text.empty()) continue;
    const auto network = net::Network::parse(text);
    if (!network)
      section.fail("networks",
                   "networks: " + quote(text) + " is no address block; write it like \"10.0.0.0/8\"");
    networks.push_back(*network);
  }
  return networks;
}

egress::HostPattern read_pattern(Section& section, const std::string& text) {
  const auto pattern = egress::HostPattern::parse(text);
  if (!pattern)
    section.fail("hosts",
                 "hosts: " + quote(text) +
                     " must be host[:port], such as \"openapi.lingxing.com\" or \"*.feishu.cn:443\"");
  return *pattern;
}

egress::Rule read_rule(Section& section, const egress::Gate::Options& gate) {
  egress::Rule rule;
  std::vector<std::string> hosts;
  section.read("tunnel", rule.tunnel);
  section.read("hosts", hosts);
  section.read("destinations", rule.destinations);
  rule.networks = read_networks(section);
  section.read_count("rate", rule.rate, 0, count_max);
  section.finish();
  if (rule.tunnel != "*" && !tunnel::valid_tunnel_name(rule.tunnel))
    section.fail("tunnel", "tunnel must name the tunnel whose calls this allows, or \"*\" for every one");
  for (const std::string& text : hosts) rule.hosts.push_back(read_pattern(section, text));
  for (const std::string& name : rule.destinations) {
    const bool is_known =
        std::ranges::any_of(gate.destinations, [&](const auto& each) { return each.name == name; });
    if (!is_known) section.fail("destinations", "there is no [[egress.destination]] " + quote(name));
  }
  if (rule.hosts.empty() && rule.destinations.empty())
    section.fail("hosts", "needs hosts or destinations: what may be called");
  return rule;
}

/// lingxing = { app_id, app_secret, buckets } of a destination.
egress::LingxingApp read_lingxing(Section lingxing, SecretSource& secret) {
  egress::LingxingApp app;
  lingxing.read("app_id", app.app_id);
  if (!egress::is_lingxing_app_id(app.app_id))
    lingxing.fail("app_id",
                  "app_id must be the appId that Lingxing's console shows: 16, 24 or 32 characters");
  const auto sources = read_secret_sources(lingxing, "app_secret", 1);
  if (sources.empty())
    lingxing.fail("app_secret", "needs app_secret: \"file:PATH\" or \"env:NAME\" says where it is");
  secret = sources.front();
  Section buckets = lingxing.section("buckets");
  for (const std::string& path : buckets.keys()) {
    if (!path.starts_with('/'))
      buckets.fail(path, quote(path) + " must be a path, such as \"/erp/sc/data/mws_report/allOrders\"");
    buckets.read_count(path, app.buckets[path], 1, count_max);
  }
  lingxing.finish();
  return app;
}

egress::DestinationOptions read_destination(Section& section, EgressConfig& config) {
  egress::DestinationOptions options;
  std::string url, ca_file;
  auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(options.wait);
  auto hold = std::chrono::duration_cast<std::chrono::milliseconds>(options.hold);
  section.read_name("name", options.name);
  section.read("url", url);
  section.read("ca_file", ca_file);
  options.networks = read_networks(section);
  section.read_count("concurrency", options.concurrency, 0, count_max);
  section.read_count("concurrency_per_path", options.concurrency_per_path, 0, count_max);
  section.read_count("waiting", options.waiting, 0, count_max);
  section.read("wait", wait);
  section.read("hold", hold);
  const bool is_signed = section.contains("lingxing");
  SecretSource secret;
  if (is_signed) options.lingxing = read_lingxing(section.section("lingxing"), secret);
  section.finish();
  if (options.name.empty())
    section.fail("name", "needs a name: local programs call http://127.0.0.1:5001/NAME/…");
  const auto parsed = net::parse_url(url);
  const bool is_http = parsed && parsed->scheme.starts_with("http") && parsed->port != 0;
  if (!is_http || parsed->path.find('?') != std::string::npos)
    section.fail("url", "url = " + quote(url) + ": must be like \"https://openapi.lingxing.com\"");
  options.url = *parsed;
  if (!ca_file.empty() && !file_stamp(ca_file))
    section.fail("ca_file", "ca_file = " + quote(ca_file) + ": there is no such file");
  options.ca_file = ca_file;
  if (wait.count() == 0) section.fail("wait", "wait must not be 0; waiting = 0 turns calls away at once");
  options.wait = wait;
  options.hold = hold;
  if (!is_signed) return options;
  if (parsed->path.size() > 1)
    section.fail("url", "url must have no path with lingxing: that would be before the token's, too");
  config.lingxing.emplace(options.name, std::move(secret));
  return options;
}

void read_limits(Section& section, egress::Gate::Options& gate) {
  section.read_count("calls", gate.calls, 1, count_max);
  section.read_size("call_bytes", gate.call_bytes);
  section.read("connect_timeout", gate.connect_timeout);
  section.read("first_byte_timeout", gate.first_byte_timeout);
  section.read_count("tunnel_calls", gate.tunnel_calls, 1, count_max);
  section.read("idle_timeout", gate.idle_timeout);
  for (const auto& [key, value] : {std::pair("connect_timeout", gate.connect_timeout),
                                   std::pair("first_byte_timeout", gate.first_byte_timeout)})
    if (value.count() == 0)
      section.fail(key, std::string(key) + " must not be 0: a call could last for ever");
}

}  // namespace

std::vector<egress::DestinationOptions> default_destinations() {
  std::vector all{destination("lingxing", "https://openapi.lingxing.com"),
                  destination("feishu", "https://open.feishu.cn"),
                  destination("lark", "https://open.larksuite.com")};
  all.front().concurrency_per_path = 1;
  return all;
}

EgressConfig::EgressConfig() {
  gate.destinations = default_destinations();
}

EgressConfig read_egress(Section section) {
  EgressConfig config;
  std::string listen;
  section.read("listen", listen);
  if (!listen.empty()) {
    const auto address = parse_host_port(listen);
    if (!address) section.fail("listen", "listen must be \"\" or address:port, such as \"0.0.0.0:8083\"");
    config.listen = *address;
  }
  section.read("check_url", config.check_url);
  if (!config.check_url.empty() && !net::parse_url(config.check_url))
    section.fail("check_url", "check_url must be \"\" or a URL that answers with the caller's address");
  read_limits(section, config.gate);
  std::vector<Section> destinations = section.sections("destination");
  if (!destinations.empty()) config.gate.destinations.clear();
  std::set<std::string> names, apps;
  for (Section& each : destinations) {
    config.gate.destinations.push_back(read_destination(each, config));
    if (!names.insert(config.gate.destinations.back().name).second)
      each.fail("name", "there is a destination of this name already");
    const auto& app = config.gate.destinations.back().lingxing;
    if (app && !apps.insert(app->app_id).second)
      each.fail("lingxing",
                "there is a destination with this app_id already: each would end the other's token");
  }
  for (Section& each : section.sections("allow")) config.gate.rules.push_back(read_rule(each, config.gate));
  section.finish();
  return config;
}

egress::Gate::Options load_egress_secrets(const EgressConfig& config) {
  egress::Gate::Options gate = config.gate;
  for (egress::DestinationOptions& destination : gate.destinations) {
    if (!destination.lingxing) continue;
    try {
      destination.lingxing->app_secret = load_secret(config.lingxing.at(destination.name)).value_or("");
    } catch (const ConfigError& error) {
      throw ConfigError("[[egress.destination]] " + quote(destination.name) +
                        ": app_secret: " + error.what());
    }
  }
  return gate;
}

}  // namespace rockdove::config
