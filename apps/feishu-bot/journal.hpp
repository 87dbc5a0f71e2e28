// What the bot has acknowledged and not answered yet, on disk: Feishu will not send it again, so the next
// process takes it up where a crash, a kill or a power loss has ended this one.
#pragma once

#include "base/error.hpp"
#include "base/files.hpp"
#include "feishu-bot/messages.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::feishu_bot {

/// A file of JSON lines, `{"event":…}` for one that is begun and `{"done":…}` for one that is answered,
/// written anew when most of it is done. A line that is torn or no such object is left out, and so is a
/// `done` that a power loss takes back: the event is answered once more then, with the same uuid. Held by one
/// process at a time. Loop thread only, which it blocks for the time of an fsync.
class Journal {
 public:
  struct Options {
    std::filesystem::path path;                    ///< empty: nothing is kept
    std::size_t entries_max = 2000;                ///< that are open; more: Error::queue_full
    std::size_t open_bytes_max = 4 * 1024 * 1024;  ///< of their lines; more: Error::queue_full
    std::size_t file_bytes = 1024 * 1024;          ///< and twice the open lines: then it is written anew
    int starts_max = 5;  ///< processes that may try an event: one that crashes them all is given up
  };
  struct Entry {
    std::string event;  ///< what names it, at most once among the open ones
    Ask ask;
    int starts = 0;  ///< how many processes have taken it up again
  };

  /// Reads what is there. Throws std::runtime_error that names the file if it cannot be had: LockHeld if
  /// another process has it.
  explicit Journal(Options options);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// The entry is on disk when this returns. A failure leaves no trace of it.
  Result<void> add(const Entry& entry);
  /// The event is answered, or nobody will ever answer it.
  void done(const std::string& event);
  /// What is open, in the order in which it came, each counted as taken up once more; those that were so too
  /// often are given up. To be called once, at the start.
  std::vector<Entry> take_up();
  std::size_t open() const { return open_.size(); }

 private:
  struct Line {
    Entry entry;
    std::string text;  // with its line end
  };
  void read(std::string_view text);
  void rewrite();
  Result<void> append(std::string_view line, bool is_to_last);
  void insert(Entry entry, std::string text);
  void erase(const std::string& event);

  const Options options_;
  std::optional<FileLock> lock_;
  int file_ = -1;           // for appending
  std::uint64_t size_ = 0;  // of the file
  std::size_t open_bytes_ = 0;
  std::uint64_t number_ = 0;  // of the next line
  std::map<std::uint64_t, Line> open_;
  std::map<std::string, std::uint64_t, std::less<>> numbers_;  // by event
};

}  // namespace rockdove::feishu_bot
