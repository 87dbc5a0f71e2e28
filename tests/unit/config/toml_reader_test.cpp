#include "config/toml_reader.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>

namespace rockdove::config {
namespace {

/// The message of the ConfigError that `action` throws, or "" if it throws none.
std::string error_of(const std::function<void()>& action) {
  try {
    action();
    return "";
  } catch (const ConfigError& error) { return error.what(); }
}

Section parse(std::string_view text) {
  return Section::parse(text, "x.toml");
}

TEST(TomlReader, absent_keys_leave_their_targets_alone) {
  Section section = parse("");
  std::string text = "kept";
  std::size_t count = 7;
  section.read("text", text);
  section.read_count("count", count, 0, 10);
  EXPECT_EQ(text, "kept");
  EXPECT_EQ(count, 7U);
  EXPECT_TRUE(section.section("table").sections("list").empty());
}

TEST(TomlReader, reads_every_kind) {
  Section section = parse(
      "text = 'a'\nflag = true\nwait = '2s'\none = 'x'\nmany = ['x', 'y']\naddress = '[::1]:80'\ncount = 3\n"
      "size = '64KiB'\nbytes = 12\nname = 'feishu-bot'\nchoice = 'b'\n[[list]]\na = 1\n[[list]]\na = 2\n");
  std::string text, name;
  bool flag = false;
  std::chrono::milliseconds wait{};
  std::vector<std::string> one, many;
  HostPort address;
  std::size_t count = 0;
  std::uint64_t size = 0, bytes = 0;
  section.read("text", text);
  section.read("flag", flag);
  section.read("wait", wait);
  section.read("one", one);
  section.read("many", many);
  section.read("address", address);
  section.read_count("count", count, 1, 3);
  section.read_size("size", size);
  section.read_size("bytes", bytes);
  section.read_name("name", name);
  constexpr std::array<std::string_view, 2> choices = {"a", "b"};
  EXPECT_EQ(section.read_choice("choice", choices), 1U);
  EXPECT_EQ(text, "a");
  EXPECT_TRUE(flag);
  EXPECT_EQ(wait.count(), 2000);
  EXPECT_EQ(one, std::vector<std::string>{"x"});
  EXPECT_EQ(many, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(address, (HostPort{"::1", 80}));
  EXPECT_EQ(count, 3U);
  EXPECT_EQ(size, 65536U);
  EXPECT_EQ(bytes, 12U);
  EXPECT_EQ(name, "feishu-bot");
  EXPECT_EQ(section.sections("list").size(), 2U);
  section.finish();
}

TEST(TomlReader, an_unknown_key_names_its_line_and_the_nearest_one) {
  const std::pair<const char*, const char*> cases[] = {
      {"\nfrist_byte = 1", "x.toml:2: unknown key \"frist_byte\"; did you mean \"first_byte\"?"},
      {"adress = 1", "x.toml:1: unknown key \"adress\"; did you mean \"address\"?"},
      {"adderss = 1", "x.toml:1: unknown key \"adderss\"; did you mean \"address\"?"},
      {"zebra = 1", "x.toml:1: unknown key \"zebra\"; known here: address, first_byte, log"},
      {"[lgo]", "x.toml:1: unknown table \"lgo\"; did you mean \"log\"?"},
  };
  for (const auto& [text, expected] : cases) {
    Section section = parse(text);
    std::string ignored;
    section.read("address", ignored);
    section.read("first_byte", ignored);
    section.section("log");
    EXPECT_EQ(error_of([&] { section.finish(); }), expected);
  }
}

TEST(TomlReader, errors_name_the_table_too) {
  Section section = parse("[log]\nfile = 1\n");
  std::string text;
  EXPECT_EQ(error_of([&] { section.section("log").read("file", text); }),
            "x.toml:2: [log] file must be a string in quotes, not a whole number");
}

TEST(TomlReader, a_wrong_type_or_value_is_an_error_at_its_line) {
  Section section =
      parse("a = 1\nb = 'x'\nc = '5'\nd = [1]\ne = 1.5\nf = -1\ng = '1 MB'\nh = 'A b'\n[t]\n[[l]]\n");
  const auto starts = [](const std::string& text, const std::string& with) {
    EXPECT_EQ(text.substr(0, with.size()), with);
  };
  std::string text;
  bool flag = false;
  std::chrono::milliseconds wait{};
  std::vector<std::string> list;
  HostPort address;
  std::size_t count = 0;
  std::uint64_t size = 0;
  constexpr std::array<std::string_view, 2> choices = {"on", "off"};
  starts(error_of([&] { section.read("b", flag); }),
         "x.toml:2: b must be true or false, without quotes, not a string");
  starts(error_of([&] { section.read("c", wait); }), "x.toml:3: c = \"5\": must be a duration in quotes");
  starts(error_of([&] { section.read("a", wait); }), "x.toml:1: a must be a duration in quotes");
  starts(error_of([&] { section.read("d", list); }),
         "x.toml:4: d must be a string or a list of strings, not a whole");
  starts(error_of([&] { section.read("c", address); }), "x.toml:3: c = \"5\": must be \"address:port\"");
  starts(error_of([&] { section.read_count("e", count, 0, 9); }),
         "x.toml:5: e must be a whole number from 0 to 9, not a");
  starts(error_of([&] { section.read_count("f", count, 0, 9); }),
         "x.toml:6: f = -1: must be a whole number from 0 to 9");
  starts(error_of([&] { section.read_size("f", size); }), "x.toml:6: f must be a size");
  starts(error_of([&] { section.read_size("g", size); }), "x.toml:7: g = \"1 MB\": must be a size");
  starts(error_of([&] { section.read_name("h", text); }), "x.toml:8: h = \"A b\": a name is");
  starts(error_of([&] { section.read_choice("b", choices); }),
         "x.toml:2: b = \"x\": must be one of \"on\", \"off\"");
  starts(error_of([&] { section.section("l"); }),
         "x.toml:10: l must be a table, written [l], not a list of tables");
  starts(error_of([&] { section.sections("t"); }),
         "x.toml:9: t must be a list of tables, each written [[t]], not a table");
}

TEST(TomlReader, bad_toml_names_the_line) {
  EXPECT_EQ(error_of([] { parse("a = 1\nb = \n"); }).substr(0, 27), "x.toml:2: not valid TOML: E");
  EXPECT_NE(error_of([] { parse("a = 1\na = 2\n"); }), "");
}

TEST(TomlReader, text_from_the_file_stays_one_bearable_line_in_messages) {
  Section section = parse("a = \"x\\n" + std::string(500, 'y') + "\"\n");
  HostPort address;
  const std::string message = error_of([&] { section.read("a", address); });
  EXPECT_EQ(message.find('\n'), std::string::npos);
  EXPECT_LT(message.size(), 250U);
}

TEST(TomlReader, tells_which_lines_a_value_covers) {
  Section section = parse("# c\n[t]\na = 1\nb = [\n 1,\n 2\n]\n");
  Section table = section.section("t");
  EXPECT_EQ(table.line(), 2U);
  EXPECT_EQ(table.lines("a"), std::pair(std::size_t{3}, std::size_t{3}));
  EXPECT_EQ(table.lines("b"), std::pair(std::size_t{4}, std::size_t{7}));
  EXPECT_FALSE(table.lines("c"));
}

}  // namespace
}  // namespace rockdove::config
