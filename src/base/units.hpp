// Lengths of time and sizes as people write them: "2s", "10MiB".
#pragma once

#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace rockdove {

/// A decimal integer directly followed by ms, s, m, h or d. Error::malformed for anything else: a sign, a
/// fraction, white space, a missing unit (is "5" seconds or minutes?), or more than 100 years.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The shortest exact form that parse_duration() reads back: 90 s is "90s", 120 s is "2m".
/// Negative durations are written as "0s".
std::string format_duration(std::chrono::milliseconds duration);

/// Bytes: a decimal integer, alone or directly followed by B, KB, MB, GB, TB (powers of 1000) or KiB, MiB,
/// GiB, TiB (powers of 1024). Error::malformed for anything else or for more than 2^63 - 1 bytes.
Result<std::uint64_t> parse_size(std::string_view text);

/// The shortest exact form that parse_size() reads back: 65536 is "64KiB", 1000 is "1KB", 1001 is "1001".
std::string format_size(std::uint64_t bytes);

}  // namespace rockdove
