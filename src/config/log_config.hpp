// The [log] table, the same for server and agent.
#pragma once

#include "config/toml_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace rockdove::config {

enum class LogLevel { trace, debug, info, warn, error, off };

struct LogConfig {
  LogLevel level = LogLevel::info;            ///< what is less important is not written
  bool json = false;                          ///< one JSON object a line instead of text
  std::string file;                           ///< where to write; empty: standard error
  std::uint64_t max_size = 10 * 1024 * 1024;  ///< bytes after which `file` is rotated
  std::size_t max_files = 10;                 ///< rotated files kept beside `file`
  bool requests = true;                       ///< one line for each request

  bool operator==(const LogConfig&) const = default;
};

/// The name of the level in the file: "info".
std::string_view log_level_name(LogLevel level);
LogConfig read_log(Section log);

}  // namespace rockdove::config
