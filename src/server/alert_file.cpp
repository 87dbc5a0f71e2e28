#include "server/alert_file.hpp"

#include "base/files.hpp"
#include "net/log.hpp"
#include "ops/alert_records.hpp"

#include <utility>

namespace rockdove::server {
namespace {

void write_or_log(const std::filesystem::path& file, const std::string& text) {
  try {
    write_private_file(file, text);
  } catch (const std::exception& error) {
    log::warn("server", "alerts: what was told cannot be kept, a restart may tell it again: {}",
              error.what());
  }
}

}  // namespace

AlertFile::AlertFile(net::Executor executor, std::filesystem::path file)
    : executor_(executor), file_(std::move(file)), self_(std::make_shared<AlertFile*>(this)) {}

AlertFile::~AlertFile() {
  *self_ = nullptr;
  if (writer_.joinable()) writer_.join();
  if (next_) write_or_log(file_, *next_);
}

std::vector<ops::AlertRecord> AlertFile::load() const {
  if (!file_stamp(file_)) return {};
  try {
    if (auto records = ops::read_alert_records(read_file(file_))) return std::move(*records);
    log::warn("server", "alerts: {} is not what was written there: what is wrong now is told anew",
              file_.string());
  } catch (const std::exception& error) { log::warn("server", "alerts: {}", error.what()); }
  return {};
}

void AlertFile::save(const std::vector<ops::AlertRecord>& records) {
  std::string text = ops::write_alert_records(records);
  if (writer_.joinable()) next_ = std::move(text);
  else write(std::move(text));
}

void AlertFile::write(std::string text) {
  writer_ = std::thread([executor = executor_, self = self_, file = file_, content = std::move(text)] {
    write_or_log(file, content);
    net::asio::post(executor, [self] {
      if (*self) (*self)->written();
    });
  });
}

void AlertFile::written() {
  writer_.join();
  if (next_) write(std::move(*std::exchange(next_, std::nullopt)));
}

}  // namespace rockdove::server
