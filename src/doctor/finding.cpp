#include "doctor/finding.hpp"

#include "base/text.hpp"

#include <fmt/core.h>

namespace rockdove::doctor {
namespace {

std::string fill(std::string_view pattern, const std::vector<std::string>& values) {
  std::string result;
  while (!pattern.empty()) {
    const auto open = pattern.find('{');
    result += pattern.substr(0, open);
    if (open == pattern.npos) break;
    pattern.remove_prefix(open);
    const auto index =
        pattern.size() > 2 && pattern[2] == '}' ? static_cast<std::size_t>(pattern[1] - '0') : 10;
    if (index < values.size()) result += printable(values[index], Lines::escape);
    pattern.remove_prefix(index < 10 ? 3 : 1);
  }
  return result;
}

}  // namespace

std::string_view state_name(State state) {
  switch (state) {
    case State::ok: return "ok";
    case State::warn: return "warn";
    case State::fail: break;
  }
  return "fail";
}

std::string text(const Finding& finding, Language language) {
  return fill(finding.id.row().text[static_cast<std::size_t>(language)], finding.values);
}

std::string advice(const Finding& finding, Language language) {
  return fill(finding.id.row().advice[static_cast<std::size_t>(language)], finding.values);
}

std::string in_milliseconds(std::chrono::microseconds time) {
  const double milliseconds = static_cast<double>(time.count()) / 1000;
  return fmt::format("{:.{}f} ms", milliseconds, milliseconds < 10 ? 1 : 0);
}

}  // namespace rockdove::doctor
