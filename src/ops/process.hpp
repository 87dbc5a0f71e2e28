// What the operating system says of this process.
#pragma once

#include <cstdint>
#include <optional>

namespace rockdove::ops {

struct ProcessStats {
  double cpu_seconds = 0;            ///< user and system time of all threads
  std::uint64_t resident_bytes = 0;  ///< physical memory
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t descriptors_max = 0;  ///< the soft limit (RLIMIT_NOFILE)
};

/// Takes some microseconds, and some more for each hundred open descriptors. Nothing where there is no /proc.
std::optional<ProcessStats> process_stats();

/// Gives the pages of programs and libraries back that only the start has needed: of a server at rest a third
/// of its memory. They are unchanged pages of files, so those that are needed again come by themselves, from
/// memory as long as the system keeps them there. To be called once, when the start is over.
void release_startup_pages() noexcept;

}  // namespace rockdove::ops
