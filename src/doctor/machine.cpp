#include "doctor/machine.hpp"

#include "base/rfc3339.hpp"
#include "doctor/figures.hpp"
#include "doctor/judge.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/timex.h>
#endif

#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>

namespace rockdove::doctor {
namespace {

enum class Sync { yes, no, unknown };

Sync is_synced() {
#if defined(__linux__)
  timex state{};  // modes 0: only asks
  const int clock = ::adjtimex(&state);
  if (clock < 0) return Sync::unknown;
  return clock == TIME_ERROR || (state.status & STA_UNSYNC) != 0 ? Sync::no : Sync::yes;
#else
  return Sync::unknown;
#endif
}

Id judge_mode(const struct stat& found) {
  return doctor::judge_mode(found.st_mode & 07777, found.st_uid == 0 && found.st_gid != 0);
}

/// MemAvailable: what programs can get without swapping.
std::optional<std::uint64_t> available_memory() {
  std::ifstream info("/proc/meminfo");
  std::string name, unit;
  for (std::uint64_t kibibytes = 0; info >> name >> kibibytes; std::getline(info, unit))
    if (name == "MemAvailable:") return kibibytes * 1024;
  return std::nullopt;
}

}  // namespace

bool check_private(Report& report, const std::filesystem::path& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0 || ::access(file.c_str(), R_OK) != 0) {
    report.add("files.unreadable", {file.string(), std::strerror(errno)});
    return false;
  }
  report.add(judge_mode(found), {file.string(), fmt::format("{:04o}", found.st_mode & 07777),
                                 S_ISDIR(found.st_mode) ? "700" : "600"});
  return true;
}

void check_private_if_any(Report& report, const std::filesystem::path& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0 && errno == ENOENT) return;
  if (::access(file.c_str(), R_OK) != 0 || judge_mode(found).row().state != State::ok)
    check_private(report, file);
}

void check_clock(Report& report) {
  const auto now = std::chrono::system_clock::now();
  if (!is_possible(now)) {
    return report.add("clock.wrong", {format_rfc3339(std::chrono::floor<std::chrono::milliseconds>(now))});
  }
  switch (is_synced()) {
    case Sync::yes: return report.add("clock.synced");
    case Sync::no: return report.add("clock.unsynced");
    case Sync::unknown: return report.add("clock.unknown");
  }
}

void check_descriptors(Report& report, std::uint64_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  report.add(judge_descriptors(limit.rlim_cur, wanted),
             {std::to_string(limit.rlim_cur), std::to_string(wanted)});
}

void check_memory(Report& report, std::uint64_t wanted) {
  const auto available = available_memory();
  if (!available) return;
  report.add(*available < wanted ? Id("memory.low") : Id("memory.ok"),
             {rounded_size(*available), rounded_size(wanted)});
}

}  // namespace rockdove::doctor
