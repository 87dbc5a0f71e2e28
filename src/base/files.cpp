#include "base/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace rockdove {
namespace {

constexpr std::size_t file_max = 16 * 1024 * 1024;

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& path, int error) {
  throw std::runtime_error("cannot " + what + " " + path.string() + ": " +
                           std::generic_category().message(error));
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() { ::close(value_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

void write_all(int descriptor, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const auto written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write", path, errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// Only root can give files away, and only root needs to.
void keep_owner(int descriptor, const std::filesystem::path& path, const std::filesystem::path& directory) {
  struct stat owner {};
  if (::geteuid() != 0) return;
  if (::stat(path.c_str(), &owner) != 0 && ::stat(directory.c_str(), &owner) != 0) return;
  if (::fchown(descriptor, owner.st_uid, owner.st_gid) != 0) fail("set the owner of", path, errno);
}

std::filesystem::path directory_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// A rename is on disk once its directory is.
void sync_directory(const std::filesystem::path& directory) {
  const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems refuse to sync a directory (EINVAL); there is nothing better to do on them.
  if (opened.get() < 0 || (::fsync(opened.get()) != 0 && errno != EINVAL)) fail("sync", directory, errno);
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail("read", path, errno);
  std::string content;
  char piece[16 * 1024];
  for (;;) {
    const auto count = ::read(file.get(), piece, sizeof piece);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", path, errno);
    if (count == 0) return content;
    content.append(piece, static_cast<std::size_t>(count));
    if (content.size() > file_max) fail("read", path, EFBIG);
  }
}

void make_private_directory(const std::filesystem::path& directory) {
  if (directory.empty() || std::filesystem::is_directory(directory)) return;
  // A path that ends in a slash has itself, without the slash, as its parent.
  make_private_directory(directory.parent_path());
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) fail("make the directory", directory, errno);
  if (!std::filesystem::is_directory(directory)) fail("make the directory", directory, ENOTDIR);
}

void write_private_file(const std::filesystem::path& path, std::string_view content) {
  std::error_code ignored;
  const auto target =
      std::filesystem::is_symlink(path, ignored) ? std::filesystem::weakly_canonical(path) : path;
  const auto directory = directory_of(target);
  auto temporary = target.string() + ".XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));  // makes it with mode 0600
  if (file.get() < 0) fail("write in", directory, errno);
  try {
    keep_owner(file.get(), target, directory);
    write_all(file.get(), content, target);
    if (::fsync(file.get()) != 0) fail("write", target, errno);
    if (::rename(temporary.c_str(), target.c_str()) != 0) fail("replace", target, errno);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_directory(directory);
}

std::optional<FileStamp> file_stamp(const std::filesystem::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return FileStamp{found.st_mtim.tv_sec * 1'000'000'000LL + found.st_mtim.tv_nsec, found.st_ino,
                   static_cast<std::uint64_t>(found.st_size)};
}

FileLock::FileLock(const std::filesystem::path& path, IfHeld if_held)
    : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  // On a file system that is read-only for now the file that an earlier lock has left serves as well.
  const bool is_read_only = descriptor_ < 0 && errno == EROFS;
  if (is_read_only) descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail("lock", path, errno);
  // Not a lock that only root can take.
  if (!is_read_only) keep_owner(descriptor_, directory_of(path), directory_of(path));
  const int how = if_held == IfHeld::wait ? LOCK_EX : LOCK_EX | LOCK_NB;
  while (::flock(descriptor_, how) != 0) {
    if (errno == EINTR) continue;
    const int error = errno;
    ::close(descriptor_);
    if (error == EWOULDBLOCK) throw LockHeld(path.string() + " is locked by another process");
    fail("lock", path, error);
  }
}

FileLock::~FileLock() {
  ::close(descriptor_);
}

}  // namespace rockdove
