#include "doctor/figures.hpp"

#include <fmt/core.h>

#include <array>

namespace rockdove::doctor {

std::string rounded_size(std::uint64_t bytes) {
  constexpr std::array units = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; size >= 1024 && unit + 1 < units.size(); ++unit) size /= 1024;
  return fmt::format("{:.{}f} {}", size, size < 10 ? 1 : 0, units[unit]);
}

std::string rounded_time(std::chrono::seconds time) {
  if (time < std::chrono::minutes(1)) return fmt::format("{} s", time.count());
  if (time < std::chrono::hours(1)) return fmt::format("{} min", time / std::chrono::minutes(1));
  if (time < std::chrono::days(1)) return fmt::format("{} h", time / std::chrono::hours(1));
  return fmt::format("{} d", time / std::chrono::days(1));
}

}  // namespace rockdove::doctor
