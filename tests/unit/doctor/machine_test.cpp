#include "doctor/machine.hpp"

#include "base/files.hpp"
#include "doctor/data_directory.hpp"
#include "doctor/disk.hpp"
#include "support/scratch_directory.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace rockdove::doctor {
namespace {

namespace fs = std::filesystem;

class Machine : public testing::Test {
 protected:
  std::vector<std::string> ids() const {
    std::vector<std::string> found;
    for (const Finding& each : report_.findings()) found.emplace_back(each.id.row().id);
    return found;
  }
  fs::path file(const char* name, unsigned mode) {
    const auto path = scratch_.path() / name;
    write_private_file(path, "secret");
    fs::permissions(path, static_cast<fs::perms>(mode));
    return path;
  }
  test::ScratchDirectory scratch_;
  std::ostringstream out_, progress_;
  Report report_{{}, out_, progress_};
};

using Ids = std::vector<std::string>;

TEST_F(Machine, modes_are_told_in_octal_with_the_command_that_mends_them) {
  EXPECT_TRUE(check_private(report_, file("open", 0644)));
  EXPECT_EQ(ids(), Ids{"files.open"});
  EXPECT_NE(text(report_.findings()[0], Language::english).find("(mode 0644)"), std::string::npos);
  EXPECT_TRUE(advice(report_.findings()[0], Language::english).starts_with("chmod 600 /"));
}

TEST_F(Machine, what_is_private_is_worth_a_line_only_where_it_was_asked_for) {
  const auto path = file("private", 0600);
  check_private_if_any(report_, path);
  check_private_if_any(report_, scratch_.path() / "missing");
  EXPECT_EQ(ids(), Ids{});
  EXPECT_TRUE(check_private(report_, path));
  EXPECT_FALSE(check_private(report_, scratch_.path() / "missing"));
  EXPECT_EQ(ids(), (Ids{"files.private", "files.unreadable"}));
}

TEST_F(Machine, the_speed_of_the_disk_is_measured_and_nothing_is_left_behind) {
  check_fsync(report_, scratch_.path());
  ASSERT_EQ(ids().size(), 1u);
  EXPECT_TRUE(ids()[0] == "fsync.ok" || ids()[0] == "fsync.slow" || ids()[0] == "fsync.very_slow")
      << ids()[0];
  EXPECT_TRUE(fs::is_empty(scratch_.path()));
  check_fsync(report_, scratch_.path() / "missing");
  EXPECT_EQ(ids().back(), "fsync.failed");
}

TEST_F(Machine, a_data_directory_is_looked_at_with_all_that_is_secret_in_it) {
  EXPECT_FALSE(check_data(report_, scratch_.path() / "missing"));
  fs::permissions(scratch_.path(), fs::perms::owner_all);
  file("admin-token", 0600);
  file("tls-key.pem", 0604);
  file("unknown", 0666);
  EXPECT_TRUE(check_data(report_, scratch_.path()));
  EXPECT_EQ(ids(), (Ids{"data.missing", "data.ok", "files.open"}));
}

TEST_F(Machine, a_token_list_that_is_damaged_is_a_failure_and_none_is_a_warning) {
  EXPECT_TRUE(check_tokens(report_, scratch_.path()));
  write_private_file(scratch_.path() / "tokens.json", "{");
  EXPECT_FALSE(check_tokens(report_, scratch_.path()));
  EXPECT_EQ(ids(), (Ids{"tokens.none", "tokens.damaged"}));
}

}  // namespace
}  // namespace rockdove::doctor
