#include "config/route_provider.hpp"

#include "config/provider_config.hpp"
#include "config/route_config.hpp"
#include "support/scratch_directory.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace rockdove::config {
namespace {

using namespace std::chrono_literals;
using inbox::KeyRule;
using inbox::Mode;

RouteConfig parse(const std::string& keys) {
  Section document = Section::parse("[[route]]\nname = 'r'\n" + keys, "s.toml");
  return read_route(document.sections("route").at(0), builtin_providers());
}

std::string error_of(const std::string& keys) {
  try {
    parse(keys);
    return "";
  } catch (const ConfigError& error) { return error.what(); }
}

/// The secrets' values by name, or what is wrong with them.
std::string loaded(const RouteConfig& route) {
  try {
    std::string text;
    const auto secrets = load_secrets(route.name, *route.provider);
    for (const auto& [name, values] : secrets.all())
      for (const std::string& value : values) text += name + "=" + value + " ";
    return text + std::to_string(load_deliver_keys(route.name, *route.provider).size());
  } catch (const ConfigError& error) { return error.what(); }
}

class RouteProviderFiles : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& content) {
    std::ofstream(scratch_.path() / name) << content;
    return "'file:" + (scratch_.path() / name).string() + "'";
  }
  test::ScratchDirectory scratch_;
};

TEST(RouteProvider, brings_its_mode_ack_deadline_and_dedupe) {
  const auto slack = parse("provider = 'slack'").inbox;
  EXPECT_EQ(slack.mode, Mode::automatic);
  EXPECT_EQ(slack.deadline, 2500ms);
  EXPECT_EQ(slack.ack, (inbox::CannedAnswer{200, "text/plain", ""}));
  EXPECT_EQ(slack.dedupe, (std::vector<KeyRule>{{KeyRule::From::id, ""}}));
  EXPECT_EQ(parse("provider = 'wecom'").inbox.deadline, 4s);
  EXPECT_EQ(parse("provider = 'twilio'").inbox.ack.body, "<Response></Response>");
  EXPECT_FALSE(parse("provider = 'feishu'").provider->makes_ack);
  EXPECT_TRUE(parse("provider = 'dingtalk'").provider->makes_ack) << "it is sealed";
}

TEST(RouteProvider, what_the_route_says_wins) {
  const auto route = parse(
      "provider = 'dingtalk'\nmode = 'inbox'\nack = {status = 202}\ndedupe = ['provider', 'body']\n"
      "order = 'chat'\n");
  EXPECT_EQ(route.inbox.mode, Mode::inbox);
  EXPECT_EQ(route.inbox.deadline, 1200ms) << "no disk may keep it waiting for longer";
  EXPECT_EQ(route.inbox.ack.status, 202);
  EXPECT_FALSE(route.provider->makes_ack);
  EXPECT_EQ(route.inbox.dedupe, (std::vector<KeyRule>{{KeyRule::From::id, ""}, {KeyRule::From::body, ""}}));
  EXPECT_EQ(route.inbox.order_key, (KeyRule{KeyRule::From::chat, ""}));
  EXPECT_EQ(parse("provider = 'feishu'\ndedupe = 'none'").inbox.dedupe, std::vector<KeyRule>{});
  EXPECT_EQ(parse("provider = 'feishu'\ndeadline = '1s'\nfallback = {body = 'x'}").inbox.fallback->body, "x");
  const auto live = parse("provider = 'feishu'\nmode = 'live'\nbody_limit = '1MiB'").inbox;
  EXPECT_EQ(live.body_bytes, 1024U * 1024);
  EXPECT_EQ(live.dedupe, std::vector<KeyRule>{});
}

TEST(RouteProvider, no_request_is_good_for_longer_than_its_event_is_remembered) {
  EXPECT_EQ(error_of("provider = 'feishu'\ndedupe_window = '24h'"), "");
  EXPECT_EQ(error_of("provider = 'stripe'\ndedupe_window = '10m'"), "");
  EXPECT_EQ(error_of("provider = 'github'\ndedupe_window = '1m'"), "") << "it signs no time";
  const std::string error = error_of("provider = 'feishu'\ndedupe_window = '23h'");
  EXPECT_EQ(error.substr(0, error.find(':', 30)),
            "s.toml:4: [[route]] dedupe_window must be at least \"1d\"");
  EXPECT_NE(error_of("provider = 'stripe'\ndedupe_window = '9m'").find("at least \"10m\""),
            std::string::npos);
  // Where nothing is remembered, nothing is forgotten.
  EXPECT_EQ(error_of("provider = 'feishu'\ndedupe = 'none'\ndedupe_window = '1h'"), "");
}

