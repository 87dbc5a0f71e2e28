#include "inbox/inspect.hpp"

#include "base/files.hpp"
#include "inbox/schema.hpp"
#include "support/inbox_files.hpp"

#include <gtest/gtest.h>

#include <set>

namespace rockdove::inbox {
namespace {

class Inspect : public testing::Test {
 protected:
  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& each : std::filesystem::directory_iterator(files_.directory()))
      found.insert(each.path().filename().string());
    return found;
  }
  void make(const std::string& sql = "") {
    const auto database = connect({files_.file(), "", 1 << 20}, Role::writer);
    migrate(*database);
    if (!sql.empty()) database->run(sql);
    ASSERT_FALSE(database->failed()) << database->message();
  }
  test::InboxFiles files_;
};

TEST_F(Inspect, a_database_that_nobody_has_open_is_read_and_nothing_is_left_behind) {
  make();
  const auto before = names();
  const auto stamp = file_stamp(files_.file());
  const auto found = inspect(files_.file());
  EXPECT_EQ(found.error, "");
  EXPECT_TRUE(found.is_ours);
  EXPECT_EQ(found.version, schema_version);
  EXPECT_EQ(names(), before);
  EXPECT_EQ(file_stamp(files_.file()), stamp);
}

TEST_F(Inspect, a_writer_that_has_it_open_is_not_in_the_way_and_notices_nothing) {
  const auto writer = connect({files_.file(), "", 1 << 20}, Role::writer);
  migrate(*writer);
  writer->run("BEGIN IMMEDIATE; INSERT INTO marks VALUES('x', 1)");
  const auto found = inspect(files_.file());
  EXPECT_EQ(found.error, "");
  EXPECT_TRUE(found.is_ours);
  EXPECT_EQ(found.version, schema_version);
  EXPECT_TRUE(writer->run("COMMIT")) << writer->message();
}

TEST_F(Inspect, newer_and_foreign_files_are_told_apart) {
  make("PRAGMA user_version = 99");
  EXPECT_TRUE(inspect(files_.file()).is_ours);
  EXPECT_EQ(inspect(files_.file()).version, 99);
  connect({files_.file(), "", 1 << 20}, Role::writer)->run("PRAGMA application_id = 7");
  EXPECT_FALSE(inspect(files_.file()).is_ours);
}

TEST_F(Inspect, what_is_no_database_or_not_there_says_so) {
  EXPECT_NE(inspect(files_.file()).error, "");
  write_private_file(files_.file(), std::string(4096, 'x'));
  EXPECT_NE(inspect(files_.file()).error, "");
  EXPECT_FALSE(inspect(files_.file()).is_ours);
}

TEST_F(Inspect, a_path_may_have_any_characters) {
  const auto odd = files_.directory() / "a ?#%25 \xe9\xb8\xbd.db";
  {
    const auto database = connect({odd, "", 1 << 20}, Role::writer);
    migrate(*database);
    ASSERT_FALSE(database->failed());
  }
  EXPECT_EQ(inspect(odd).version, schema_version);
}

}  // namespace
}  // namespace rockdove::inbox
