// The [log] table, the same for server and agent.
#pragma once

#include "config/toml_reader.hpp"
#include "net/log.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace rockdove::config {

enum class LogLevel { trace, debug, info, warn, error, off };

struct LogConfig {
  LogLevel level = LogLevel::info;            ///< what is less important is not written
  std::map<std::string, LogLevel> levels;     ///< of layers that have one of their own
  bool json = false;                          ///< one JSON object a line instead of text
  std::string file;                           ///< where to write; empty: standard error
  std::uint64_t max_size = 10 * 1024 * 1024;  ///< bytes after which `file` is rotated
  std::size_t max_files = 10;                 ///< rotated files kept beside `file`
  bool daily = false;                         ///< `file` is rotated with each new day, too
  bool requests = true;                       ///< one line for each request

  bool operator==(const LogConfig&) const = default;
};

/// The name of the level in the file: "info".
std::string_view log_level_name(LogLevel level);
LogConfig read_log(Section log);
/// What the log is to be told.
log::Options log_options(const LogConfig& config);

/// Where the file names no `file`, ROCKDOVE_LOG_FILE of the environment does: for scripts that start the
/// program in the background.
void take_log_environment(LogConfig& config);

}  // namespace rockdove::config
