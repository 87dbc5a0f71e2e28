#include "net/log.hpp"

#include "net/log_line.hpp"

#include <gtest/gtest.h>
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
  EXPECT_FALSE(enabled(Level::info));
  EXPECT_TRUE(enabled(Level::error));
  info("link", "not written {}", 1);
  warn("link", "{} of {}", 1, "two");
  set_level(Level::debug);
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
