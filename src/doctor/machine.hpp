// Checks of the machine and of files, for either side. They ask the system, and change nothing.
#pragma once

#include "doctor/report.hpp"

#include <cstdint>
#include <filesystem>

namespace rockdove::doctor {

/// Each network check of the doctor takes at most so long.
inline constexpr std::chrono::seconds check_limit{5};

/// Is this file, which holds secrets, for its owner only? True if it is there and can be read.
bool check_private(Report& report, const std::filesystem::path& file);
/// The same, but what is as it should be is not worth a line, nor a file that is not there.
void check_private_if_any(Report& report, const std::filesystem::path& file);

/// Can the clock be right, and does a time service keep it so?
void check_clock(Report& report);

/// May this process open as many files and connections as the configuration may want?
void check_descriptors(Report& report, std::uint64_t wanted);

/// Is there as much memory available as the configuration may use?
void check_memory(Report& report, std::uint64_t wanted);

}  // namespace rockdove::doctor
