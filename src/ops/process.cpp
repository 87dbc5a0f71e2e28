#include "ops/process.hpp"

#ifdef __linux__
#include <link.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#endif

namespace rockdove::ops {

#ifdef __linux__

std::optional<ProcessStats> process_stats() {
  ProcessStats stats;
  std::ifstream memory("/proc/self/statm");  // in pages: all of it, what is resident, … (proc(5))
  std::uint64_t all = 0, resident = 0;
  if (!(memory >> all >> resident)) return std::nullopt;
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  stats.virtual_bytes = all * page;
  stats.resident_bytes = resident * page;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  for (const timeval& time : {usage.ru_utime, usage.ru_stime})
    stats.cpu_seconds += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  stats.descriptors_max = limit.rlim_cur;
  std::error_code error;
  std::filesystem::directory_iterator each("/proc/self/fd", error);
  for (; !error && each != std::filesystem::directory_iterator(); each.increment(error))
    ++stats.open_descriptors;
  if (stats.open_descriptors > 0) --stats.open_descriptors;  // the one that has counted
  return stats;
}

namespace {

/// `object`: the program or a library, as the dynamic linker has mapped it.
int release_pages(dl_phdr_info* object, std::size_t, void*) {
  const auto page = static_cast<ElfW(Addr)>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;  // what is written is no file's
    const ElfW(Addr) begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    const ElfW(Addr) end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);  // refused: they stay
  }
  return 0;
}

}  // namespace

void release_startup_pages() noexcept {
  dl_iterate_phdr(release_pages, nullptr);
}

#else

std::optional<ProcessStats> process_stats() {
  return std::nullopt;
}

void release_startup_pages() noexcept {}

#endif

}  // namespace rockdove::ops