TEST(RouteProvider, a_check_without_a_tolerance_gets_the_longest_that_dedupe_stands) {
  Section document = Section::parse(
      "[[provider]]\nname = 'x'\n[[provider.check]]\nname = 'a'\nalgorithm = 'hmac-sha256'\n"
      "signature = 'header:S'\ntimestamp = 'header:T'\nsigned = '${timestamp}${body}'\n"
      "[[provider.check]]\nname = 'b'\nalgorithm = 'hmac-sha256'\nsignature = 'header:S'\nsigned = "
      "'${body}'\n"
      "[[route]]\nname = 'r'\nprovider = 'x'\ndedupe_window = '3h'\n"
      "[[route]]\nname = 'live'\nprovider = 'x'\nmode = 'live'\n",
      "s.toml");
  const auto catalog = read_providers(document);
  auto routes = document.sections("route");
  const auto stored = read_route(routes.at(0), catalog), live = read_route(routes.at(1), catalog);
  EXPECT_EQ(stored.provider->scheme.checks[0].tolerance, 90min);
  EXPECT_EQ(stored.provider->scheme.checks[1].tolerance, std::nullopt);
  EXPECT_EQ(live.provider->scheme.checks[0].tolerance, 12h);
}

TEST(RouteProvider, a_mistake_is_an_error_that_says_what_is_allowed) {
  const std::pair<const char*, const char*> cases[] = {
      {"provider = 'feisu'",
       "s.toml:3: [[route]] provider = \"feisu\": there is none of this name; there are "
       "feishu, github, gitlab"},
      {"secrets = {}", "s.toml:3: [[route]] secrets needs provider"},
      {"deliver = 'as-received'", "s.toml:3: [[route]] deliver needs provider"},
      {"provider = 'github'\nsecrets = {encrypt_key = 'env:A'}",
       "s.toml:4: [route.secrets] unknown key \"encrypt_key\"; known here: secret"},
      {"provider = 'github'\nsecrets = {}", "s.toml:4: [[route]] secrets is empty, so that nothing"},
      {"provider = 'github'\nsecrets = {secret = 'geheim'}",
       "s.toml:4: [route.secrets] secret must say where the secret is: \"file:PATH\" or \"env:NAME\""},
      {"provider = 'github'\nsecrets = {secret = 'env:A B'}", "s.toml:4: [route.secrets] secret must say"},
      {"provider = 'github'\nsecrets = {secret = 'file:'}", "s.toml:4: [route.secrets] secret must say"},
      {"provider = 'github'\nsecrets = {secret = ['env:A','env:A','env:A','env:A','env:A','env:A','env:A',"
       "'env:A','env:A']}",
       "s.toml:4: [route.secrets] secret: at most 8 values"},
      {"provider = 'github'\ndeliver = 'plain'", "s.toml:4: [[route]] deliver = \"plain\": must be one of"},
      {"provider = 'github'\ndeliver = 'verified-plaintext'", "s.toml:4: [[route]] deliver = \"verified"},
      {"provider = 'github'\ndeliver_secret = 'env:A'", "s.toml:4: [[route]] deliver = \"verified"},
      {"provider = 'feishu'\nmode = 'inbox'\nfallback = {}", "s.toml:5: [[route]] fallback is for"},
      {"mode = 'auto'\ntunnel = 'a'\n[[route.target]]\ntunnel = 'b'",
       "s.toml:4: [[route]] tunnel is a matter"},
      {"[[route.target]]\ntunnel = 'b'", "s.toml:1: [[route]] mode = \"live\" has one answer"},
      {"mode = 'auto'\n[[route.target]]\ntunnel = 'b'\ntypes = ['x']",
       "s.toml:6: [[route.target]] types needs"},
      {"provider = 'github'\n[[route.target]]\ntunnel = 'b'\ntypes = ['*x']",
       "s.toml:6: [[route.target]] types = \"*x\": write a type"},
      {"provider = 'github'\n[[route.target]]\ntypes = ['x']",
       "s.toml:4: [[route.target]] needs tunnel, upstream"},
      {"provider = 'github'\n[[route.target]]\ntunnel = 'a'\n[[route.target]]\ntunnel = 'a'\nupstream = 'b'",
       "s.toml:6: [[route.target]] there is a target \"a\" already"},
  };
  for (const auto& [keys, expected] : cases)
    EXPECT_EQ(error_of(keys).substr(0, std::string_view(expected).size()), expected) << keys;
  EXPECT_EQ(error_of("provider = 'github'\nsecrets = {secret = 'geheim'}").find("geheim"), std::string::npos);
}

TEST(RouteProvider, targets_have_names_of_their_own) {
  const auto targets = parse(
                           "provider = 'feishu'\n[[route.target]]\ntunnel = 'a'\ntypes = 'im.*'\n"
                           "[[route.target]]\nupstream = 'u'\n[[route.target]]\ntunnel = 'a'\nname = 'x'\n")
                           .targets;
  EXPECT_EQ(targets,
            (std::vector<TargetConfig>{{"a", "a", "", {"im.*"}}, {"u", "", "u", {}}, {"x", "a", "", {}}}));
  EXPECT_EQ(target_route("r", targets[0]), "r/a");
}

