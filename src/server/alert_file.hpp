// The file in which the server keeps what people were told, so that a restart neither repeats nor forgets it.
#pragma once

#include "net/asio.hpp"
#include "ops/alerts.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace rockdove::server {

/// Loop thread only. A write waits for the disk, which may hang just when there is an alert of it: it runs on
/// a thread of its own, one at a time, and the last state wins.
class AlertFile {
 public:
  AlertFile(net::Executor executor, std::filesystem::path file);
  /// Waits for a write that is under way, and writes what has been waiting for it.
  ~AlertFile();
  AlertFile(const AlertFile&) = delete;
  AlertFile& operator=(const AlertFile&) = delete;

  /// Blocks: for the start. None if there is no file or it cannot be used, which the log says.
  std::vector<ops::AlertRecord> load() const;
  void save(const std::vector<ops::AlertRecord>& records);

 private:
  void write(std::string text);
  void written();

  const net::Executor executor_;
  const std::filesystem::path file_;
  std::optional<std::string> next_;   // to be written after the one under way
  std::thread writer_;                // joinable: a write is under way, or has just ended
  std::shared_ptr<AlertFile*> self_;  // null inside once we are gone
};

}  // namespace rockdove::server
