#include "config/log_config.hpp"

#include <gtest/gtest.h>

namespace rockdove::config {
namespace {

LogConfig parse(std::string_view text) {
  return read_log(Section::parse(text, "x.toml"));
}

std::string error_of(std::string_view text) {
  try {
    parse(text);
    return "";
  } catch (const ConfigError& error) { return error.what(); }
}

TEST(LogConfig, every_key_reaches_the_log) {
  const log::Options options = log_options(parse(
      "level = \"warn\"\njson = true\nfile = \"/a/b.log\"\nmax_size = \"1MiB\"\nmax_files = 3\ndaily = true\n"
      "levels = { link = \"debug\", request = \"off\" }"));
  EXPECT_EQ(options.level, log::Level::warn);
  EXPECT_EQ(options.levels, (log::Levels{{"link", log::Level::debug}, {"request", log::Level::off}}));
  EXPECT_TRUE(options.json);
  EXPECT_EQ(options.file, "/a/b.log");
  EXPECT_EQ(options.max_size, 1024U * 1024U);
  EXPECT_EQ(options.max_files, 3U);
  EXPECT_TRUE(options.daily);
}

TEST(LogConfig, the_defaults_are_those_of_the_log) {
  const log::Options options = log_options(parse("")), none;
  EXPECT_EQ(options.level, none.level);
  EXPECT_EQ(options.levels, none.levels);
  EXPECT_EQ(options.json, none.json);
  EXPECT_EQ(options.file, none.file);
  EXPECT_EQ(options.max_size, none.max_size);
  EXPECT_EQ(options.max_files, none.max_files);
  EXPECT_EQ(options.daily, none.daily);
}

TEST(LogConfig, a_layer_that_is_none_and_a_level_that_is_none_are_refused) {
  EXPECT_NE(error_of("levels = { lnik = \"debug\" }").find("did you mean \"link\""), std::string::npos);
  EXPECT_NE(error_of("levels = { link = \"loud\" }").find("levels"), std::string::npos);
}

}  // namespace
}  // namespace rockdove::config
