#include "base/rfc3339.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace rockdove {
namespace {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using namespace std::chrono_literals;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes text off the front, piece by piece; after the first piece that does not fit, `good` is false.
struct Cursor {
  std::string_view rest;
  bool good = true;

  int digits(std::size_t count) {
    int value = 0;
    good = good && rest.size() >= count && std::all_of(rest.begin(), rest.begin() + count, is_digit);
    if (!good) return 0;
    for (const char c : rest.substr(0, count)) value = value * 10 + (c - '0');
    rest.remove_prefix(count);
    return value;
  }
  /// One of `letters`, which is returned.
  char one_of(std::string_view letters) {
    good = good && !rest.empty() && letters.find(rest.front()) != letters.npos;
    if (!good) return '\0';
    const char found = rest.front();
    rest.remove_prefix(1);
    return found;
  }
};

std::chrono::milliseconds fraction(Cursor& at) {
  if (at.rest.empty() || at.rest.front() != '.') return 0ms;
  at.rest.remove_prefix(1);
  int value = 0, count = 0;
  for (; !at.rest.empty() && is_digit(at.rest.front()); at.rest.remove_prefix(1), ++count)
    if (count < 3) value = value * 10 + (at.rest.front() - '0');
  at.good = at.good && count > 0;
  for (; count < 3; ++count) value *= 10;
  return std::chrono::milliseconds(value);
}

std::chrono::minutes offset(Cursor& at) {
  const char sign = at.one_of("Zz+-");
  if (sign == 'Z' || sign == 'z' || !at.good) return 0min;
  const int hour = at.digits(2);
  at.one_of(":");
  const int minute = at.digits(2);
  at.good = at.good && hour < 24 && minute < 60;
  const auto size = std::chrono::hours(hour) + std::chrono::minutes(minute);
  return sign == '-' ? -size : size;
}

}  // namespace

std::string format_rfc3339(Time time) {
  using namespace std::chrono;
  constexpr Time least = sys_days(year(0) / 1 / 1);
  constexpr Time most = sys_days(year(10000) / 1 / 1) - 1ms;
  time = std::clamp(time, least, most);
  const auto midnight = floor<days>(time);
  const year_month_day date(midnight);
  const hh_mm_ss<milliseconds> clock(time - midnight);
  std::string text = "0000-00-00T00:00:00.000Z";
  const auto put = [&text](std::size_t last, auto number) {
    for (; number != 0; number /= 10) text[last--] = static_cast<char>('0' + number % 10);
  };
  put(3, int(date.year()));
  put(6, unsigned(date.month()));
  put(9, unsigned(date.day()));
  put(12, clock.hours().count());
  put(15, clock.minutes().count());
  put(18, clock.seconds().count());
  put(22, clock.subseconds().count());
  return text;
}

std::string format_local_time(Time time) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm parts{};
#if defined(_WIN32)
  localtime_s(&parts, &seconds);
#else
  localtime_r(&seconds, &parts);
#endif
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts)};
}

Result<Time> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  Cursor at{text};
  const int year_ = at.digits(4);
  at.one_of("-");
  const int month_ = at.digits(2);
  at.one_of("-");
  const int day_ = at.digits(2);
  at.one_of("Tt");
  const int hour = at.digits(2);
  at.one_of(":");
  const int minute = at.digits(2);
  at.one_of(":");
  const int second = at.digits(2);
  const milliseconds rest = fraction(at);
  const minutes east = offset(at);
  const year_month_day date(year(year_), month(static_cast<unsigned>(month_)),
                            day(static_cast<unsigned>(day_)));
  if (!at.good || !at.rest.empty() || !date.ok() || hour > 23 || minute > 59 || second > 60)
    return Error::malformed;
  // A leap second has no place in the count of seconds, and so neither have its milliseconds.
  const milliseconds within = second == 60 ? milliseconds(0) : rest;
  return Time(sys_days(date)) + hours(hour) + minutes(minute) + seconds(second) + within - east;
}

}  // namespace rockdove
