#include "config/log_config.hpp"

#include <array>

namespace rockdove::config {
namespace {
constexpr std::array<std::string_view, 6> levels = {"trace", "debug", "info", "warn", "error", "off"};
}

std::string_view log_level_name(LogLevel level) {
  return levels[static_cast<std::size_t>(level)];
}

LogConfig read_log(Section log) {
  LogConfig config;
  if (const auto level = log.read_choice("level", levels)) config.level = static_cast<LogLevel>(*level);
  log.read("json", config.json);
  log.read("file", config.file);
  log.read_size("max_size", config.max_size);
  // Below this a busy process would rotate all the time and keep nothing.
  if (config.max_size < 64 * 1024) log.fail("max_size", "max_size must be at least \"64KiB\"");
  log.read_count("max_files", config.max_files, 0, 1000);
  log.read("requests", config.requests);
  log.finish();
  return config;
}

}  // namespace rockdove::config
