#include "doctor/disk.hpp"

#include "doctor/figures.hpp"
#include "doctor/judge.hpp"
#include "doctor/machine.hpp"
#include "doctor/stopwatch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace rockdove::doctor {
namespace {

constexpr std::size_t writes = 50;
constexpr std::size_t write_size = 4096;

class Scratch {
 public:
  explicit Scratch(const std::filesystem::path& directory) {
    auto name = (directory / ".doctor.XXXXXX").string();
    descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor_ >= 0) ::unlink(name.c_str());  // whatever becomes of us, nothing stays behind
  }
  ~Scratch() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  /// False with errno set.
  bool write(const std::string& bytes) const {
    errno = ENOSPC;  // of a write that is cut short
    return ::write(descriptor_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
           ::fdatasync(descriptor_) == 0;
  }

 private:
  int descriptor_;
};

}  // namespace

void check_room(Report& report, const std::filesystem::path& data, std::uint64_t inbox_max) {
  std::error_code error;
  const auto space = std::filesystem::space(data, error);
  if (error) return report.add("data.unusable", {data.string(), error.message()});
  report.add(
      judge_disk(space.capacity, space.available),
      {rounded_size(space.available), rounded_size(space.capacity), data.string(), rounded_size(inbox_max)});
}

void check_fsync(Report& report, const std::filesystem::path& data) {
  report.doing("fsync.trying", {data.string()});
  const Scratch scratch(data);
  if (!scratch.is_open()) return report.add("fsync.failed", {data.string(), std::strerror(errno)});
  const std::string bytes(write_size, 'd');
  std::vector<std::chrono::microseconds> times;
  const Stopwatch all;
  while (times.size() < writes && all.elapsed() < check_limit) {
    const Stopwatch one;
    if (!scratch.write(bytes)) return report.add("fsync.failed", {data.string(), std::strerror(errno)});
    times.push_back(one.elapsed());
  }
  const Percentiles found = percentiles(std::move(times));
  report.add(judge_fsync(found), {in_milliseconds(found.median), in_milliseconds(found.p99)});
}

}  // namespace rockdove::doctor
