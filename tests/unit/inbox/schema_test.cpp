#include "inbox/schema.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace rockdove::inbox {
namespace {

class SchemaTest : public testing::Test {
 protected:
  SchemaTest() {
    std::string name = testing::TempDir() + "rockdove-schema-XXXXXX";
    folder_ = mkdtemp(name.data());
    file_.path = folder_ / "inbox.db";
    file_.cache_bytes = 1 << 20;
  }
  ~SchemaTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<sqlite::Database> open() {
    auto database = connect(file_, Role::writer);
    migrate(*database);
    return database;
  }
  /// Exchanges what is in the file as often as it is there.
  int damage(const std::string& from, const std::string& to) {
    std::ifstream in(file_.path, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    int count = 0;
    for (auto at = bytes.find(from); at != bytes.npos; at = bytes.find(from, at + 1), ++count)
      bytes.replace(at, from.size(), to);
    std::ofstream(file_.path, std::ios::binary) << bytes;
    return count;
  }

  std::filesystem::path folder_;
  DatabaseFile file_;
};

constexpr const char* put =
    "INSERT INTO events(id, route, tunnel, state, received_at, due_at, first_attempt_at, attempts, replay, "
    "ordered, order_key, reason, method, target, bytes, ended_at) "
    "VALUES(7, 'hook', 'bot', 0, 1, 2, 3, 4, 0, 0, '', '', 'POST', '/', 5, 0)";

TEST_F(SchemaTest, a_flipped_bit_in_the_text_of_a_table_or_index_costs_nothing) {
  const std::pair<std::string, std::string> damages[] = {
      {"first_attempt_at INTEGER", "firsu_attempt_at INTEGER"},  // a column of another name
      {"CREATE TABLE requests(", "CRE@TE TABLE requests("},      // nothing can be read any more
      {"CREATE TABLE events(", "CREATE TABLE evEnts("},
      {"events(route) WHERE state < 2",
       "events(route) WHERE state < 6"},                 // an index lacks what it should have
      {"reason TEXT NOT NULL", "reason TEXT NOT NULM"},  // in two tables
  };
  {
    const auto database = open();
    ASSERT_TRUE(database->run(put)) << database->message();
  }
  for (const auto& [from, to] : damages) {
    ASSERT_GE(damage(from, to), 1) << from;
    const auto database = open();
    EXPECT_EQ(database->number("SELECT first_attempt_at FROM events INDEXED BY due WHERE route='hook' AND "
                               "state=0 AND due_at=2"),
              3)
        << to << ": " << database->message();
    EXPECT_EQ(database->number("SELECT count(*) FROM requests"), 0) << to << ": " << database->message();
    EXPECT_EQ(database->number("SELECT count(*) FROM sqlite_schema WHERE instr(sql, '" + to + "')"), 0);
  }
}

TEST_F(SchemaTest, a_file_of_the_first_version_is_brought_up_with_what_is_in_it) {
  {
    const auto database = open();
    database->run(
        "DROP INDEX put_off; CREATE INDEX pending ON events(route) WHERE state < 2; PRAGMA user_version = 1");
    ASSERT_TRUE(database->run(put)) << database->message();
  }
  const auto database = open();
  EXPECT_EQ(database->number("PRAGMA user_version"), schema_version);
  EXPECT_EQ(database->number("SELECT id FROM events INDEXED BY put_off WHERE route='hook' AND state<2 AND "
                             "(state=1 OR due_at<>0)"),
            7)
      << database->message();
  EXPECT_EQ(database->number("SELECT count(*) FROM sqlite_schema WHERE name='pending'"), 0);
  EXPECT_EQ(database->number("PRAGMA integrity_check"), 0) << "\"ok\" as a number";
}

TEST_F(SchemaTest, a_file_of_another_program_stays_as_it_is) {
  {
    sqlite::Database other(file_.path, "", sqlite::Database::Access::create);
    other.run("CREATE TABLE events(first INTEGER); PRAGMA user_version = 1");
  }
  const auto database = connect(file_, Role::writer);
  EXPECT_THROW(migrate(*database), ForeignDatabase);
  EXPECT_EQ(database->number("SELECT count(*) FROM sqlite_schema WHERE sql = 'CREATE TABLE events(first "
                             "INTEGER)'"),
            1);
}

}  // namespace
}  // namespace rockdove::inbox
