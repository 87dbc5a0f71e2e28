#include "config/log_config.hpp"

#include "net/log_layers.hpp"

#include <array>
#include <cstdlib>

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
  Section own = log.section("levels");
  for (const std::string_view layer : log::layers)
    if (const auto level = own.read_choice(layer, levels))
      config.levels[std::string(layer)] = static_cast<LogLevel>(*level);
  own.finish();
  log.read("json", config.json);
  log.read("file", config.file);
  log.read_size("max_size", config.max_size);
  // Below this a busy process would rotate all the time and keep nothing.
  if (config.max_size < 64 * 1024) log.fail("max_size", "max_size must be at least \"64KiB\"");
  log.read_count("max_files", config.max_files, 0, 1000);
  log.read("daily", config.daily);
  log.read("requests", config.requests);
  log.finish();
  return config;
}

void take_log_environment(LogConfig& config) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing sets the environment
  if (const char* file = std::getenv("ROCKDOVE_LOG_FILE"); file && config.file.empty()) config.file = file;
}

// LogLevel has log::Level's values, and a name of its own because it is what the file says.
static_assert(static_cast<int>(LogLevel::off) == static_cast<int>(log::Level::off));

log::Options log_options(const LogConfig& config) {
  log::Options options;
  options.level = static_cast<log::Level>(config.level);
  for (const auto& [layer, level] : config.levels) options.levels[layer] = static_cast<log::Level>(level);
  options.json = config.json;
  options.file = config.file;
  options.max_size = config.max_size;
  options.max_files = config.max_files;
  options.daily = config.daily;
  return options;
}

}  // namespace rockdove::config
