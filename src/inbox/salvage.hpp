// What to do with a database that is damaged: take over what can be read, keep the rest for people.
#pragma once

#include "inbox/schema.hpp"

#include <string>

namespace rockdove::inbox {

/// Copies every readable row into a new database, which takes the place of the damaged one; that one is kept
/// beside it as "….corrupt-TIME". An event of which only the request is left becomes a dead letter, since
/// nobody knows whether it was delivered. No connection may be open. Returns what went wrong, or nothing.
/// Nothing is lost then: either the damaged file is in its place or is_salvage_unfinished(), and this can be
/// called again. Needs as much free space as the events take.
std::string salvage(const DatabaseFile& file);

/// All has been taken over, but is not in its place yet: the database must not be opened.
bool is_salvage_unfinished(const DatabaseFile& file);

/// Ends a salvage that a crash has interrupted, and removes what one has left that had not taken over all.
/// Throws std::filesystem::filesystem_error.
void finish_salvage(const DatabaseFile& file);

}  // namespace rockdove::inbox
