#include "config/join_writer.hpp"

#include "unit/config/examples.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace rockdove::config {
namespace {

ServerLink sample() {
  ServerLink link;
  link.address = {{"example.com", 8081}, {"::1", 443}};
  link.tunnel = "feishu-bot";
  link.secret = "rd_0123abcd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  link.pin = std::string(43, 'A');
  return link;
}

TEST(JoinWriter, a_new_file_says_what_it_is_and_reads_back) {
  const std::string text = with_server("", sample(), "agent.toml");
  EXPECT_EQ(parse_agent_config(text, "agent.toml").server, sample());
  EXPECT_EQ(text.front(), '#');
  EXPECT_NE(text.find("[[upstream]]\nurl = \"http://127.0.0.1:5000\"\n"), text.npos);
}

TEST(JoinWriter, everything_but_the_keys_it_sets_stays) {
  const std::string before =
      "# mine\n[agent]\nname = \"pc\" # keep\n\n  [server]  # the server\n# where\naddress = [ # list\n  "
      "\"old:1\",\n  \"older\"\n]\n"
      "# who\nsecret_file = \"/dev/null\"\ntunnel = \"old\"\n# tail of server\n\n# my "
      "upstream\n[[upstream]]\nurl = \"http://[::1]:1\"\n";
  ServerLink link = sample();
  link.address.resize(1);
  link.tls = ServerTls::ca;
  link.pin.clear();
  EXPECT_EQ(with_server(before, link, "agent.toml"),
            "# mine\n[agent]\nname = \"pc\" # keep\n\n  [server]  # the server\nsecret = \"" + link.secret +
                "\"\ntls = \"ca\"\n# where\naddress = \"example.com:8081\"\n# who\ntunnel = "
                "\"feishu-bot\"\n# tail of "
                "server\n\n# my upstream\n[[upstream]]\nurl = \"http://[::1]:1\"\n");
}

TEST(JoinWriter, joining_twice_changes_nothing_more) {
  for (const std::string& start :
       {std::string(), example_file("agent.toml"), std::string("[log]\njson = true\n")}) {
    const std::string once = with_server(start, sample(), "agent.toml");
    EXPECT_EQ(with_server(once, sample(), "agent.toml"), once);
  }
}

TEST(JoinWriter, the_example_can_be_joined) {
  const std::string text = with_server(example_file("agent.toml"), sample(), "agent.toml");
  EXPECT_EQ(parse_agent_config(text, "agent.toml").server, sample());
}

TEST(JoinWriter, a_brackets_line_inside_a_string_is_not_the_table) {
  const std::string before = "[agent]\nname = \"\"\"\n[server]\"\"\"\n";
  EXPECT_TRUE(with_server(before, sample(), "agent.toml").starts_with(before + "\n[server]\naddress"));
  const std::string comment = "# [server]\n[agent]\nlinks = 1\n";
  EXPECT_TRUE(with_server(comment, sample(), "agent.toml").starts_with(comment + "\n[server]\naddress"));
}

TEST(JoinWriter, what_cannot_be_edited_is_refused) {
  for (const char* before :
       {"server = {tunnel = 'a'}\n", "server.tunnel = 'a'\n", "server = 1\n", "[server\n"})
    EXPECT_THROW(with_server(before, sample(), "agent.toml"), ConfigError) << before;
}

TEST(JoinWriter, windows_line_ends_do_no_harm) {
  const std::string text =
      with_server("[server]\r\ntunnel = 'old'\r\n[agent]\r\nlinks = 1\r\n", sample(), "agent.toml");
  EXPECT_EQ(parse_agent_config(text, "agent.toml").server, sample());
}

TEST(JoinWriter, the_file_and_its_directories_are_private) {
  auto name = (std::filesystem::temp_directory_path() / "rockdove-join-XXXXXX").string();
  const std::filesystem::path directory = ::mkdtemp(name.data());
  const auto path = directory / "a" / "agent.toml";
  write_server(path, sample());
  struct stat found {};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat(path.parent_path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0700U);
  EXPECT_EQ(load_agent_config(path).server, sample());
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace rockdove::config
