// How one event looks in the log. Pure, so that it can be tested to the byte.
#pragma once

#include "net/log.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rockdove::log {

/// "2026-11-23 04:00:00.123 info  link  text\n", in local time.
std::string text_line(std::chrono::system_clock::time_point time, Level level, std::string_view layer,
                      std::string_view text);

/// {"time":"2026-11-23T04:00:00.123Z","level":"info","layer":"link","text":"..."} and a line feed (RFC
/// 8259). Bytes that are not UTF-8 become U+FFFD. `members` stand behind the text as they are.
std::string json_line(std::chrono::system_clock::time_point time, Level level, std::string_view layer,
                      std::string_view text, std::string_view members = {});

/// "link  text\n": the time and the level are the journal's.
std::string journal_line(std::string_view layer, std::string_view text);
/// What a journal takes for the priority of the line behind it: "<4>" (sd-daemon(3)).
std::string_view journal_priority(Level level) noexcept;
/// True if standard error is a journal's stream: $JOURNAL_STREAM names its device and inode
/// (systemd.exec(5)).
bool stderr_is_journal();

/// Appends `"name":"value"` to an object's members, escaped as json_line() does; a comma before it if need
/// be.
void append_member(std::string& members, std::string_view name, std::string_view value);
void append_member(std::string& members, std::string_view name, std::uint64_t value);
void append_member(std::string& members, std::string_view name, double value);  ///< three decimals

/// Tells the days of local time apart.
std::int64_t local_day(std::chrono::system_clock::time_point time);

std::string_view level_name(Level level) noexcept;
std::optional<Level> level_named(std::string_view name) noexcept;

}  // namespace rockdove::log
