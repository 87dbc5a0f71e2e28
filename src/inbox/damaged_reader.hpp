// Reads the rows of a damaged table around the damage.
#pragma once

#include "inbox/sqlite.hpp"

#include <functional>

namespace rockdove::inbox {

/// Calls `row` for the rows of `table` in the order of `key`, an integer column by which SQLite can search;
/// the first of `columns` is the key. Where a page cannot be read it looks for the next key that can. Rows of
/// one key may be given twice. Ends when `row` returns false. Returns in how many places it had to skip.
/// Failures that are damage are forgotten; any other one ends it and sticks to `database`.
std::int64_t read_damaged(sqlite::Database& database, const std::string& table, const std::string& key,
                          const std::string& columns, const std::function<bool(sqlite::Statement&)>& row);

/// Lets the connection be used again if its failure is one of what it reads. False if there is none, or if it
/// is something that passes (a lock, too little memory): what cannot be read just now is not lost.
bool forget_damage(sqlite::Database& database);

/// Waits for locks; closing the connection leaves the write-ahead log as it is.
void set_up_damaged(sqlite::Database& database);

}  // namespace rockdove::inbox
