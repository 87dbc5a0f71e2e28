// What a failing database means to the people who run the server.
#pragma once

#include "inbox/sqlite.hpp"

#include <string>

namespace rockdove::inbox {

/// What is wrong and what to do about it, for a failed database.
std::string explain(const sqlite::Database& database);

}  // namespace rockdove::inbox
