// The log: one line an event, for people or for machines. Cheap to include, cheap when a level is off.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace rockdove::log {

enum class Level { trace, debug, info, warn, error, off };

/// By the names in net/log_layers.hpp.
using Levels = std::map<std::string, Level, std::less<>>;

struct Options {
  Level level = Level::info;  ///< what is less important is not written
  Levels levels;              ///< of the layers whose level differs; names that are no layer say nothing
  bool json = false;          ///< one JSON object a line; times in UTC
  /// Where to write; empty: standard error. Rotated to file.1.ext, file.2.ext, ...
  std::filesystem::path file;
  std::size_t max_size = 10 * 1024 * 1024;  ///< bytes after which `file` is rotated
  std::size_t max_files = 10;               ///< rotated files kept beside it
  bool daily = false;                       ///< rotate with each new day in local time, too
};

/// How much is said, and by whom.
struct Verbosity {
  Level level = Level::info;
  Levels levels;
};

/// Until it is called, lines of level info and above go to standard error; to a journal (systemd) with each
/// line's priority before it, and without the time, which a journal has itself (sd-daemon(3)). May be called
/// again. Throws std::runtime_error if the file cannot be opened, and changes nothing then. Any thread may
/// log, also while this runs.
void init(const Options& options);

/// Opens the file anew, for programs that move it away (logrotate sends SIGHUP). Keeps the old one and throws
/// std::runtime_error if that fails.
void reopen();

/// Takes effect at once, until the next init().
void set_verbosity(const Verbosity& verbosity);
Verbosity verbosity();

namespace detail {
inline std::atomic<Level> lowest{Level::info};  // of all layers: below it nobody has to look further
bool passes(Level level, std::string_view layer);
void write(Level level, std::string_view layer, fmt::string_view format, fmt::format_args arguments);
/// A line of that time. `members` as in record().
void write_at(std::chrono::system_clock::time_point time, Level level, std::string_view layer,
              std::string_view text, std::string_view members);
}  // namespace detail

/// Whether such a line would be written. Costs one load where it is less important than all that is.
inline bool enabled(Level level, std::string_view layer) {
  return level >= detail::lowest.load(std::memory_order_relaxed) && detail::passes(level, layer);
}

/// A line whose parts have names for machines: `members` are those of a JSON object, without its braces, that
/// come with the text when the log is JSON (append_member() of net/log_line.hpp makes them). For who has
/// asked enabled().
void record(Level level, std::string_view layer, std::string_view text, std::string_view members);
/// Whether anybody reads those.
bool is_json();

// `layer` names the part of the program that speaks: "link", "inbox". Control characters in the text are
// written as escapes, so that bytes from outside cannot forge a line.

template <class... T>
void trace(std::string_view layer, fmt::format_string<T...> format, T&&... arguments) {
  if (enabled(Level::trace, layer))
    detail::write(Level::trace, layer, format, fmt::make_format_args(arguments...));
}

template <class... T>
void debug(std::string_view layer, fmt::format_string<T...> format, T&&... arguments) {
  if (enabled(Level::debug, layer))
    detail::write(Level::debug, layer, format, fmt::make_format_args(arguments...));
}

template <class... T>
void info(std::string_view layer, fmt::format_string<T...> format, T&&... arguments) {
  if (enabled(Level::info, layer))
    detail::write(Level::info, layer, format, fmt::make_format_args(arguments...));
}

template <class... T>
void warn(std::string_view layer, fmt::format_string<T...> format, T&&... arguments) {
  if (enabled(Level::warn, layer))
    detail::write(Level::warn, layer, format, fmt::make_format_args(arguments...));
}

template <class... T>
void error(std::string_view layer, fmt::format_string<T...> format, T&&... arguments) {
  if (enabled(Level::error, layer))
    detail::write(Level::error, layer, format, fmt::make_format_args(arguments...));
}

}  // namespace rockdove::log
