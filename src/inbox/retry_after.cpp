#include "inbox/schedule.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace rockdove::inbox {
namespace {

using namespace std::chrono;

constexpr std::int64_t longest_s = 100LL * 366 * 24 * 3600;  // keeps what is added to a time in its range
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> long_days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};

/// Takes a date apart from the left. The first thing that is not as it should be spoils the rest.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  void literal(std::string_view expected) {
    ok_ = ok_ && text_.starts_with(expected);
    if (ok_) text_.remove_prefix(expected.size());
  }
  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      ok_ = ok_ && i < text_.size() && text_[i] >= '0' && text_[i] <= '9';
      if (ok_) value = value * 10 + (text_[i] - '0');
    }
    if (ok_) text_.remove_prefix(count);
    return value;
  }
  /// Which of `names` comes.
  template <std::size_t count>
  unsigned one_of(const std::array<std::string_view, count>& names) {
    const auto found = std::find_if(names.begin(), names.end(),
                                    [&](std::string_view name) { return text_.starts_with(name); });
    ok_ = ok_ && found != names.end();
    if (ok_) text_.remove_prefix(found->size());
    return static_cast<unsigned>(found - names.begin());
  }
  bool begins_with(char c) const { return text_.starts_with(c); }
  bool is_done() const { return ok_ && text_.empty(); }

 private:
  std::string_view text_;
  bool ok_ = true;
};

struct Date {
  int year = 0, day = 0, hour = 0, minute = 0, second = 0;
  unsigned month = 0;
};

void time_of_day(Scanner& scanner, Date& date) {
  date.hour = scanner.digits(2);
  scanner.literal(":");
  date.minute = scanner.digits(2);
  scanner.literal(":");
  date.second = scanner.digits(2);
}

/// "Sun, 06 Nov 1994 08:49:37 GMT"
bool is_fixdate(std::string_view text, Date& date) {
  Scanner scanner(text);
  scanner.one_of(days);
  scanner.literal(", ");
  date.day = scanner.digits(2);
  scanner.literal(" ");
  date.month = scanner.one_of(months) + 1;
  scanner.literal(" ");
  date.year = scanner.digits(4);
  scanner.literal(" ");
  time_of_day(scanner, date);
  scanner.literal(" GMT");
  return scanner.is_done();
}

/// "Sunday, 06-Nov-94 08:49:37 GMT"; a year that seems to lie more than 50 years ahead is one of the past.
bool is_rfc850(std::string_view text, Date& date, int this_year) {
  Scanner scanner(text);
  scanner.one_of(long_days);
  scanner.literal(", ");
  date.day = scanner.digits(2);
  scanner.literal("-");
  date.month = scanner.one_of(months) + 1;
  scanner.literal("-");
  date.year = this_year - this_year % 100 + scanner.digits(2);
  scanner.literal(" ");
  time_of_day(scanner, date);
  scanner.literal(" GMT");
  if (date.year > this_year + 50) date.year -= 100;
  return scanner.is_done();
}

/// "Sun Nov  6 08:49:37 1994"
bool is_asctime(std::string_view text, Date& date) {
  Scanner scanner(text);
  scanner.one_of(days);
  scanner.literal(" ");
  date.month = scanner.one_of(months) + 1;
  scanner.literal(" ");
  if (scanner.begins_with(' ')) {
    scanner.literal(" ");
    date.day = scanner.digits(1);
  } else {
    date.day = scanner.digits(2);
  }
  scanner.literal(" ");
  time_of_day(scanner, date);
  scanner.literal(" ");
  date.year = scanner.digits(4);
  return scanner.is_done();
}

/// HTTP-date in its three forms (RFC 9110 section 5.6.7).
std::optional<WallTime> parse_date(std::string_view text, WallTime now) {
  const year_month_day today{floor<std::chrono::days>(now)};
  Date date;
  if (!is_fixdate(text, date) && !is_rfc850(text, date, static_cast<int>(today.year())) &&
      !is_asctime(text, date))
    return std::nullopt;
  const year_month_day day{year(date.year), month(date.month),
                           std::chrono::day(static_cast<unsigned>(date.day))};
  // A leap second is 60.
  if (!day.ok() || date.hour > 23 || date.minute > 59 || date.second > 60) return std::nullopt;
  return sys_days(day) + hours(date.hour) + minutes(date.minute) + seconds(date.second);
}

}  // namespace

std::optional<milliseconds> parse_retry_after(std::string_view value, WallTime now) {
  if (!value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos) {
    std::int64_t count = longest_s;  // stays so if there are more digits than fit
    std::from_chars(value.data(), value.data() + value.size(), count);
    return seconds(std::min(count, longest_s));
  }
  const auto date = parse_date(value, now);
  if (!date || *date < now) return std::nullopt;
  return std::min<milliseconds>(*date - now, seconds(longest_s));
}

}  // namespace rockdove::inbox
