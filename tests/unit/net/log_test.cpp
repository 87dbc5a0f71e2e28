#include "net/log.hpp"

#include "net/log_line.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>

namespace rockdove::log {
namespace {

namespace fs = std::filesystem;

const auto moment = std::chrono::system_clock::from_time_t(1795406400) + std::chrono::milliseconds(7);

class Log : public testing::Test {
 protected:
  Log() : directory_(fs::temp_directory_path() / ("rockdove-log-" + std::to_string(::getpid()))) {
    fs::create_directories(directory_);
  }
  ~Log() override {
    init({});
    fs::remove_all(directory_);
  }

  static std::string read(const fs::path& path) {
    std::ostringstream content;
    content << std::ifstream(path).rdbuf();
    return content.str();
  }

  fs::path directory_;
};

TEST_F(Log, a_text_line_has_the_local_time_the_level_the_layer_and_the_text) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  EXPECT_EQ(text_line(moment, Level::info, "link", "text"), "2026-11-23 04:00:00.007 info  link  text\n");
  ::setenv("TZ", "CST-8", 1);
  ::tzset();
  EXPECT_EQ(text_line(moment, Level::error, "inbox", "x"), "2026-11-23 12:00:00.007 error inbox x\n");
  EXPECT_EQ(
      json_line(moment, Level::error, "inbox", "x"),
      "{\"time\":\"2026-11-23T04:00:00.007Z\",\"level\":\"error\",\"layer\":\"inbox\",\"text\":\"x\"}\n");
  ::unsetenv("TZ");
  ::tzset();
}

TEST_F(Log, text_from_outside_cannot_forge_a_line) {
  const std::string line = text_line(moment, Level::info, "edge", "a\nb\rc\x1b[31m\td\x7f");
  EXPECT_TRUE(line.ends_with(" edge  a\\nb\\rc\\u001b[31m\\td\\u007f\n")) << line;
}

TEST_F(Log, json_escapes_what_must_be_escaped_and_keeps_utf_8) {
  const std::pair<std::string, std::string> cases[] = {
      {"say \"hi\"", R"(say \"hi\")"},
      {"back\\slash", R"(back\\slash)"},
      {"line\r\n\tend", R"(line\r\n\tend)"},
      {std::string("\0\x01\x1f\x7f", 4), R"(\u0000\u0001\u001f\u007f)"},
      {"\xE9\xB8\xBD \xF0\x9F\x95\x8A \xC3\xA9", "\xE9\xB8\xBD \xF0\x9F\x95\x8A \xC3\xA9"},
      {"a\xFF"
       "b",
       "a\xEF\xBF\xBD"
       "b"},
      {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},                  // overlong
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // a surrogate
      {"cut \xE9\xB8", "cut \xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xE9\"", "\xEF\xBF\xBD\\\""},  // a broken sequence must not swallow a quote
  };
  for (const auto& [text, escaped] : cases) {
    const std::string line = json_line(moment, Level::info, "a", text);
    EXPECT_TRUE(line.ends_with("\"layer\":\"a\",\"text\":\"" + escaped + "\"}\n")) << line;
  }
}

TEST_F(Log, lines_go_to_the_file_and_less_important_ones_do_not) {
  const fs::path file = directory_ / "log.txt";
  Options options;
  options.file = file;
  options.level = Level::warn;
  init(options);
  EXPECT_FALSE(enabled(Level::info, "net"));
  EXPECT_TRUE(enabled(Level::error, "net"));
  info("link", "not written {}", 1);
  warn("link", "{} of {}", 1, "two");
  set_verbosity({Level::debug, {}});
  debug("net", "now it is");
  const std::string content = read(file);
  EXPECT_EQ(content.find("not written"), std::string::npos);
  EXPECT_NE(content.find(" warn  link  1 of two\n"), std::string::npos) << content;
  EXPECT_NE(content.find(" debug net   now it is\n"), std::string::npos) << content;
}

TEST_F(Log, off_writes_nothing) {
  Options options;
  options.file = directory_ / "log.txt";
  options.level = Level::off;
  init(options);
  error("net", "quiet");
  EXPECT_EQ(read(options.file), "");
}

TEST_F(Log, a_full_file_is_rotated) {
  Options options;
  options.file = directory_ / "log.txt";
  options.max_size = 2000;
  options.max_files = 2;
  options.json = true;
  init(options);
  for (int i = 0; i < 100; ++i) info("net", "line number {} with some text to fill the file", i);
  EXPECT_TRUE(fs::exists(directory_ / "log.1.txt"));
  EXPECT_TRUE(fs::exists(directory_ / "log.2.txt"));
  EXPECT_FALSE(fs::exists(directory_ / "log.3.txt"));
  EXPECT_LE(fs::file_size(options.file), 2000U);
}

TEST_F(Log, a_layer_may_have_a_level_of_its_own) {
  Options options;
  options.file = directory_ / "log.txt";
  options.level = Level::warn;
  options.levels = {{"link", Level::debug}, {"inbox", Level::off}};
  init(options);
  EXPECT_TRUE(enabled(Level::debug, "link"));
  EXPECT_FALSE(enabled(Level::trace, "link"));
  EXPECT_FALSE(enabled(Level::info, "net"));
  EXPECT_FALSE(enabled(Level::error, "inbox"));
  debug("link", "one");
  debug("net", "two");
  error("inbox", "three");
  warn("elsewhere", "four");
  set_verbosity({Level::error, {{"net", Level::info}}});
  debug("link", "five");
  info("net", "six");
  EXPECT_EQ(verbosity().level, Level::error);
  EXPECT_EQ(verbosity().levels, (Levels{{"net", Level::info}}));
  const std::string content = read(options.file);
  std::string seen;
  for (const char* word : {"one", "two", "three", "four", "five", "six"})
    if (content.find(word) != content.npos) seen.append(word).append(" ");
  EXPECT_EQ(seen, "one four six ");
}

TEST_F(Log, a_record_has_members_for_machines_and_text_for_people) {
  Options options;
  options.file = directory_ / "log.txt";
  options.json = true;
  init(options);
  EXPECT_TRUE(is_json());
  std::string members;
  append_member(members, "path", "/a\"b\n");
  append_member(members, "status", std::uint64_t{200});
  append_member(members, "ms", 1.5);
  record(Level::info, "request", "text", members);
  info("net", "another");
  const std::string content = read(options.file);
  EXPECT_NE(content.find(R"("text":"text","path":"/a\"b\n","status":200,"ms":1.500})"), content.npos)
      << content;
  EXPECT_NE(content.find(R"("text":"another"})"), content.npos) << content;
  options.json = false;
  init(options);
  EXPECT_FALSE(is_json());
  record(Level::info, "request", "as text", members);
  EXPECT_TRUE(read(options.file).ends_with(" info  request as text\n"));
}

TEST_F(Log, a_new_day_begins_a_new_file_and_so_many_are_kept) {
  Options options;
  options.file = directory_ / "log.txt";
  options.max_files = 2;
  options.daily = true;
  init(options);
  const auto now = std::chrono::system_clock::now();
  for (int day = 0; day < 5; ++day)
    for (const char* text : {"morning", "evening"})
      detail::write_at(now + day * std::chrono::hours(24), Level::info, "net", text + std::to_string(day),
                       {});
  const std::string today = read(options.file);
  EXPECT_NE(today.find("morning4"), today.npos) << today;
  EXPECT_NE(today.find("evening4"), today.npos) << today;
  EXPECT_EQ(today.find("evening3"), today.npos) << today;
  EXPECT_NE(read(directory_ / "log.1.txt").find("evening3"), std::string::npos);
  EXPECT_NE(read(directory_ / "log.2.txt").find("morning2"), std::string::npos);
  EXPECT_FALSE(fs::exists(directory_ / "log.3.txt"));
}

TEST_F(Log, a_file_of_yesterday_is_rotated_at_the_start_and_one_of_today_is_written_on) {
  Options options;
  options.file = directory_ / "log.txt";
  options.daily = true;
  init(options);
  info("net", "first");
  init(options);
  info("net", "second");
  EXPECT_FALSE(fs::exists(directory_ / "log.1.txt"));
  init({});
  fs::last_write_time(options.file, fs::file_time_type::clock::now() - std::chrono::hours(25));
  init(options);
  info("net", "third");
  EXPECT_NE(read(directory_ / "log.1.txt").find("second"), std::string::npos);
  EXPECT_EQ(read(options.file).find("second"), std::string::npos);
  EXPECT_NE(read(options.file).find("third"), std::string::npos);
}

TEST_F(Log, a_journal_gets_priorities_and_has_the_time_itself) {
  EXPECT_EQ(journal_line("link", "a\nb"), "link  a\\nb\n");
  EXPECT_EQ(journal_priority(Level::error), "<3>");
  EXPECT_EQ(journal_priority(Level::warn), "<4>");
  EXPECT_EQ(journal_priority(Level::info), "<6>");
  EXPECT_EQ(journal_priority(Level::debug), "<7>");
  ::unsetenv("JOURNAL_STREAM");
  EXPECT_FALSE(stderr_is_journal());
  ::setenv("JOURNAL_STREAM", "1:1", 1);
  EXPECT_FALSE(stderr_is_journal());
  struct stat found {};
  ASSERT_EQ(::fstat(STDERR_FILENO, &found), 0);
  ::setenv("JOURNAL_STREAM", (std::to_string(found.st_dev) + ":" + std::to_string(found.st_ino)).c_str(), 1);
  EXPECT_TRUE(stderr_is_journal());
  ::unsetenv("JOURNAL_STREAM");
}

TEST_F(Log, reopen_follows_a_file_that_was_moved_away) {
  Options options;
  options.file = directory_ / "log.txt";
  init(options);
  info("net", "before");
  fs::rename(options.file, directory_ / "moved.txt");
  reopen();
  info("net", "after");
  EXPECT_NE(read(directory_ / "moved.txt").find("before"), std::string::npos);
  EXPECT_EQ(read(directory_ / "moved.txt").find("after"), std::string::npos);
  EXPECT_NE(read(options.file).find("after"), std::string::npos);
}

TEST_F(Log, a_file_that_cannot_be_opened_is_named) {
  Options options;
  options.file = "/dev/null/log.txt";
  try {
    init(options);
    FAIL() << "no exception";
  } catch (const std::runtime_error& failure) {
    EXPECT_NE(std::string(failure.what()).find("/dev/null/log.txt"), std::string::npos);
  }
}

}  // namespace
}  // namespace rockdove::log
