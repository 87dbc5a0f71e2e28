#include "feishu-bot/config.hpp"

#include "base/files.hpp"
#include "support/scratch_directory.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace rockdove::feishu_bot {
namespace {

std::string nothing_set(const std::string&) {
  return {};
}

Config parse(std::string_view text) {
  return parse_config(text, "bot.toml", nothing_set);
}

std::string error_of(std::string_view text) {
  try {
    parse(text);
    return {};
  } catch (const ConfigError& error) { return error.what(); }
}

TEST(Config, the_example_shows_every_key_with_its_default) {
  const auto root = std::filesystem::path(__FILE__).parent_path() / "../../..";
  const auto text = read_file(root / "apps/feishu-bot/feishu-bot.toml");
  EXPECT_EQ(parse(text), Config());
  for (const char* key :
       {"listen", "app_id", "app_secret", "encrypt_key", "verification_token", "[lingxing]"})
    EXPECT_NE(text.find(key), text.npos) << key;
}

TEST(Config, what_is_missing_is_named) {
  EXPECT_EQ(missing_settings(Config()), (std::vector<std::string>{"app_id", "app_secret"}));
  EXPECT_TRUE(missing_settings(parse("[feishu]\napp_id = \"a\"\napp_secret = \"s\"")).empty());
}

TEST(Config, the_environment_and_files_bring_secrets) {
  const test::ScratchDirectory directory;
  const auto file = directory.path() / "secret";
  write_private_file(file, "from-file\n");
  const auto config = parse_config(
      "[feishu]\napp_id = \"a\"\napp_secret_file = \"" + file.string() + "\"\nencrypt_key = \"k\"",
      "bot.toml", [](const std::string& name) { return name == "FEISHU_ENCRYPT_KEY" ? " other \n" : ""; });
  EXPECT_EQ(config.app_secret, "from-file");
  EXPECT_EQ(config.encrypt_key, "other");
  EXPECT_EQ(config.app_id, "a");
}

TEST(Config, mistakes_are_errors_that_name_their_line_and_no_secret) {
  for (const char* text :
       {"listen = \"localhost:5000\"", "listen = 5000", "port = 5000", "[feishu]\nappid = \"x\"",
        "[feishu]\nurl = \"open.feishu.cn\"", "[feishu]\nurl = \"https://a.test/?x=1\"",
        "[lingxing]\nurl = \"wss://a.test\"", "[feishu]\napp_secret_file = \"/nowhere/x\"",
        "[feishu]\napp_secret = \"hush\"\napp_secret_file = \"x\""}) {
    const auto error = error_of(text);
    EXPECT_TRUE(error.starts_with("bot.toml:")) << text << ": " << error;
    EXPECT_EQ(error.find("hush"), error.npos);
  }
}

TEST(Config, base_urls_may_have_a_path) {
  const auto proxied = parse_base_url("http://127.0.0.1:5001/feishu/");
  ASSERT_TRUE(proxied);
  EXPECT_EQ(proxied->prefix, "/feishu");
  EXPECT_EQ(proxied->address.port, 5001);
  const auto direct = parse_base_url("https://open.feishu.cn");
  ASSERT_TRUE(direct);
  EXPECT_EQ(direct->prefix, "");
  EXPECT_TRUE(direct->tls);
}

}  // namespace
}  // namespace rockdove::feishu_bot
