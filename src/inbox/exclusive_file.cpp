#include "inbox/exclusive_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace rockdove::inbox {

ExclusiveFile::ExclusiveFile(const std::filesystem::path& path)
    : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  // On a file system that is read-only for now the file of an earlier start serves as well.
  if (descriptor_ < 0 && errno == EROFS) descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0)
    throw std::runtime_error("the inbox needs to write " + path.string() + ": " + std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int error = errno;
  ::close(descriptor_);
  if (error == EWOULDBLOCK)
    throw std::runtime_error("another server uses the inbox (it holds " + path.string() +
                             "): stop it, or give this one another data directory");
  throw std::runtime_error("the inbox cannot lock " + path.string() + ": " + std::strerror(error));
}

ExclusiveFile::~ExclusiveFile() {
  ::close(descriptor_);
}

}  // namespace rockdove::inbox
