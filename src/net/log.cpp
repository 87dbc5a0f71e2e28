#include "net/log.hpp"

#include "net/log_line.hpp"

#include <spdlog/formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

namespace rockdove::log {
namespace {

class Formatter final : public spdlog::formatter {
 public:
  explicit Formatter(bool json) : json_(json) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& to) override {
    const std::string_view layer(message.logger_name.data(), message.logger_name.size());
    const std::string_view text(message.payload.data(), message.payload.size());
    const auto level = static_cast<Level>(message.level);
    const std::string line =
        json_ ? json_line(message.time, level, layer, text) : text_line(message.time, level, layer, text);
    to.append(line.data(), line.data() + line.size());
  }

  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<Formatter>(json_); }

 private:
  bool json_;
};

// Level's values are spdlog's except that it has one more, `critical`, before `off`.
static_assert(static_cast<int>(Level::trace) == SPDLOG_LEVEL_TRACE);
static_assert(static_cast<int>(Level::error) == SPDLOG_LEVEL_ERROR);

using Sink = std::shared_ptr<spdlog::sinks::sink>;

Sink make_sink(const Options& options) {
  Sink sink;
  try {
    if (options.file.empty()) sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
    else
      sink = std::make_shared<spdlog::sinks::rotating_file_sink_st>(options.file.string(), options.max_size,
                                                                    options.max_files);
  } catch (const spdlog::spdlog_ex& failure) {
    throw std::runtime_error("cannot write the log file " + options.file.string() + ": " + failure.what());
  }
  sink->set_formatter(std::make_unique<Formatter>(options.json));
  return sink;
}

struct Log {
  std::mutex mutex;  // the store's thread logs too
  Options options;
  Sink sink = make_sink(options);
};

/// Never destroyed: destructors of other statics may log.
Log& instance() {
  static Log& log = *new Log;
  return log;
}

}  // namespace

void init(const Options& options) {
  Sink sink = make_sink(options);
  Log& log = instance();
  const std::lock_guard lock(log.mutex);
  log.sink = std::move(sink);
  log.options = options;
  detail::threshold = options.level;
}

void reopen() {
  Log& log = instance();
  const std::lock_guard lock(log.mutex);
  if (!log.options.file.empty()) log.sink = make_sink(log.options);
}

void set_level(Level level) {
  Log& log = instance();
  const std::lock_guard lock(log.mutex);
  log.options.level = level;
  detail::threshold = level;
}

namespace detail {

void write(Level level, std::string_view layer, fmt::string_view format, fmt::format_args arguments) {
  const std::string text = fmt::vformat(format, arguments);
  const spdlog::details::log_msg message(spdlog::string_view_t(layer.data(), layer.size()),
                                         static_cast<spdlog::level::level_enum>(level), text);
  Log& log = instance();
  const std::lock_guard lock(log.mutex);
  try {
    log.sink->log(message);
    log.sink->flush();               // the last lines before a crash are the ones that matter
  } catch (const std::exception&) {  // a full disk must not stop the service
  }
}

}  // namespace detail
}  // namespace rockdove::log
