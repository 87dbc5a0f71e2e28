// The log: one line an event, for people or for machines. Cheap to include, cheap when a level is off.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <string_view>

namespace rockdove::log {

enum class Level { trace, debug, info, warn, error, off };

struct Options {
  Level level = Level::info;  ///< what is less important is not written
  bool json = false;          ///< one JSON object a line; times in UTC
  /// Where to write; empty: standard error. Rotated to file.1.ext, file.2.ext, ...
  std::filesystem::path file;
  std::size_t max_size = 10 * 1024 * 1024;  ///< bytes after which `file` is rotated
  std::size_t max_files = 10;               ///< rotated files kept beside it
};

/// Until it is called, lines of level info and above go to standard error. Throws std::runtime_error if the
/// file cannot be opened. Any thread may log, also while this runs.
void init(const Options& options);

/// Opens the file anew, for programs that move it away (logrotate sends SIGHUP). Keeps the old one and throws
/// std::runtime_error if that fails.
void reopen();

/// The less important levels follow at once; for a change of configuration in a running process.
void set_level(Level level);

namespace detail {
inline std::atomic<Level> threshold{Level::info};
void write(Level level, std::string_view layer, fmt::string_view format, fmt::format_args arguments);
}  // namespace detail

inline bool enabled(Level level) {
  return level >= detail::threshold.load(std::memory_order_relaxed);
}

// `layer` names the part of the program that speaks: "link", "inbox". Control characters in the text are
// written as escapes, so that bytes from outside cannot forge a line.

template <class... T>
void trace(std::string_view layer, fmt::format_string<T...> format, T&&... arguments) {
  if (enabled(Level::trace)) detail::write(Level::trace, layer, format, fmt::make_format_args(arguments...));
}

template <class... T>
void debug(std::string_view layer, fmt::format_string<T...> format, T&&... arguments) {
  if (enabled(Level::debug)) detail::write(Level::debug, layer, format, fmt::make_format_args(arguments...));
}

template <class... T>
void info(std::string_view layer, fmt::format_string<T...> format, T&&... arguments) {
  if (enabled(Level::info)) detail::write(Level::info, layer, format, fmt::make_format_args(arguments...));
}

template <class... T>
void warn(std::string_view layer, fmt::format_string<T...> format, T&&... arguments) {
  if (enabled(Level::warn)) detail::write(Level::warn, layer, format, fmt::make_format_args(arguments...));
}

template <class... T>
void error(std::string_view layer, fmt::format_string<T...> format, T&&... arguments) {
  if (enabled(Level::error)) detail::write(Level::error, layer, format, fmt::make_format_args(arguments...));
}

}  // namespace rockdove::log
