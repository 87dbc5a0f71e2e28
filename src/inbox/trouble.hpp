// What a failing database means to the people who run the server.
#pragma once

#include "inbox/sqlite.hpp"

#include <string>

namespace rockdove::inbox {

/// What is wrong and what to do about it, for a failed database.
std::string explain(const sqlite::Database& database);

/// So many bytes of events wait to be written.
std::string explain_full_queue(const std::filesystem::path& file, std::size_t bytes);

}  // namespace rockdove::inbox
