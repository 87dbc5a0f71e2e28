#include "net/log_line.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#if defined(__linux__)
#include <sys/stat.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <iterator>

namespace rockdove::log {
namespace {

std::tm broken_down(std::time_t seconds, bool local) {
  std::tm result{};
#if defined(_WIN32)
  local ? localtime_s(&result, &seconds) : gmtime_s(&result, &seconds);
#else
  local ? localtime_r(&seconds, &result) : gmtime_r(&seconds, &result);
#endif
  return result;
}

void append_time(std::string& line, std::chrono::system_clock::time_point time, bool local, char between) {
  using namespace std::chrono;
  const auto whole = floor<seconds>(time);
  const auto milliseconds = duration_cast<std::chrono::milliseconds>(time - whole).count();
  const std::tm at = broken_down(system_clock::to_time_t(whole), local);
  fmt::format_to(std::back_inserter(line), "{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}.{:03}", at.tm_year + 1900,
                 at.tm_mon + 1, at.tm_mday, between, at.tm_hour, at.tm_min, at.tm_sec, milliseconds);
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

void append_escape(std::string& line, char c) {
  switch (c) {
    case '"': line += "\\\""; return;
    case '\\': line += "\\\\"; return;
    case '\n': line += "\\n"; return;
    case '\r': line += "\\r"; return;
    case '\t': line += "\\t"; return;
    default: fmt::format_to(std::back_inserter(line), "\\u{:04x}", static_cast<unsigned char>(c));
  }
}

void append_json(std::string& line, std::string_view text) {
  line += '"';
  while (!text.empty()) {
    const std::size_t size = utf8_sequence_size(text);
    if (size == 0) line += "\xEF\xBF\xBD";
    else if (is_control(text[0]) || text[0] == '"' || text[0] == '\\') append_escape(line, text[0]);
    else line += text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  line += '"';
}

void append_text(std::string& line, std::string_view text) {
  for (const char c : text) {
    if (is_control(c)) append_escape(line, c);
    else line += c;
  }
  line += '\n';
}

void append_name(std::string& members, std::string_view name) {
  if (!members.empty()) members += ',';
  append_json(members, name);
  members += ':';
}

constexpr std::array<std::string_view, 6> names{"trace", "debug", "info", "warn", "error", "off"};

}  // namespace

std::string_view level_name(Level level) noexcept {
  return names[static_cast<std::size_t>(level)];
}

std::optional<Level> level_named(std::string_view name) noexcept {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Level>(found - names.begin());
}

void append_member(std::string& members, std::string_view name, std::string_view value) {
  append_name(members, name);
  append_json(members, value);
}

void append_member(std::string& members, std::string_view name, std::uint64_t value) {
  append_name(members, name);
  members += std::to_string(value);
}

void append_member(std::string& members, std::string_view name, double value) {
  append_name(members, name);
  fmt::format_to(std::back_inserter(members), "{:.3f}", value);
}

std::int64_t local_day(std::chrono::system_clock::time_point time) {
  const std::tm at = broken_down(std::chrono::system_clock::to_time_t(time), true);
  return std::int64_t{at.tm_year} * 366 + at.tm_yday;
}

std::string journal_line(std::string_view layer, std::string_view text) {
  std::string line;
  line.reserve(text.size() + 16);
  fmt::format_to(std::back_inserter(line), "{:<5} ", layer);
  append_text(line, text);
  return line;
}

std::string_view journal_priority(Level level) noexcept {
  switch (level) {  // RFC 5424 section 6.2.1
    case Level::error: return "<3>";
    case Level::warn: return "<4>";
    case Level::info: return "<6>";
    default: return "<7>";
  }
}

bool stderr_is_journal() {
#if defined(__linux__)
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing sets the environment
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat found {};
  if (!stream || fstat(STDERR_FILENO, &found) != 0) return false;
  return fmt::format("{}:{}", found.st_dev, found.st_ino) == stream;
#else
  return false;
#endif
}

std::string text_line(std::chrono::system_clock::time_point time, Level level, std::string_view layer,
                      std::string_view text) {
  std::string line;
  line.reserve(text.size() + 48);
  append_time(line, time, true, ' ');
  fmt::format_to(std::back_inserter(line), " {:<5} {:<5} ", level_name(level), layer);
  append_text(line, text);
  return line;
}

std::string json_line(std::chrono::system_clock::time_point time, Level level, std::string_view layer,
                      std::string_view text, std::string_view members) {
  std::string line = "{\"time\":\"";
  append_time(line, time, false, 'T');
  line += "Z\",\"level\":\"";
  line += level_name(level);
  line += "\",\"layer\":";
  append_json(line, layer);
  line += ",\"text\":";
  append_json(line, text);
  if (!members.empty()) line.append(",").append(members);
  line += "}\n";
  return line;
}

}  // namespace rockdove::log
