#include "base/files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

namespace rockdove {
namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
 protected:
  Files() {
    auto name = (fs::temp_directory_path() / "rockdove-files-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~Files() override { fs::remove_all(directory_); }

  static unsigned mode(const fs::path& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 0777U : 0;
  }

  fs::path directory_;
};

TEST_F(Files, content_is_replaced_and_only_the_owner_may_read_it) {
  const fs::path file = directory_ / "a";
  std::ofstream(file) << "old and longer";
  ::chmod(file.c_str(), 0644);
  write_private_file(file, "new");
  EXPECT_EQ(read_file(file), "new");
  EXPECT_EQ(mode(file), 0600U);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_), {}), 1) << "a temporary file was left";
}

TEST_F(Files, a_symbolic_link_stays_one) {
  std::ofstream(directory_ / "target") << "old";
  fs::create_symlink(directory_ / "target", directory_ / "link");
  write_private_file(directory_ / "link", "new");
  EXPECT_TRUE(fs::is_symlink(directory_ / "link"));
  EXPECT_EQ(read_file(directory_ / "target"), "new");
}

TEST_F(Files, errors_name_the_file_and_the_cause) {
  try {
    read_file(directory_ / "missing");
    FAIL() << "read a file that is not there";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()),
              "cannot read " + (directory_ / "missing").string() + ": No such file or directory");
  }
  EXPECT_THROW(write_private_file(directory_ / "no" / "such", ""), std::runtime_error);
}

TEST_F(Files, new_directories_are_private) {
  make_private_directory(directory_ / "a" / "b/");
  EXPECT_EQ(mode(directory_ / "a"), 0700U);
  EXPECT_EQ(mode(directory_ / "a" / "b"), 0700U);
  std::ofstream(directory_ / "file") << "";
  EXPECT_THROW(make_private_directory(directory_ / "file" / "b"), std::runtime_error);
  EXPECT_THROW(make_private_directory(directory_ / "file"), std::runtime_error);
}

TEST_F(Files, a_stamp_changes_with_the_file) {
  EXPECT_FALSE(file_stamp(directory_ / "a"));
  write_private_file(directory_ / "a", "one");
  const auto first = file_stamp(directory_ / "a");
  EXPECT_EQ(file_stamp(directory_ / "a"), first);
  write_private_file(directory_ / "b", "one");
  fs::rename(directory_ / "b", directory_ / "a");
  EXPECT_NE(file_stamp(directory_ / "a"), first);
}

TEST_F(Files, a_lock_keeps_others_out) {
  int shared = 0;
  const auto work = [&] {
    for (int i = 0; i < 200; ++i) {
      const FileLock lock(directory_ / "lock");
      const int seen = shared;
      std::this_thread::yield();
      shared = seen + 1;
    }
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_EQ(shared, 400);
}

TEST_F(Files, a_lock_that_is_held_can_be_refused_instead_of_waited_for) {
  {
    const FileLock lock(directory_ / "lock");
    EXPECT_THROW(FileLock(directory_ / "lock", FileLock::IfHeld::fail), LockHeld);
  }
  EXPECT_NO_THROW(FileLock(directory_ / "lock", FileLock::IfHeld::fail));
}

}  // namespace
}  // namespace rockdove