TEST(RouteProvider, a_route_that_names_no_secrets_takes_those_of_the_environment) {
  const auto feishu = default_routes()[0], pay = parse("provider = 'wechat-pay'");
  ::unsetenv("ROCKDOVE_FEISHU_ENCRYPT_KEY");
  ::unsetenv("ROCKDOVE_FEISHU_VERIFICATION_TOKEN");
  EXPECT_EQ(loaded(feishu), "0");
  ::setenv("ROCKDOVE_FEISHU_VERIFICATION_TOKEN", "", 1);
  EXPECT_NE(loaded(feishu).find("is empty"), std::string::npos) << "somebody meant to set it";
  ::unsetenv("ROCKDOVE_FEISHU_VERIFICATION_TOKEN");
  ::setenv("ROCKDOVE_FEISHU_ENCRYPT_KEY", "k\n", 1);
  ::setenv("ROCKDOVE_WECHAT_PAY_API_V3_KEY", "short", 1);
  EXPECT_EQ(loaded(feishu), "encrypt_key=k 0");
  EXPECT_EQ(loaded(pay), "route \"r\": secret api_v3_key has to have 32 letters");
  ::unsetenv("ROCKDOVE_FEISHU_ENCRYPT_KEY");
  ::unsetenv("ROCKDOVE_FEISHU_VERIFICATION_TOKEN");
  ::unsetenv("ROCKDOVE_WECHAT_PAY_API_V3_KEY");
}

TEST_F(RouteProviderFiles, secrets_come_from_files_and_the_environment) {
  const auto route = parse("provider = 'feishu'\nsecrets = {encrypt_key = [" + write("a", "one\r\n") + ", " +
                           write("b", "two") + "], verification_token = 'env:ROCKDOVE_TEST_TOKEN'}");
  ::unsetenv("ROCKDOVE_TEST_TOKEN");
  EXPECT_EQ(loaded(route),
            "route \"r\": secret verification_token: the environment has no ROCKDOVE_TEST_TOKEN");
  ::setenv("ROCKDOVE_TEST_TOKEN", "", 1);
  EXPECT_EQ(loaded(route),
            "route \"r\": secret verification_token: ROCKDOVE_TEST_TOKEN of the environment is empty");
  ::setenv("ROCKDOVE_TEST_TOKEN", "three", 1);
  EXPECT_EQ(loaded(route), "encrypt_key=one encrypt_key=two verification_token=three 0");
  ::unsetenv("ROCKDOVE_TEST_TOKEN");
}

TEST_F(RouteProviderFiles, a_secret_that_cannot_be_used_is_named_but_not_shown) {
  const auto with = [](const std::string& source) {
    return loaded(parse("provider = 'github'\nsecrets = {secret = " + source + "}"));
  };
  EXPECT_NE(with("'file:/no/such'").find("secret secret: "), std::string::npos);
  EXPECT_NE(with("'file:/no/such'").find("/no/such"), std::string::npos);
  EXPECT_NE(with(write("empty", "\n")).find("is empty"), std::string::npos);
  EXPECT_NE(with(write("long", std::string(70'000, 'x'))).find("longer than 64 KiB"), std::string::npos);
  const std::string discord =
      loaded(parse("provider = 'discord'\nsecrets = {public_key = " + write("bad", "geheim") + "}"));
  EXPECT_EQ(discord, "route \"r\": secret public_key has to be a key in hex digits");
}

TEST_F(RouteProviderFiles, plaintext_is_signed_with_a_key_of_the_right_size_and_only_if_it_is_verified) {
  const auto with = [this](const std::string& key) {
    return loaded(parse("provider = 'github'\ndeliver = 'verified-plaintext'\ndeliver_secret = " +
                        write("key", key) + "\nsecrets = {secret = " + write("s", "x") + "}"));
  };
  EXPECT_EQ(with("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n"), "secret=x 1");
  for (const char* key :
       {"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "whsec_", "whsec_MDEyMw==", "whsec_?"})
    EXPECT_EQ(with(key).substr(0, 41), "route \"r\": deliver_secret: has to be \"whs") << key;
  ::unsetenv("ROCKDOVE_GITHUB_SECRET");
  EXPECT_EQ(loaded(parse("provider = 'github'\ndeliver = 'verified-plaintext'\ndeliver_secret = 'env:X'")),
            "route \"r\": deliver = \"verified-plaintext\" needs a secret that verifies: set secrets");
}

}  // namespace
}  // namespace rockdove::config
