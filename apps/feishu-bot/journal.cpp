#include "feishu-bot/journal.hpp"

#include "feishu-bot/json.hpp"
#include "net/log.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace rockdove::feishu_bot {
namespace {

std::string line_of(const Journal::Entry& entry) {
  boost::json::object line;
  line["event"] = entry.event;
  line["chat"] = entry.ask.chat_id;
  line["message"] = entry.ask.message_id;
  line["button"] = entry.ask.from == Ask::From::button;
  line["text"] = entry.ask.text;
  if (entry.starts > 0) line["starts"] = entry.starts;
  return boost::json::serialize(line) + "\n";  // no line end within: JSON escapes it
}

Journal::Entry entry_of(const boost::json::value& line) {
  Journal::Entry entry;
  entry.event = text_at(line, {"event"});
  entry.ask.chat_id = text_at(line, {"chat"});
  entry.ask.message_id = text_at(line, {"message"});
  entry.ask.text = text_at(line, {"text"});
  const auto* button = find(line, {"button"});
  if (button && button->is_bool() && button->get_bool()) entry.ask.from = Ask::From::button;
  const auto* starts = find(line, {"starts"});
  if (starts && starts->is_int64()) entry.starts = static_cast<int>(starts->get_int64());
  return entry;
}

boost::system::error_code last_error() {
  return {errno, boost::system::system_category()};
}

}  // namespace

Journal::Journal(Options options) : options_(std::move(options)) {
  if (options_.path.empty()) return;
  lock_.emplace(options_.path.string() + ".lock", FileLock::IfHeld::fail);
  if (std::filesystem::exists(options_.path)) read(read_file(options_.path));
  rewrite();  // without what is done, and without a torn end that the next line would stick to
}

Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

void Journal::read(std::string_view text) {
  std::size_t unreadable = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = end == text.npos ? std::nullopt : parse_json(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    Entry entry = line ? entry_of(*line) : Entry{};
    const std::string done = line ? text_at(*line, {"done"}) : "";
    if (!done.empty()) {
      erase(done);
    } else if (!entry.event.empty() && !entry.ask.message_id.empty()) {
      erase(entry.event);
      std::string again = line_of(entry);
      insert(std::move(entry), std::move(again));
    } else {
      ++unreadable;
    }
  }
  if (unreadable > 0)
    log::warn("bot", "{}: {} unreadable lines are left out", options_.path.string(), unreadable);
}

Result<void> Journal::add(const Entry& entry) {
  if (options_.path.empty() || numbers_.contains(entry.event)) return {};
  std::string line = line_of(entry);
  const bool is_full =
      open_.size() >= options_.entries_max || open_bytes_ + line.size() > options_.open_bytes_max;
  if (is_full) return Error::queue_full;
  if (auto appended = append(line, true); !appended) return appended.error();
  insert(entry, std::move(line));
  return {};
}

void Journal::done(const std::string& event) {
  if (!numbers_.contains(event)) return;
  erase(event);
  boost::json::object line;
  line["done"] = event;
  auto written = append(boost::json::serialize(line) + "\n", false);
  try {
    if (!written || size_ > options_.file_bytes + 2 * open_bytes_) rewrite();
  } catch (const std::runtime_error& failure) {
    // The event is answered once more after the next start; Feishu shows the answer once.
    log::warn("bot", "an event that is answered stays in the journal: {}", failure.what());
  }
}

std::vector<Journal::Entry> Journal::take_up() {
  std::vector<Entry> entries;
  for (auto& [number, line] : open_) {
    ++line.entry.starts;
    line.text = line_of(line.entry);
    entries.push_back(line.entry);
  }
  std::erase_if(entries, [this](const Entry& entry) {
    if (entry.starts <= options_.starts_max) return false;
    log::error("bot", "the question {} is given up: {} starts in a row did not live to answer it",
               entry.ask.message_id, options_.starts_max);
    erase(entry.event);
    return true;
  });
  if (!options_.path.empty() && size_ > 0) rewrite();
  return entries;
}

/// Appends a line, or nothing.
Result<void> Journal::append(std::string_view line, bool is_to_last) {
  const auto written = ::write(file_, line.data(), line.size());
  const bool is_whole = written == static_cast<ssize_t>(line.size());
  boost::system::error_code error;
  if (written < 0) error = last_error();
  else if (!is_whole) error = {ENOSPC, boost::system::system_category()};
  else if (is_to_last && ::fdatasync(file_) != 0) error = last_error();
  if (!error) {
    size_ += line.size();
    return {};
  }
  if (::ftruncate(file_, static_cast<off_t>(size_)) != 0)
    log::warn("bot", "{} keeps half a line: {}", options_.path.string(), last_error().message());
  return error;
}

/// The file anew, with nothing but what is open. Throws std::runtime_error: nothing can be added then, or the
/// old file stays.
void Journal::rewrite() {
  std::string text;
  for (const auto& [number, line] : open_) text += line.text;
  write_private_file(options_.path, text);
  if (file_ >= 0) ::close(file_);  // it has no name any more: nothing must be written there
  file_ = ::open(options_.path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  size_ = open_bytes_ = text.size();
  if (file_ < 0)
    throw std::runtime_error("cannot open " + options_.path.string() + ": " + last_error().message());
}

void Journal::insert(Entry entry, std::string text) {
  open_bytes_ += text.size();
  numbers_[entry.event] = number_;
  open_[number_++] = {std::move(entry), std::move(text)};
}

void Journal::erase(const std::string& event) {
  const auto number = numbers_.find(event);
  if (number == numbers_.end()) return;
  const auto line = open_.find(number->second);
  open_bytes_ -= line->second.text.size();
  open_.erase(line);
  numbers_.erase(number);
}

}  // namespace rockdove::feishu_bot
