// Points in time as text (RFC 3339): "2026-11-23T04:00:00.123Z".
#pragma once

#include "base/error.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace rockdove {

/// In UTC, with three digits of milliseconds. Years beyond 0 to 9999 are written as the nearest of those.
std::string format_rfc3339(std::chrono::sys_time<std::chrono::milliseconds> time);

/// "2026-11-23 12:00:00" where this process lives, for people.
std::string format_local_time(std::chrono::sys_time<std::chrono::milliseconds> time);

/// A date, 'T', a time with or without a fraction, and 'Z' or an offset such as +08:00; the letters in either
/// case. Digits beyond milliseconds are dropped; a leap second is the first moment of the next minute.
/// Error::malformed for anything else, also for days that no calendar has.
Result<std::chrono::sys_time<std::chrono::milliseconds>> parse_rfc3339(std::string_view text);

}  // namespace rockdove
