#include "ops/table.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace rockdove::ops {

std::string Table::str() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += padded(row[i], widths[i]) + "  ";
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

std::string padded(std::string_view text, std::size_t width) {
  const std::size_t own = display_width(text);
  return std::string(text).append(own < width ? width - own : 0, ' ');
}

std::string size_text(double bytes) {
  constexpr std::array<const char*, 5> formats = {"%.0f B", "%.1f KiB", "%.1f MiB", "%.1f GiB", "%.1f TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < formats.size(); ++unit) bytes /= 1024;
  std::array<char, 64> buffer{};
  const int size = std::snprintf(buffer.data(), buffer.size(), formats[unit], bytes);
  return {buffer.data(), std::min(static_cast<std::size_t>(std::max(size, 0)), buffer.size() - 1)};
}

std::string age_text(double seconds) {
  const auto whole = static_cast<long long>(std::clamp(seconds, 0.0, 1e12));
  if (whole < 60) return std::to_string(whole) + "s";
  if (whole < 3600) return std::to_string(whole / 60) + "m" + std::to_string(whole % 60) + "s";
  if (whole < 86400) return std::to_string(whole / 3600) + "h" + std::to_string(whole / 60 % 60) + "m";
  return std::to_string(whole / 86400) + "d" + std::to_string(whole / 3600 % 24) + "h";
}

}  // namespace rockdove::ops
