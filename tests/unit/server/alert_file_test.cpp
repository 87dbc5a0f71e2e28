#include "server/alert_file.hpp"

#include "base/files.hpp"
#include "ops/alert_records.hpp"
#include "support/run.hpp"
#include "support/scratch_directory.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace rockdove::server {
namespace {

using namespace std::chrono_literals;
using Records = std::vector<ops::AlertRecord>;

Records records(int count) {
  return Records(static_cast<std::size_t>(count),
                 {ops::AlertKind::agent_gone, "bot", 0, ops::AlertTime(1s), ops::AlertTime(2s)});
}

TEST(AlertFile, keeps_the_last_of_many_states_whether_the_loop_runs_on_or_not) {
  const test::ScratchDirectory directory;
  const auto path = directory.path() / "alerts.json";
  net::IoContext io;
  {
    AlertFile file(io.get_executor(), path);
    EXPECT_TRUE(file.load().empty());
    for (int count = 0; count <= 50; ++count) file.save(records(count));
    const auto work = net::asio::make_work_guard(io);
    EXPECT_TRUE(test::run_until(io, [&] { return file.load().size() == 50; }));
    for (int count = 0; count <= 7; ++count) file.save(records(count));
  }
  test::run_for(io, 10ms);  // what the last write posts finds nobody
  EXPECT_EQ(AlertFile(io.get_executor(), path).load(), records(7));
}

TEST(AlertFile, begins_anew_with_a_file_that_is_none) {
  const test::ScratchDirectory directory;
  const auto path = directory.path() / "alerts.json";
  net::IoContext io;
  write_private_file(path, "{\"told\":");
  EXPECT_TRUE(AlertFile(io.get_executor(), path).load().empty());
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  EXPECT_TRUE(AlertFile(io.get_executor(), path).load().empty());
}

TEST(AlertFile, a_write_that_fails_is_no_reason_to_stop) {
  const test::ScratchDirectory directory;
  net::IoContext io;
  AlertFile file(io.get_executor(), directory.path() / "missing" / "alerts.json");
  file.save(records(1));
  test::run_for(io, 50ms);
  file.save(records(2));
  EXPECT_TRUE(file.load().empty());
}

}  // namespace
}  // namespace rockdove::server
