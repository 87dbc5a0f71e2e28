// How one event looks in the log. Pure, so that it can be tested to the byte.
#pragma once

#include "net/log.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace rockdove::log {

/// "2026-11-23 04:00:00.123 info  link  text\n", in local time.
std::string text_line(std::chrono::system_clock::time_point time, Level level, std::string_view layer,
                      std::string_view text);

/// {"time":"2026-11-23T04:00:00.123Z","level":"info","layer":"link","text":"..."} and a line feed (RFC 8259).
/// Bytes that are not UTF-8 become U+FFFD.
std::string json_line(std::chrono::system_clock::time_point time, Level level, std::string_view layer,
                      std::string_view text);

std::string_view level_name(Level level) noexcept;

}  // namespace rockdove::log
