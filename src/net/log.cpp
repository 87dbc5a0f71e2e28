#include "net/log.hpp"

#include "net/log_layers.hpp"
#include "net/log_line.hpp"

#include <spdlog/formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

namespace rockdove::log {
namespace {

namespace fs = std::filesystem;
using std::chrono::system_clock;

// Of the line being written, with the log's mutex held: spdlog has no place for them beside a message.
std::string_view current_members;

class Formatter final : public spdlog::formatter {
 public:
  Formatter(bool json, bool journal) : json_(json), journal_(journal) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& to) override {
    const std::string_view layer(message.logger_name.data(), message.logger_name.size());
    const std::string_view text(message.payload.data(), message.payload.size());
    const auto level = static_cast<Level>(message.level);
    const auto append = [&to](std::string_view part) { to.append(part.data(), part.data() + part.size()); };
    if (journal_) append(journal_priority(level));
    if (json_) append(json_line(message.time, level, layer, text, current_members));
    else if (journal_) append(journal_line(layer, text));
    else append(text_line(message.time, level, layer, text));
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<Formatter>(json_, journal_);
  }

 private:
  bool json_, journal_;
};

// Level's values are spdlog's except that it has one more, `critical`, before `off`.
static_assert(static_cast<int>(Level::trace) == SPDLOG_LEVEL_TRACE);
static_assert(static_cast<int>(Level::error) == SPDLOG_LEVEL_ERROR);

using Sink = std::shared_ptr<spdlog::sinks::sink>;

Sink make_sink(const Options& options, bool rotated = false) {
  Sink sink;
  try {
    if (options.file.empty()) sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
    else
      sink = std::make_shared<spdlog::sinks::rotating_file_sink_st>(options.file.string(), options.max_size,
                                                                    options.max_files, rotated);
  } catch (const spdlog::spdlog_ex& failure) {
    throw std::runtime_error("cannot write the log file " + options.file.string() + ": " + failure.what());
  }
  sink->set_formatter(std::make_unique<Formatter>(options.json, options.file.empty() && stderr_is_journal()));
  return sink;
}

/// True if what the file holds is of another day than `now`.
bool is_of_another_day(const Options& options, system_clock::time_point now) {
  std::error_code error;
  const auto written = fs::last_write_time(options.file, error);
  if (error) return false;
  const auto at = std::chrono::file_clock::to_sys(written);
  return local_day(std::chrono::time_point_cast<system_clock::duration>(at)) != local_day(now);
}

struct Log {
  std::mutex mutex;  // the store's thread logs too
  Options options;
  Sink sink = make_sink(options);
  std::int64_t day = 0;  // of the last line, where that matters
};

/// Never destroyed: destructors of other statics may log.
Log& instance() {
  static Log& log = *new Log;
  return log;
}

// As atomics beside the options, so that who says nothing needs no lock.
std::array<std::atomic<Level>, layers.size()> layer_levels;  // read while has_layer_levels
std::atomic<Level> other_level{Level::info};
std::atomic<bool> has_layer_levels{false};
std::atomic<bool> json_lines{false};

/// With the mutex held.
void use_levels(const Options& options) {
  Level lowest = options.level;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto own = options.levels.find(layers[i]);
    const Level level = own == options.levels.end() ? options.level : own->second;
    layer_levels[i] = level;
    lowest = std::min(lowest, level);
  }
  other_level = options.level;
  has_layer_levels = !options.levels.empty();
  detail::lowest = lowest;
}

/// With the mutex held. A file that cannot be rotated is written on.
void begin_day(Log& log, std::int64_t day) {
  log.day = day;
  try {
    log.sink = make_sink(log.options, true);
  } catch (const std::exception&) { return; }
}

}  // namespace

void init(const Options& options) {
  const auto now = system_clock::now();
  const bool is_old = options.daily && !options.file.empty() && is_of_another_day(options, now);
  Sink sink = make_sink(options, is_old);
  Log& log = instance();
  const std::lock_guard lock(log.mutex);
  log.sink = std::move(sink);
  log.options = options;
  log.day = local_day(now);
  json_lines = options.json;
  use_levels(options);
}

void reopen() {
  Log& log = instance();
  const std::lock_guard lock(log.mutex);
  if (!log.options.file.empty()) log.sink = make_sink(log.options);
}

void set_verbosity(const Verbosity& verbosity) {
  Log& log = instance();
  const std::lock_guard lock(log.mutex);
  log.options.level = verbosity.level;
  log.options.levels = verbosity.levels;
  use_levels(log.options);
}

Verbosity verbosity() {
  Log& log = instance();
  const std::lock_guard lock(log.mutex);
  return {log.options.level, log.options.levels};
}

void record(Level level, std::string_view layer, std::string_view text, std::string_view members) {
  detail::write_at(system_clock::now(), level, layer, text, members);
}

bool is_json() {
  return json_lines.load(std::memory_order_relaxed);
}

namespace detail {

bool passes(Level level, std::string_view layer) {
  if (has_layer_levels.load(std::memory_order_relaxed))
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (layers[i] == layer) return level >= layer_levels[i].load(std::memory_order_relaxed);
  return level >= other_level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view layer, fmt::string_view format, fmt::format_args arguments) {
  write_at(system_clock::now(), level, layer, fmt::vformat(format, arguments), {});
}

void write_at(system_clock::time_point time, Level level, std::string_view layer, std::string_view text,
              std::string_view members) {
  const spdlog::details::log_msg message(
      time, spdlog::source_loc{}, spdlog::string_view_t(layer.data(), layer.size()),
      static_cast<spdlog::level::level_enum>(level), spdlog::string_view_t(text.data(), text.size()));
  Log& log = instance();
  const std::lock_guard lock(log.mutex);
  if (log.options.daily && !log.options.file.empty())
    if (const std::int64_t day = local_day(time); day != log.day) begin_day(log, day);
  current_members = members;
  try {
    log.sink->log(message);
    log.sink->flush();               // the last lines before a crash are the ones that matter
  } catch (const std::exception&) {  // a full disk must not stop the service
  }
  current_members = {};
}

}  // namespace detail
}  // namespace rockdove::log
