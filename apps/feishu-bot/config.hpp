// What the operator of the bot sets: feishu-bot.toml shows every key, the environment overrides.
#pragma once

#include "config/toml_reader.hpp"
#include "feishu-bot/json_api.hpp"
#include "net/address.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::feishu_bot {

using config::ConfigError;

struct Config {
  std::string listen = "127.0.0.1:5000";  ///< an address and a port, no name
  /// What is acknowledged and not answered yet, for the next process; empty: lost with this one.
  std::string journal = "feishu-bot.journal";
  std::string app_id, app_secret;  ///< without them the bot cannot answer; see missing_settings()
  std::string encrypt_key, verification_token;              ///< empty: not checked
  std::string feishu_url = "http://127.0.0.1:5001/feishu";  ///< the agent's egress proxy; or open.feishu.cn
  std::string lingxing_url = "http://127.0.0.1:5001/lingxing";

  bool operator==(const Config&) const = default;
};

/// The value of a variable of the environment, or "".
using Environment = std::function<std::string(const std::string& name)>;

/// Reads and checks a whole configuration; `file` is what errors call it. FEISHU_APP_ID, FEISHU_APP_SECRET,
/// FEISHU_ENCRYPT_KEY and FEISHU_VERIFICATION_TOKEN of `environment`, if set, take the place of what stands
/// there. Throws ConfigError.
Config parse_config(std::string_view text, const std::string& file, const Environment& environment);

/// The same from a file and the process's environment. An empty path means feishu-bot.toml of the working
/// directory, or the defaults if there is none.
Config load_config(const std::filesystem::path& path);

/// "app_id", "app_secret": what has to be set before the bot can answer. Empty: nothing.
std::vector<std::string> missing_settings(const Config& config);

}  // namespace rockdove::feishu_bot
