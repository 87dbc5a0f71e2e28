#include "base/units.hpp"

#include <charconv>
#include <limits>

namespace rockdove {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t value;
};

constexpr std::int64_t kib = 1024;
constexpr Unit duration_units[] = {
    {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1},
};
// Largest first within each family: format_size() takes the first that divides.
constexpr Unit size_units[] = {
    {"TiB", kib* kib* kib* kib},
    {"GiB", kib* kib* kib},
    {"MiB", kib* kib},
    {"KiB", kib},
    {"TB", 1'000'000'000'000},
    {"GB", 1'000'000'000},
    {"MB", 1'000'000},
    {"KB", 1000},
    {"B", 1},
};
constexpr std::int64_t hundred_years = 36'525LL * 86'400'000;

/// Number times unit; `bare` is what a number without a unit counts as, 0 if it needs one.
template <std::size_t N>
Result<std::int64_t> parse(std::string_view text, const Unit (&units)[N], std::int64_t bare,
                           std::int64_t max) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  // from_chars takes a minus sign; a sign has no meaning here.
  if (text.empty() || text.front() < '0' || text.front() > '9') return Error::malformed;
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{}) return Error::malformed;
  const std::string_view name(rest, static_cast<std::size_t>(end - rest));
  std::int64_t value = name.empty() ? bare : 0;
  for (const Unit& unit : units)
    if (unit.name == name) value = unit.value;
  if (value == 0 || number > max / value) return Error::malformed;
  return number * value;
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto count = parse(text, duration_units, 0, hundred_years);
  if (!count) return count.error();
  return std::chrono::milliseconds(*count);
}

std::string format_duration(std::chrono::milliseconds duration) {
  const std::int64_t count = duration.count();
  if (count <= 0) return "0s";
  for (const Unit& unit : duration_units)
    if (count % unit.value == 0) return std::to_string(count / unit.value).append(unit.name);
  return std::to_string(count) + "ms";
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto count = parse(text, size_units, 1, std::numeric_limits<std::int64_t>::max());
  if (!count) return count.error();
  return static_cast<std::uint64_t>(*count);
}

std::string format_size(std::uint64_t bytes) {
  for (const Unit& unit : size_units) {
    const auto value = static_cast<std::uint64_t>(unit.value);
    if (bytes != 0 && value > 1 && bytes % value == 0) return std::to_string(bytes / value).append(unit.name);
  }
  return std::to_string(bytes);
}

}  // namespace rockdove
