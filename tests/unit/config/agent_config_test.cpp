#include "config/agent_config.hpp"

#include "config/server_config.hpp"
#include "unit/config/examples.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace rockdove::config {
namespace {

using namespace std::chrono_literals;

const std::string secret = "rd_0123abcd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

AgentConfig parse(std::string_view text) {
  return parse_agent_config(text, "agent.toml");
}

std::string error_of(std::string_view text) {
  try {
    parse(text);
    return "";
  } catch (const ConfigError& error) { return error.what(); }
}

TEST(AgentConfig, an_empty_file_means_the_defaults_and_the_hosts_name) {
  AgentConfig config = parse("");
  EXPECT_FALSE(config.name.empty());
  config.name.clear();
  EXPECT_EQ(config, AgentConfig{});
}

TEST(AgentConfig, the_example_shows_every_key_with_its_default) {
  const std::string example = example_file("agent.toml");
  EXPECT_EQ(parse(example), parse(""));
  const auto error = [](const std::string& text) { return error_of(text); };
  for (const char* table : {"[server]", "[agent]", "[[upstream]]", "[egress]", "[log]"})
    for (const std::string& key : known_keys(table, error))
      EXPECT_TRUE(shows_key(example, table, key)) << table << " " << key;
}

TEST(AgentConfig, the_proxy_for_local_programs_is_on_unless_it_is_turned_off) {
  EXPECT_EQ(parse("").egress.listen, (HostPort{"127.0.0.1", 5001}));
  EXPECT_FALSE(parse("[egress]\nlisten = ''").egress.listen);
  EXPECT_EQ(parse("[egress]\nlisten = '[::1]:0'").egress.listen, (HostPort{"::1", 0}));
  for (const char* bad : {"5001", "localhost:5001", "127.0.0.1", "http://127.0.0.1:5001"})
    EXPECT_NE(error_of("[egress]\nlisten = '" + std::string(bad) + "'").find("[egress] listen must be"),
              std::string::npos)
        << bad;
}

TEST(AgentConfig, reads_what_is_set) {
  const AgentConfig config =
      parse("[server]\naddress = ['a.example.com', '[::1]:443']\ntunnel = 'bot'\nsecret = '" + secret +
            "'\ntls = 'ca'\n"
            "[agent]\nname = 'Office-PC'\nlinks = 4\nproxy = 'http://u:p@proxy:3128/'\n"
            "[[upstream]]\nurl = 'https://[::1]/'\n[[upstream]]\nname = 'api'\nurl = 'http://api'\nhealth = "
            "'/ok?x'\nconnections = 1\n");
  EXPECT_EQ(config.server.address, (std::vector<HostPort>{{"a.example.com", 8081}, {"::1", 443}}));
  EXPECT_EQ(config.server.tls, ServerTls::ca);
  EXPECT_EQ(config.server.secret, secret);
  EXPECT_EQ(config.name, "Office-PC");
  EXPECT_EQ(config.links, 4U);
  ASSERT_EQ(config.upstreams.size(), 2U);
  EXPECT_EQ(config.upstreams[0].name, "default");
  EXPECT_TRUE(config.upstreams[0].tls);
  EXPECT_EQ(config.upstreams[0].address, (HostPort{"::1", 443}));
  EXPECT_EQ(config.upstreams[1].address, (HostPort{"api", 80}));
  EXPECT_EQ(config.upstreams[1].health, "/ok?x");
  check_joined(config);
}

TEST(AgentConfig, a_mistake_is_an_error_that_names_the_line) {
  const std::pair<const char*, const char*> cases[] = {
      {"[server]\nadress = ''", "agent.toml:2: [server] unknown key \"adress\"; did you mean \"address\"?"},
      {"[server]\naddress = 'http://a'",
       "agent.toml:2: [server] address: \"http://a\" must be host or host:port"},
      {"[server]\ntunnel = 'A'", "agent.toml:2: [server] tunnel = \"A\": a name is"},
      {"[server]\nsecret = 'not a secret'", "agent.toml:2: [server] this is no secret"},
      {"[server]\nsecret = 'x'\nsecret_file = 'y'",
       "agent.toml:3: [server] set secret or secret_file, not both"},
      {"[server]\nsecret_file = '/no/such'",
       "agent.toml:2: [server] secret_file: cannot read /no/such: No such file"},
      {"[server]\npin = 'x'", "agent.toml:2: [server] pin must be the 43 characters"},
      {"[server]\ntls = 'on'",
       "agent.toml:2: [server] tls = \"on\": must be one of \"pin\", \"ca\", \"off\""},
      {"[server]\nca_file = '/no/such'",
       "agent.toml:2: [server] ca_file = \"/no/such\": there is no such file"},
      {"[agent]\nname = 'a b'", "agent.toml:2: [agent] name must be 1 to 64 printable"},
      {"[agent]\nlinks = 65", "agent.toml:2: [agent] links = 65: must be a whole number from 1 to 64"},
      {"[agent]\nproxy = 'socks5://a'", "agent.toml:2: [agent] proxy must be"},
      {"[[upstream]]\nurl = '127.0.0.1:5000'",
       "agent.toml:2: [[upstream]] upstream url \"127.0.0.1:5000\": must begin"},
      {"[[upstream]]\nurl = 'http://a/api'",
       "agent.toml:2: [[upstream]] upstream url \"http://a/api\": must not have a path"},
      {"[[upstream]]\nurl = 'http://a?x'",
       "agent.toml:2: [[upstream]] upstream url \"http://a?x\": must not have a path"},
      {"[[upstream]]\nurl = 'http://u:p@a'",
       "agent.toml:2: [[upstream]] upstream url \"http://u:p@a\": must not have a user"},
      {"[[upstream]]\nurl = 'http://'", "agent.toml:2: [[upstream]] upstream url \"http://\": needs a host"},
      {"[[upstream]]\nhealth = 'ok'", "agent.toml:2: [[upstream]] health must be a path"},
      {"[[upstream]]\n[[upstream]]\n", "agent.toml:2: [[upstream]] there is an upstream \"default\" already"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(error_of(text).substr(0, std::string_view(expected).size()), expected) << text;
}

TEST(AgentConfig, no_error_shows_a_secret_or_password) {
  EXPECT_EQ(error_of("[server]\nsecret = 'geheim'").find("geheim"), std::string::npos);
  EXPECT_EQ(error_of("[agent]\nproxy = 'ftp://u:geheim@a'").find("geheim"), std::string::npos);
}

TEST(AgentConfig, the_secret_comes_from_a_file_or_the_environment) {
  auto name = (std::filesystem::temp_directory_path() / "rockdove-agent-XXXXXX").string();
  const std::filesystem::path directory = ::mkdtemp(name.data());
  std::ofstream(directory / "secret") << secret << "\n";
  std::ofstream(directory / "agent.toml")
      << "[server]\nsecret_file = \"" << (directory / "secret").string() << "\"\n";
  EXPECT_EQ(load_agent_config(directory / "agent.toml").server.secret, secret);
  ::setenv("ROCKDOVE_SECRET", "another-secret-of-the-environment", 1);
  EXPECT_EQ(load_agent_config(directory / "agent.toml").server.secret, "another-secret-of-the-environment");
  ::setenv("ROCKDOVE_SECRET", "not a secret", 1);
  EXPECT_THROW(load_agent_config(""), ConfigError);
  ::unsetenv("ROCKDOVE_SECRET");
  std::filesystem::remove_all(directory);
}

TEST(AgentConfig, the_environment_names_the_log_file_where_the_configuration_names_none) {
  ::setenv("ROCKDOVE_LOG_FILE", "/tmp/of-the-environment", 1);
  const auto file = std::filesystem::path(::testing::TempDir()) / "rockdove-log-environment.toml";
  EXPECT_EQ(load_agent_config("").log.file, "/tmp/of-the-environment");
  EXPECT_EQ(load_server_config("").log.file, "/tmp/of-the-environment");
  std::ofstream(file) << "[log]\nfile = \"/tmp/own\"\n";
  EXPECT_EQ(load_agent_config(file).log.file, "/tmp/own");
  EXPECT_EQ(load_server_config(file).log.file, "/tmp/own");
  ::unsetenv("ROCKDOVE_LOG_FILE");
  EXPECT_EQ(load_agent_config("").log.file, "");
  std::filesystem::remove(file);
}

TEST(AgentConfig, an_agent_that_has_not_joined_is_told_how) {
  const std::string base = "[server]\naddress = 'a'\ntunnel = 'b'\nsecret = '" + secret + "'\n";
  EXPECT_THROW(check_joined(parse("")), ConfigError);
  EXPECT_THROW(check_joined(parse(base)), ConfigError) << "pin is missing";
  EXPECT_NO_THROW(check_joined(parse(base + "pin = '" + std::string(43, 'A') + "'")));
  EXPECT_NO_THROW(check_joined(parse(base + "tls = 'off'")));
}

TEST(AgentConfig, a_refused_url_leaves_the_upstream_as_it_was) {
  UpstreamConfig upstream;
  EXPECT_THROW(set_url(upstream, "http://a/b"), ConfigError);
  EXPECT_EQ(upstream, UpstreamConfig{});
  set_url(upstream, "http://127.0.0.1:3000/");
  EXPECT_EQ(upstream.address, (HostPort{"127.0.0.1", 3000}));
}

}  // namespace
}  // namespace rockdove::config
