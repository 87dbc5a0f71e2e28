// Small private files that must never be half written: configurations and token lists.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace rockdove {

/// The whole content of a file of at most 16 MiB. Throws std::runtime_error that names the file and the
/// cause.
std::string read_file(const std::filesystem::path& path);

/// Makes `directory` and those above it, each new one with mode 0700. Throws std::runtime_error.
void make_private_directory(const std::filesystem::path& directory);

/// Replaces the file in one step: whoever reads it sees the old or the new content, also after a power loss.
/// The file gets mode 0600; run by root it keeps its owner, or gets its directory's when it is new, so that
/// what an administrator writes beside a running service stays readable for the service. A symbolic link
/// stays, its target is replaced. Throws std::runtime_error that names the file and the cause.
void write_private_file(const std::filesystem::path& path, std::string_view content);

/// Tells one version of a file from another without reading it.
struct FileStamp {
  std::int64_t modified_ns = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;

  bool operator==(const FileStamp&) const = default;
};

/// Nothing if there is no such file or it cannot be looked at.
std::optional<FileStamp> file_stamp(const std::filesystem::path& path);

/// Another process, or another object of this one, holds the lock.
struct LockHeld : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Holds an exclusive lock between processes, from construction to destruction or the end of the process,
/// however it ends. The lock file stays: removing it would let two holders in. Throws std::runtime_error.
class FileLock {
 public:
  enum class IfHeld {
    wait,
    fail,  ///< throws LockHeld
  };
  explicit FileLock(const std::filesystem::path& path, IfHeld if_held = IfHeld::wait);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace rockdove
