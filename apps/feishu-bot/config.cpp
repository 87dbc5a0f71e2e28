#include "feishu-bot/config.hpp"

#include "base/files.hpp"

#include <cstdlib>

namespace rockdove::feishu_bot {
namespace {

constexpr const char* default_file = "feishu-bot.toml";

/// Secrets are copied out of web pages: white space around them, and line ends of files, are not meant.
std::string trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == text.npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(space) + 1 - first));
}

/// `key`, or the content of the file that `key`_file names. No message quotes it.
void read_secret(config::Section& section, const std::string& key, std::string& secret) {
  std::string file;
  section.read(key, secret);
  section.read(key + "_file", file);
  if (!secret.empty() && !file.empty()) section.fail(key, "set " + key + " or " + key + "_file, not both");
  try {
    if (!file.empty()) secret = read_file(file);
  } catch (const std::runtime_error& error) { section.fail(key + "_file", error.what()); }
  secret = trimmed(secret);
}

void read_url(config::Section& section, std::string& url) {
  section.read("url", url);
  if (!parse_base_url(url))
    section.fail("url",
                 "url must be a base URL such as \"http://127.0.0.1:5001/feishu\" or "
                 "\"https://open.feishu.cn\"");
}

}  // namespace

Config parse_config(std::string_view text, const std::string& file, const Environment& environment) {
  auto document = config::Section::parse(text, file);
  Config config;
  document.read("listen", config.listen);
  if (!net::parse_listen_address(config.listen))
    document.fail("listen", "listen must be an address and a port, such as \"127.0.0.1:5000\"");
  document.read("journal", config.journal);
  auto feishu = document.section("feishu");
  feishu.read("app_id", config.app_id);
  read_secret(feishu, "app_secret", config.app_secret);
  read_secret(feishu, "encrypt_key", config.encrypt_key);
  read_secret(feishu, "verification_token", config.verification_token);
  read_url(feishu, config.feishu_url);
  feishu.finish();
  auto lingxing = document.section("lingxing");
  read_url(lingxing, config.lingxing_url);
  lingxing.finish();
  document.finish();

  const auto override_by = [&environment](const char* name, std::string& value) {
    if (auto set = trimmed(environment(name)); !set.empty()) value = std::move(set);
  };
  override_by("FEISHU_APP_ID", config.app_id);
  override_by("FEISHU_APP_SECRET", config.app_secret);
  override_by("FEISHU_ENCRYPT_KEY", config.encrypt_key);
  override_by("FEISHU_VERIFICATION_TOKEN", config.verification_token);
  return config;
}

Config load_config(const std::filesystem::path& path) {
  const Environment environment = [](const std::string& name) {
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nothing sets it
    return std::string(value ? value : "");
  };
  const bool is_there = !path.empty() || std::filesystem::exists(default_file);
  const std::filesystem::path file = path.empty() ? default_file : path;
  return parse_config(is_there ? read_file(file) : "", file.string(), environment);
}

std::vector<std::string> missing_settings(const Config& config) {
  std::vector<std::string> missing;
  if (config.app_id.empty()) missing.emplace_back("app_id");
  if (config.app_secret.empty()) missing.emplace_back("app_secret");
  return missing;
}

}  // namespace rockdove::feishu_bot
