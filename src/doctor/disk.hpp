// The disk of the data directory: room, and how long it takes until bytes are on it.
#pragma once

#include "doctor/report.hpp"

#include <cstdint>
#include <filesystem>

namespace rockdove::doctor {

/// `inbox_max` is what the inbox may grow to.
void check_room(Report& report, const std::filesystem::path& data, std::uint64_t inbox_max);

/// Writes 4 KiB fifty times into a file of its own in `data`, each time with fdatasync as a commit does it,
/// for 5 s at most. The file has no name while it is used, or is removed.
void check_fsync(Report& report, const std::filesystem::path& data);

}  // namespace rockdove::doctor
