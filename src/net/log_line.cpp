#include "net/log_line.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <array>
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

}  // namespace

std::string_view level_name(Level level) noexcept {
  constexpr std::array<std::string_view, 6> names{"trace", "debug", "info", "warn", "error", "off"};
  return names[static_cast<std::size_t>(level)];
}

std::string text_line(std::chrono::system_clock::time_point time, Level level, std::string_view layer,
                      std::string_view text) {
  std::string line;
  line.reserve(text.size() + 48);
  append_time(line, time, true, ' ');
  fmt::format_to(std::back_inserter(line), " {:<5} {:<5} ", level_name(level), layer);
  for (const char c : text) {
    if (is_control(c)) append_escape(line, c);
    else line += c;
  }
  line += '\n';
  return line;
}

std::string json_line(std::chrono::system_clock::time_point time, Level level, std::string_view layer,
                      std::string_view text) {
  std::string line = "{\"time\":\"";
  append_time(line, time, false, 'T');
  line += "Z\",\"level\":\"";
  line += level_name(level);
  line += "\",\"layer\":";
  append_json(line, layer);
  line += ",\"text\":";
  append_json(line, text);
  line += "}\n";
  return line;
}

}  // namespace rockdove::log
