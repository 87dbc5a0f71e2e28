#include "config/server_config.hpp"

#include "unit/config/examples.hpp"

#include <gtest/gtest.h>

namespace rockdove::config {
namespace {

using namespace std::chrono_literals;

ServerConfig parse(std::string_view text) {
  return parse_server_config(text, "server.toml");
}

std::string error_of(std::string_view text) {
  try {
    parse(text);
    return "";
  } catch (const ConfigError& error) { return error.what(); }
}

TEST(ServerConfig, an_empty_file_means_the_defaults) {
  EXPECT_EQ(parse(""), ServerConfig{});
  EXPECT_EQ(load_server_config(""), ServerConfig{});
  ASSERT_EQ(ServerConfig{}.routes.size(), 2U);
  EXPECT_EQ(ServerConfig{}.routes[0].name, "feishu");
  EXPECT_EQ(ServerConfig{}.routes[1], RouteConfig{.name = "default"});
  EXPECT_EQ(to_string(ServerConfig{}.ingress), "0.0.0.0:8080");
}

TEST(ServerConfig, the_example_shows_every_key_with_its_default) {
  const std::string example = example_file("server.toml");
  EXPECT_EQ(parse(example), ServerConfig{});
  const auto error = [](const std::string& text) { return error_of(text); };
  for (const char* table :
       {"[server]", "[tunnel_tls]", "[ingress_tls]", "[log]", "[limits]", "[inbox]", "[[tunnel]]",
        "[[route]]", "[egress]", "[[egress.destination]]", "[[egress.allow]]", "[alerts]"})
    for (const std::string& key : known_keys(table, error)) {
      const bool is_table = key == "target" || key == "destination" || key == "allow" || key == "to";
      EXPECT_TRUE(is_table || shows_key(example, table, key)) << table << " " << key;
    }
  for (const std::string& key : known_keys("[[route]]\nname = \"x\"\n[[route.target]]", error))
    EXPECT_TRUE(shows_key(example, "[[route.target]]", key)) << key;
  for (const std::string& key : known_keys("[[alerts.to]]\nurl = \"http://a/\"", error))
    EXPECT_TRUE(shows_key(example, "[[alerts.to]]", key)) << key;
}

TEST(ServerConfig, the_commented_part_of_the_example_is_valid) {
  const ServerConfig config = parse(uncommented(example_file("server.toml")));
  ASSERT_EQ(config.tunnels.size(), 1U);
  EXPECT_EQ(config.tunnels[0], (TunnelConfig{"feishu-bot", 512, 1024}));
  EXPECT_EQ(config.routes.at(1).inbox.deadline, 2s);
  EXPECT_EQ(config.routes.at(1).inbox.fallback, inbox::CannedAnswer{});
  ASSERT_TRUE(config.routes.at(2).provider);
  EXPECT_TRUE(config.routes[2].provider->plaintext);
  EXPECT_EQ(config.routes[2].provider->secrets.size(), 2U);
  ASSERT_EQ(config.routes[2].targets.size(), 2U);
  EXPECT_EQ(config.routes[2].targets[1], (TargetConfig{"bot-b", "bot-b", "", {"card.action.trigger"}}));
  ASSERT_EQ(config.egress.gate.rules.size(), 1U);
  EXPECT_EQ(config.egress.gate.rules[0].hosts.size(), 2U);
  ASSERT_EQ(config.alerts.to.size(), 2U);
  EXPECT_EQ(config.alerts.to[0].name, "on-call");
}

TEST(ServerConfig, reads_what_is_set) {
  const ServerConfig config = parse(
      "[server]\ningress = '[::]:80'\naddress = ['a.example.com', '1.2.3.4:443']\ntrusted_proxies = "
      "['10.0.0.0/8', 'fd00::/8']\n"
      "agent_wait = '500ms'\npublic_stats = false\n[tunnel_tls]\nmode = 'off'\n[limits]\nbody_bytes = "
      "0\nrunning = 9\n"
      "target_bytes = '4KiB'\n"
      "[[tunnel]]\nname = 'a'\n[[tunnel]]\nname = 'b'\nwaiting = 0\n"
      "[[route]]\nname = 'r'\nhost = '*.Example.com'\npath = '/x'\ntunnel = 'b'\nupstream = "
      "'api'\nhost_header = 'upstream'\n"
      "first_byte_timeout = '1s'\n");
  EXPECT_EQ(config.ingress, (HostPort{"::", 80}));
  EXPECT_EQ(config.address.size(), 2U);
  EXPECT_EQ(config.trusted_proxies.size(), 2U);
  EXPECT_EQ(config.agent_wait, 500ms);
  EXPECT_FALSE(config.public_stats);
  EXPECT_EQ(config.tunnel_tls.mode, TunnelTls::off);
  EXPECT_EQ(config.limits.body_bytes, 0U);
  EXPECT_EQ(config.limits.head.target_bytes, 4096U);
  EXPECT_EQ(config.tunnels.at(0), (TunnelConfig{"a", 9, 1024})) << "a tunnel inherits the limits";
  EXPECT_EQ(config.tunnels.at(1), (TunnelConfig{"b", 9, 0}));
  const RouteConfig expected{"r", "*.example.com", "/x", "b", "api", "upstream", 1s};
  EXPECT_EQ(config.routes, std::vector{expected});
}

TEST(ServerConfig, reads_how_events_are_kept) {
  const ServerConfig config = parse(
      "[inbox]\ndone_age = '1d'\ndead_age = '2d'\nevents_max = 3\nbytes_max = '5MiB'\nmemory = '64MiB'\n"
      "commit_limit = '1s'\n");
  EXPECT_EQ(config.inbox.retention.done_age, 24h);
  EXPECT_EQ(config.inbox.retention.dead_age, 48h);
  EXPECT_EQ(config.inbox.retention.events_max, 3U);
  EXPECT_EQ(config.inbox.retention.bytes_max, 5U * 1024 * 1024);
  EXPECT_EQ(config.inbox.memory, 64U * 1024 * 1024);
  EXPECT_EQ(config.inbox.commit_limit, 1s);
  EXPECT_NE(config, ServerConfig{});
}

TEST(ServerConfig, a_mistake_is_an_error_that_names_the_line) {
  const std::pair<const char*, const char*> cases[] = {
      {"[server]\nlisten = 1", "server.toml:2: [server] unknown key \"listen\""},
      {"[sever]", "server.toml:1: unknown table \"sever\"; did you mean \"server\"?"},
      {"[[routes]]", "server.toml:1: unknown key \"routes\"; did you mean \"route\"?"},
      {"[server]\ningress = '8080'", "server.toml:2: [server] ingress = \"8080\": must be \"address:port\""},
      {"[server]\nadmin = '0.0.0.0:8080'", "server.toml:2: [server] admin and ingress need different ports"},
      {"[server]\ndata = ''", "server.toml:2: [server] data must name a directory"},
      {"[server]\naddress = 'http://a'",
       "server.toml:2: [server] address: \"http://a\" must be what agents can reach"},
      {"[server]\ntrusted_proxies = ['10.0.0.1']",
       "server.toml:2: [server] trusted_proxies: \"10.0.0.1\" is no address"},
      {"[tunnel_tls]\nmode = 'certificate'",
       "server.toml:2: [tunnel_tls] mode = \"certificate\" needs certificate and"},
      {"[tunnel_tls]\ncertificate = '/no/such.pem'",
       "server.toml:2: [tunnel_tls] certificate = \"/no/such.pem\": there is"},
      {"[ingress_tls]\nkey = '/dev/null'", "server.toml:2: [ingress_tls] certificate and key go together"},
      {"[limits]\nhead_timeout = '0s'", "server.toml:2: [limits] head_timeout must not be 0"},
      {"[limits]\nconnections = 0",
       "server.toml:2: [limits] connections = 0: must be a whole number from 1 to"},
      {"[limits]\nheader_bytes = '4KiB'", "server.toml:2: [limits] header_bytes counts the whole head"},
      {"[limits]\nlink_memory = 1", "server.toml:2: [limits] link_memory must be from 1048576"},
      {"[log]\nlevel = 'loud'",
       "server.toml:2: [log] level = \"loud\": must be one of \"trace\", \"debug\", \"info\""},
      {"[log]\nmax_size = 1", "server.toml:2: [log] max_size must be at least \"64KiB\""},
      {"[inbox]\nbytes_max = 1", "server.toml:2: [inbox] bytes_max must be at least \"1MiB\""},
      {"[inbox]\nmemory = 1", "server.toml:2: [inbox] memory must be from 1048576"},
      {"[inbox]\ncommit_limit = '0s'", "server.toml:2: [inbox] commit_limit must not be 0"},
      {"[inbox]\nage = '1d'", "server.toml:2: [inbox] unknown key \"age\""},
      {"[inbox]\nmemory = '4MiB'\n[[route]]\nname = 'a'\nmode = 'inbox'",
       "server.toml:3: [[route]] body_limit must not exceed memory of [inbox]"},
      {"[inbox]\nmemory = '40MiB'\n[[route]]\nname = 'a'\nprovider = 'github'\nbody_limit = '11MiB'",
       "server.toml:6: [[route]] body_limit of a route with a provider must not exceed a quarter"},
      {"[inbox]\ndone_age = '23h'",
       "server.toml:2: [inbox] done_age must be at least \"1d\": route \"feishu\""},
      {"[inbox]\ndead_age = '9m'\n[[route]]\nname = 'a'\nprovider = 'stripe'",
       "server.toml:2: [inbox] dead_age must be at least \"10m\": route \"a\""},
      {"[[tunnel]]\nrunning = 1", "server.toml:1: [[tunnel]] needs a name"},
      {"[[tunnel]]\nname='a'\n[[tunnel]]\nname='a'",
       "server.toml:4: [[tunnel]] there is a tunnel \"a\" already"},
      {"[[tunnel]]\nname='a'\n[[tunnel]]\nname='b'",
       "server.toml:1: there are several [[tunnel]] but no [[route]]"},
      {"[[route]]\nhost = 'a'", "server.toml:1: [[route]] needs a name"},
      {"[[route]]\nname = 'a'\nhost = 'a:80'",
       "server.toml:3: [[route]] host = \"a:80\": write a name without port"},
      {"[[route]]\nname = 'a'\nhost = '*.'", "server.toml:3: [[route]] host = \"*.\": write"},
      {"[[route]]\nname = 'a'\nhost = 'a.*'", "server.toml:3: [[route]] host = \"a.*\": write"},
      {"[[route]]\nname = 'a'\npath = 'x'", "server.toml:3: [[route]] path = \"x\": a path begins"},
      {"[[route]]\nname = 'a'\npath = '/?x'", "server.toml:3: [[route]] path = \"/?x\": a path begins"},
      {"[[route]]\nname = 'a'\nhost_header = 'a b'", "server.toml:3: [[route]] host_header = \"a b\": write"},
      {"[[route]]\nname='a'\n[[route]]\nname='a'\npath='/x'",
       "server.toml:4: [[route]] there is a route \"a\" already"},
      {"[[route]]\nname='a'\n[[route]]\nname='b'",
       "server.toml:3: [[route]] another route has the same host and path"},
      {"[[tunnel]]\nname='a'\n[[tunnel]]\nname='b'\n[[route]]\nname='a'",
       "server.toml:5: [[route]] tunnel is empty"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(error_of(text).substr(0, std::string_view(expected).size()), expected) << text;
}

TEST(ServerConfig, events_are_kept_for_as_long_as_their_requests_are_good) {
  EXPECT_EQ(error_of("[inbox]\ndone_age = '24h'"), "");
  EXPECT_EQ(error_of("[inbox]\ndone_age = '1h'\n[[route]]\nname = 'a'\nprovider = 'github'"), "");
  EXPECT_EQ(error_of("[inbox]\ndone_age = '1h'\n[[route]]\nname = 'a'\nprovider = 'stripe'"), "");
  EXPECT_EQ(error_of("[inbox]\nmemory = '40MiB'\n[[route]]\nname = 'a'\nprovider = 'github'"), "")
      << "what has no room is refused as it comes";
}

TEST(ServerConfig, a_missing_file_is_an_error) {
  EXPECT_THROW(load_server_config("/no/such/server.toml"), std::runtime_error);
}

}  // namespace
}  // namespace rockdove::config
