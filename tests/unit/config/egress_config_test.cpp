#include "config/egress_config.hpp"

#include <gtest/gtest.h>

namespace rockdove::config {
namespace {

using namespace std::chrono_literals;

EgressConfig parse(const std::string& text) {
  Section document = Section::parse(text, "server.toml");
  return read_egress(document.section("egress"));
}

std::string error_of(const std::string& text) {
  try {
    parse(text);
    return "";
  } catch (const ConfigError& error) { return error.what(); }
}

TEST(EgressConfig, nothing_is_allowed_by_default_and_three_destinations_are_known) {
  const EgressConfig config = parse("");
  EXPECT_EQ(config, EgressConfig{});
  EXPECT_FALSE(config.listen);
  EXPECT_TRUE(config.gate.rules.empty());
  ASSERT_EQ(config.gate.destinations.size(), 3U);
  EXPECT_EQ(config.gate.destinations[0].name, "lingxing");
  EXPECT_EQ(config.gate.destinations[0].url.host, "openapi.lingxing.com");
  EXPECT_EQ(config.gate.destinations[0].concurrency_per_path, 1U);
  EXPECT_EQ(config.gate.destinations[1].url.host, "open.feishu.cn");
  EXPECT_EQ(config.gate.destinations[2].url.host, "open.larksuite.com");
}

TEST(EgressConfig, an_app_of_lingxing_has_its_secret_elsewhere) {
  const std::string head = "[[egress.destination]]\nname = 'lx'\nurl = 'https://openapi.lingxing.com'\n";
  ::setenv("TEST_LINGXING_SECRET", "s3cret", 1);
  const EgressConfig config =
      parse(head +
            "lingxing = { app_id = 'ak_0123456789abc', app_secret = 'env:TEST_LINGXING_SECRET', "
            "buckets = { '/a/b' = 10 } }\n");
  ASSERT_TRUE(config.gate.destinations.at(0).lingxing);
  EXPECT_EQ(config.gate.destinations[0].lingxing->app_id, "ak_0123456789abc");
  EXPECT_EQ(config.gate.destinations[0].lingxing->app_secret, "") << "not read by whoever checks the file";
  EXPECT_EQ(config.gate.destinations[0].lingxing->buckets, (egress::LingxingGates::Buckets{{"/a/b", 10}}));
  EXPECT_EQ(load_egress_secrets(config).destinations[0].lingxing->app_secret, "s3cret");
  ::unsetenv("TEST_LINGXING_SECRET");
  EXPECT_THROW(load_egress_secrets(config), ConfigError);
  EXPECT_EQ(load_egress_secrets(EgressConfig{}), EgressConfig{}.gate);
  for (const auto& [lingxing, expected] :
       {std::pair("{ app_id = 'short', app_secret = 'env:A' }", "app_id must be"),
        std::pair("{ app_id = 'ak_0123456789abc' }", "needs app_secret"),
        std::pair("{ app_id = 'ak_0123456789abc', app_secret = 'mine' }", "must say where the secret is"),
        std::pair("{ app_id = 'ak_0123456789abc', app_secret = 'env:A', buckets = { a = 1 } }", "a path"),
        std::pair("{ app_id = 'ak_0123456789abc', app_secret = 'env:A', buckets = { '/a' = 0 } }", "from 1")})
    EXPECT_NE(error_of(head + "lingxing = " + lingxing + "\n").find(expected), std::string::npos) << lingxing;
  const std::string app = "lingxing = { app_id = 'ak_0123456789abc', app_secret = 'env:A' }\n";
  EXPECT_EQ(error_of(head + app), "");
  EXPECT_NE(error_of(head + app + "[[egress.destination]]\nname = 'two'\nurl = 'https://b.example'\n" + app)
                .find("app_id already"),
            std::string::npos);
  EXPECT_NE(
      error_of("[[egress.destination]]\nname = 'lx'\nurl = 'https://a.example/v2'\n" + app).find("no path"),
      std::string::npos);
}

TEST(EgressConfig, reads_what_is_set) {
  const EgressConfig config = parse(
      "[egress]\nlisten = '0.0.0.0:8083'\ncheck_url = 'https://ip.example/'\ncalls = 7\ntunnel_calls = "
      "3\ncall_bytes = '1MiB'\n"
      "idle_timeout = '0s'\n"
      "[[egress.destination]]\nname = 'shop'\nurl = 'http://shop.example:8080/v2'\nnetworks = "
      "['10.0.0.0/8']\n"
      "concurrency = 3\nwaiting = 0\nwait = '1s'\nhold = '2s'\n"
      "[[egress.allow]]\ntunnel = 'bot'\nhosts = 'a.example'\nrate = 5\n"
      "[[egress.allow]]\ntunnel = '*'\ndestinations = ['shop']\nnetworks = ['::1', '127.0.0.0/8']\n");
  EXPECT_EQ(config.listen, (HostPort{"0.0.0.0", 8083}));
  EXPECT_EQ(config.check_url, "https://ip.example/");
  EXPECT_EQ(config.gate.calls, 7U);
  EXPECT_EQ(config.gate.tunnel_calls, 3U);
  EXPECT_EQ(config.gate.call_bytes, 1024U * 1024);
  EXPECT_EQ(config.gate.idle_timeout, 0ms);
  ASSERT_EQ(config.gate.destinations.size(), 1U) << "in place of those that are built in";
  const egress::DestinationOptions& shop = config.gate.destinations[0];
  EXPECT_EQ(shop.url.port, 8080);
  EXPECT_EQ(shop.url.path, "/v2");
  EXPECT_EQ(shop.networks.size(), 1U);
  EXPECT_EQ(shop.concurrency, 3U);
  EXPECT_EQ(shop.waiting, 0U);
  EXPECT_EQ(shop.wait, 1s);
  EXPECT_EQ(shop.hold, 2s);
  ASSERT_EQ(config.gate.rules.size(), 2U);
  EXPECT_TRUE(config.gate.rules[0].hosts.at(0).matches({"a.example", 443}));
  EXPECT_EQ(config.gate.rules[0].rate, 5U);
  EXPECT_EQ(config.gate.rules[1].tunnel, "*");
  EXPECT_EQ(config.gate.rules[1].networks.size(), 2U);
}

TEST(EgressConfig, a_mistake_is_an_error_that_names_the_line) {
  const std::string rule = "[[egress.allow]]\ntunnel = 'bot'\n";
  const std::string shop = "[[egress.destination]]\nname = 'shop'\n";
  const std::pair<std::string, const char*> cases[] = {
      {"[egress]\nlisten = '8083'", "server.toml:2: [egress] listen must be"},
      {"[egress]\nconnect_timeout = '0s'", "server.toml:2: [egress] connect_timeout must not be 0"},
      {"[egress]\ncheck_url = 'ip'", "server.toml:2: [egress] check_url must be"},
      {"[egress]\nhosts = 'a'", "server.toml:2: [egress] unknown key \"hosts\""},
      {"[[egress.allow]]\nhosts = 'a'", "server.toml:1: [[egress.allow]] tunnel must name the tunnel"},
      {"[[egress.allow]]\ntunnel = 'Bot'\nhosts = 'a'", "server.toml:2: [[egress.allow]] tunnel must name"},
      {rule, "server.toml:1: [[egress.allow]] needs hosts or destinations"},
      {rule + "hosts = ['a', 'https://b']",
       "server.toml:3: [[egress.allow]] hosts: \"https://b\" must be host"},
      {rule + "destinations = 'shop'",
       "server.toml:3: [[egress.allow]] there is no [[egress.destination]] \"shop\""},
      {rule + "hosts = 'a'\nnetworks = '10.0.0.0/99'",
       "server.toml:4: [[egress.allow]] networks: \"10.0.0.0/99\""},
      {"[[egress.destination]]\nurl = 'https://a'", "server.toml:1: [[egress.destination]] needs a name"},
      {shop, "server.toml:1: [[egress.destination]] url = \"\": must be like"},
      {shop + "url = 'ws://a'", "server.toml:3: [[egress.destination]] url = \"ws://a\": must be like"},
      {shop + "url = 'https://a/?x'",
       "server.toml:3: [[egress.destination]] url = \"https://a/?x\": must be like"},
      {shop + "url = 'https://u:p@a'", "server.toml:3: [[egress.destination]] url = "},
      {shop + "url = 'https://a'\nwait = '0s'", "server.toml:4: [[egress.destination]] wait must not be 0"},
      {shop + "url = 'https://a'\nca_file = '/no/such'", "server.toml:4: [[egress.destination]] ca_file = "},
      {shop + "url = 'https://a'\n" + shop + "url = 'https://a'",
       "server.toml:5: [[egress.destination]] there is a destination of this name already"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(error_of(text).substr(0, std::string_view(expected).size()), expected) << text;
}

}  // namespace
}  // namespace rockdove::config
