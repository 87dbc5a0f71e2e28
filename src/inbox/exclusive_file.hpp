// One server for one inbox.
#pragma once

#include <filesystem>

namespace rockdove::inbox {

/// Holds a lock between processes until it is destroyed or the process ends, however it ends. The file stays.
/// Throws std::runtime_error if somebody else holds it or it cannot be made.
class ExclusiveFile {
 public:
  explicit ExclusiveFile(const std::filesystem::path& path);
  ~ExclusiveFile();
  ExclusiveFile(const ExclusiveFile&) = delete;
  ExclusiveFile& operator=(const ExclusiveFile&) = delete;

 private:
  int descriptor_;
};

}  // namespace rockdove::inbox
