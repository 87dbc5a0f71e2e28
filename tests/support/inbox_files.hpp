// A directory for one test's inbox, and events to put into it.
#pragma once

#include "inbox/sqlite_store.hpp"
#include "support/scratch_directory.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace rockdove::test {

class InboxFiles {
 public:
  const std::filesystem::path& directory() const { return scratch_.path(); }
  std::filesystem::path file() const { return directory() / "inbox.db"; }
  /// Of the store in this directory, in a hurry.
  inbox::SqliteOptions options() const {
    inbox::SqliteOptions options;
    options.file = file();
    options.linger = std::chrono::milliseconds(1);
    return options;
  }

 private:
  ScratchDirectory scratch_;
};

inline inbox::WallTime wall_time(std::int64_t milliseconds) {
  return inbox::WallTime(std::chrono::milliseconds(milliseconds));
}

/// Some time in 2023.
inline constexpr std::int64_t start_ms = 1'700'000'000'000;

inline inbox::NewEvent new_event(std::string route, std::string body, std::int64_t received_ms = start_ms) {
  inbox::NewEvent event;
  event.route = std::move(route);
  event.tunnel = "feishu-bot";
  event.received_at = wall_time(received_ms);
  event.request.method = "POST";
  event.request.target = "/hook?x=1";
  event.request.fields.add("Content-Type", "application/json");
  event.request.fields.add("X-Signature", "sig-" + body);
  event.request.has_body = true;
  event.request.body = std::move(body);
  event.request.request_id = "req-1";
  return event;
}

}  // namespace rockdove::test
