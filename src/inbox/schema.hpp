// The tables of the embedded store, and how a connection to them is set up.
#pragma once

#include "inbox/sqlite.hpp"

#include <filesystem>
#include <memory>
#include <stdexcept>

namespace rockdove::inbox {

/// The version that this program writes; PRAGMA user_version tells that of a file.
inline constexpr int schema_version = 2;
/// PRAGMA application_id of our files: "pige".
inline constexpr int application_id = 0x70696765;

/// Where the database is and how it is opened.
struct DatabaseFile {
  std::filesystem::path path;
  std::string vfs;
  std::size_t cache_bytes = 0;

  std::filesystem::path beside(const char* suffix) const {
    auto name = path;
    name += suffix;
    return name;
  }
};

/// The file is sound but not for this program: a newer one, or quite another one wrote it.
struct ForeignDatabase : std::runtime_error {
  using runtime_error::runtime_error;
};

enum class Role {
  writer,      ///< the only one that changes anything; makes the file if need be
  reader,      ///< changes nothing
  checkpoint,  ///< copies from the log to the database, and gives up soon if others are in the way
};

/// A connection set up for its role. Look at failed(). A writer's puts damaged texts of our own tables and
/// indexes right.
std::unique_ptr<sqlite::Database> connect(const DatabaseFile& file, Role role);

/// Brings the tables up to schema_version, step by step, each step in a transaction of its own. Failures
/// stick to `database`. Throws ForeignDatabase.
void migrate(sqlite::Database& database);

}  // namespace rockdove::inbox
