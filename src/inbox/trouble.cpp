#include "inbox/trouble.hpp"

#include <fmt/core.h>

namespace rockdove::inbox {

std::string explain(const sqlite::Database& database) {
  using sqlite::Trouble;
  const std::string file = database.file().string();
  const std::string& cause = database.message();
  switch (database.trouble()) {
    case Trouble::full: return fmt::format("the disk is full: free some space where {} is ({})", file, cause);
    case Trouble::io: return fmt::format("the disk under {} fails: check it ({})", file, cause);
    case Trouble::corrupt: return fmt::format("{} is damaged ({})", file, cause);
    case Trouble::busy: return fmt::format("another program has {} locked: end it ({})", file, cause);
    case Trouble::read_only:
      return fmt::format("{} cannot be written: check that it, its directory and the mount allow it ({})",
                         file, cause);
    case Trouble::none:
    case Trouble::other: break;
  }
  return fmt::format("{}: {}", file, cause);
}

std::string explain_full_queue(const std::filesystem::path& file, std::size_t bytes) {
  return fmt::format(
      "the disk under {} is too slow or hangs: {} MiB of events wait to be written, new ones are "
      "refused until it has caught up",
      file.string(), bytes / (1024 * 1024));
}

}  // namespace rockdove::inbox
