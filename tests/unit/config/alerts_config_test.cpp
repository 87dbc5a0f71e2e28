#include "config/alerts_config.hpp"

#include "base/files.hpp"
#include "support/scratch_directory.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace rockdove::config {
namespace {

using namespace std::chrono_literals;
using Form = AlertTarget::Form;

AlertsConfig parse(const std::string& text) {
  Section document = Section::parse(text, "server.toml");
  return read_alerts(document.section("alerts"));
}

/// Of reading, or else of loading.
std::string error_of(const std::string& text) {
  try {
    load_alert_secrets(parse(text));
    return "";
  } catch (const ConfigError& error) { return error.what(); }
}

TEST(AlertsConfig, tells_nobody_unless_it_is_told_whom) {
  EXPECT_EQ(parse(""), AlertsConfig{});
  EXPECT_EQ(parse("[alerts]\n"), AlertsConfig{});
  EXPECT_TRUE(AlertsConfig{}.to.empty());
}

TEST(AlertsConfig, reads_what_is_set) {
  const AlertsConfig config = parse(
      "[alerts]\nagent_gone = '30s'\neach_agent = false\nbacklog_age = '1h'\ndisk_free = '5GiB'\ncertificate "
      "= '3d'\n"
      "repeat = '0s'\nsettle = '5s'\nrate = 0\nlanguage = 'zh'\n"
      "[[alerts.to]]\nfeishu = 'https://open.feishu.cn/open-apis/bot/v2/hook/x'\nevents = "
      "['agent_gone', 'dead_letters']\n"
      "[[alerts.to]]\nurl = 'env:HOOK'\nname = 'monitor'\nsecret = 'file:/s'\n");
  EXPECT_EQ(config.agent_gone, 30s);
  EXPECT_FALSE(config.each_agent);
  EXPECT_EQ(config.backlog_age, 1h);
  EXPECT_EQ(config.disk_free, 5ULL << 30);
  EXPECT_EQ(config.certificate, 72h);
  EXPECT_EQ(config.repeat, 0s);
  EXPECT_EQ(config.settle, 5s);
  EXPECT_EQ(config.rate, 0U);
  EXPECT_EQ(config.language, AlertsConfig::Language::zh);
  ASSERT_EQ(config.to.size(), 2U);
  const AlertTarget& bot = config.to[0];
  EXPECT_EQ(bot.name, "feishu-1");
  EXPECT_EQ(bot.form, Form::feishu);
  EXPECT_EQ(bot.url, "https://open.feishu.cn/open-apis/bot/v2/hook/x");
  EXPECT_EQ(bot.events, (std::vector<std::string>{"agent_gone", "dead_letters"}));
  EXPECT_FALSE(bot.secret);
  const AlertTarget& other = config.to[1];
  EXPECT_EQ(other.name, "monitor");
  EXPECT_EQ(other.form, Form::json);
  EXPECT_EQ(other.url_source, (SecretSource{SecretSource::From::environment, "HOOK", false}));
  EXPECT_EQ(other.secret, (SecretSource{SecretSource::From::file, "/s", false}));
}

TEST(AlertsConfig, loads_hooks_and_keys_from_where_they_are) {
  const test::ScratchDirectory directory;
  const std::string place = directory.path().string();
  write_private_file(directory.path() / "hook", "https://open.feishu.cn/open-apis/bot/v2/hook/abc\n");
  write_private_file(directory.path() / "secret", "any text\n");
  write_private_file(directory.path() / "key", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n");
  const AlertsConfig config =
      parse("[[alerts.to]]\nfeishu = 'file:" + place + "/hook'\nsecret = 'file:" + place +
            "/secret'\n[[alerts.to]]\nurl = 'http://10.0.0.1:8000/in?x=1'\n" + "secret = 'file:" + place +
            "/key'\n");
  const auto secrets = load_alert_secrets(config);
  ASSERT_EQ(secrets.size(), 2U);
  EXPECT_EQ(secrets[0].url, (net::Url{"https", "open.feishu.cn", 443, "/open-apis/bot/v2/hook/abc"}));
  EXPECT_EQ(secrets[0].key, "any text");
  EXPECT_EQ(secrets[1].url, (net::Url{"http", "10.0.0.1", 8000, "/in?x=1"}));
  EXPECT_EQ(secrets[1].key, "0123456789abcdef0123456789abcdef");
}

TEST(AlertsConfig, a_mistake_is_an_error_that_quotes_no_secret) {
  const test::ScratchDirectory directory;
  write_private_file(directory.path() / "bad", "hush-hush");
  const std::string file = "'file:" + (directory.path() / "bad").string() + "'";
  const std::pair<std::string, const char*> cases[] = {
      {"[alerts]\nbacklog_age = '0s'", "backlog_age must not be 0"},
      {"[alerts]\nlanguage = 'fr'", "language"},
      {"[alerts]\nrate = 5000", "from 0 to 1000"},
      {"[alerts]\nsetle = '1s'", "unknown key \"setle\"; did you mean \"settle\""},
      {"[[alerts.to]]\nname = 'x'", "needs one of feishu and url"},
      {"[[alerts.to]]\nurl = 'http://a/'\nfeishu = 'http://a/'", "needs one of feishu and url"},
      {"[[alerts.to]]\nfeishu = 'hush-hush'", "feishu must be an address with https:// or http://"},
      {"[[alerts.to]]\nurl = 'ftp://hush-hush/'", "url must be an address"},
      {"[[alerts.to]]\nurl = 'ws://hush-hush/'", "url must be an address"},
      {"[[alerts.to]]\nurl = 'http://a/'\nsecret = 'hush-hush'", "must say where the secret is"},
      {"[[alerts.to]]\nurl = 'http://a/'\nevents = ['agent']",
       "there is no \"agent\"; there are store, agent_gone"},
      {"[[alerts.to]]\nurl = 'http://a/'\nca_file = '/no/such'", "there is no such file"},
      {"[[alerts.to]]\nurl = 'http://a/'\nname = 'x'\n[[alerts.to]]\nurl = 'http://b/'\nname = 'x'",
       "of this name already"},
      {"[[alerts.to]]\nurl = " + file, "[[alerts.to]] \"url-1\": what is to be its URL is not an address"},
      {"[[alerts.to]]\nurl = 'http://a/'\nsecret = " + file, "has to be \"whsec_\""},
      {"[[alerts.to]]\nfeishu = 'env:ROCKDOVE_NO_SUCH_HOOK'", "the environment has no ROCKDOVE_NO_SUCH_HOOK"},
  };
  for (const auto& [text, expected] : cases) {
    const std::string error = error_of(text);
    EXPECT_NE(error.find(expected), error.npos) << text << "\n" << error;
    EXPECT_EQ(error.find("hush"), error.npos) << error;
  }
  std::string many;
  for (int i = 0; i < 17; ++i) many += "[[alerts.to]]\nurl = 'http://a/'\n";
  EXPECT_NE(error_of(many).find("at most 16"), std::string::npos);
}

}  // namespace
}  // namespace rockdove::config
