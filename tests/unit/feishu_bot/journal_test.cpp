#include "feishu-bot/journal.hpp"

#include "support/scratch_directory.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <csignal>
#include <fstream>

namespace rockdove::feishu_bot {
namespace {

struct JournalTest : testing::Test {
  test::ScratchDirectory directory;
  Journal::Options options;
  std::filesystem::path path = directory.path() / "journal";

  void SetUp() override { options.path = path; }
  static Journal::Entry entry(const std::string& event, const std::string& text = "店铺") {
    return {event, {Ask::From::message, "oc_1", "om_" + event, text}};
  }
  void append(std::string_view bytes) { std::ofstream(path, std::ios::app) << bytes; }
  /// What the next process takes up: "a b", with the number of starts where that is not 1.
  std::string taken_up() {
    Journal journal(options);
    std::string list;
    for (const auto& each : journal.take_up()) {
      list += (list.empty() ? "" : " ") + each.event;
      if (each.starts != 1) list += ":" + std::to_string(each.starts);
    }
    return list;
  }
};

TEST_F(JournalTest, what_is_not_done_is_there_after_the_process) {
  {
    Journal journal(options);
    auto press = entry("b", "a \"quoted\"\nline");
    press.ask.from = Ask::From::button;
    press.ask.chat_id.clear();
    for (const auto& each : {entry("a"), press, entry("c")}) EXPECT_TRUE(journal.add(each));
    journal.done("a");
    journal.done("unknown");
    EXPECT_EQ(journal.open(), 2U);
  }
  Journal journal(options);
  const auto entries = journal.take_up();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].event, "b");
  EXPECT_EQ(entries[0].ask.text, "a \"quoted\"\nline");
  EXPECT_EQ(entries[0].ask.chat_id, "");
  EXPECT_EQ(entries[0].ask.message_id, "om_b");
  EXPECT_EQ(entries[0].ask.from, Ask::From::button);
  EXPECT_EQ(entries[1].event, "c");
  EXPECT_EQ(entries[1].ask.chat_id, "oc_1");
  EXPECT_EQ(entries[1].ask.from, Ask::From::message);
}

TEST_F(JournalTest, a_torn_end_and_foreign_lines_cost_nothing_else) {
  { EXPECT_TRUE(Journal(options).add(entry("a"))); }
  append("\n{}\n[]\n{\"event\":7}\nxx\n{\"done\":\"other\"}\n{\"event\":\"t\",\"message\":\"om_t\",\"te");
  EXPECT_EQ(taken_up(), "a");
  { EXPECT_TRUE(Journal(options).add(entry("b"))); }  // behind it, not on the same line
  EXPECT_EQ(taken_up(), "a:2 b");
}

TEST_F(JournalTest, any_prefix_of_it_can_be_read) {
  {
    Journal journal(options);
    for (const char* event : {"a", "b", "c"}) EXPECT_TRUE(journal.add(entry(event)));
    journal.done("b");
  }
  const std::string whole = read_file(path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_private_file(path, whole.substr(0, size));
    const std::string found = taken_up();
    EXPECT_TRUE(found.empty() || found == "a" || found == "a b" || found == "a b c") << size << ": " << found;
  }
}

TEST_F(JournalTest, an_event_that_ends_every_process_is_given_up) {
  options.starts_max = 2;
  { EXPECT_TRUE(Journal(options).add(entry("a"))); }
  EXPECT_EQ(taken_up(), "a");
  { EXPECT_TRUE(Journal(options).add(entry("b"))); }
  EXPECT_EQ(taken_up(), "a:2 b");
  EXPECT_EQ(taken_up(), "b:2");
  EXPECT_EQ(taken_up(), "");
  EXPECT_EQ(std::filesystem::file_size(path), 0U);
}

TEST_F(JournalTest, it_is_bounded_in_entries_and_bytes) {
  options.entries_max = 2;
  options.open_bytes_max = 1000;
  Journal journal(options);
  EXPECT_EQ(journal.add(entry("long", std::string(1000, 'x'))).error(), Error::queue_full);
  EXPECT_TRUE(journal.add(entry("a")));
  EXPECT_TRUE(journal.add(entry("b")));
  EXPECT_TRUE(journal.add(entry("b"))) << "it is there";
  EXPECT_EQ(journal.add(entry("c")).error(), Error::queue_full);
  journal.done("a");
  EXPECT_TRUE(journal.add(entry("c")));
}

TEST_F(JournalTest, the_file_does_not_grow_by_what_is_done) {
  options.file_bytes = 1000;
  {
    Journal journal(options);
    EXPECT_TRUE(journal.add(entry("stays")));
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(journal.add(entry(std::to_string(i))));
      journal.done(std::to_string(i));
      EXPECT_LT(std::filesystem::file_size(path), 2000U);
    }
  }
  EXPECT_EQ(taken_up(), "stays");
}

TEST_F(JournalTest, what_does_not_fit_on_the_disk_leaves_no_trace) {
  Journal journal(options);
  EXPECT_TRUE(journal.add(entry("a")));
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit full = before;
  full.rlim_cur = std::filesystem::file_size(path) + 10;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  EXPECT_FALSE(journal.add(entry("b")));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(journal.open(), 1U);
  EXPECT_TRUE(journal.add(entry("c")));
  const std::string text = read_file(path);
  EXPECT_EQ(text.find("om_b"), text.npos);
  EXPECT_NE(text.find("om_c"), text.npos);
}

TEST_F(JournalTest, one_process_has_it_at_a_time) {
  const Journal journal(options);
  EXPECT_THROW(Journal second(options), LockHeld);
  options.path = directory.path() / "nowhere" / "journal";
  EXPECT_THROW(Journal other(options), std::runtime_error);
}

TEST_F(JournalTest, without_a_path_nothing_is_kept) {
  options.path.clear();
  Journal journal(options);
  EXPECT_TRUE(journal.add(entry("a")));
  journal.done("a");
  EXPECT_TRUE(journal.take_up().empty());
}

}  // namespace
}  // namespace rockdove::feishu_bot
