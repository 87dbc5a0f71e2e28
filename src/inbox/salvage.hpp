// What to do with a database that is damaged: take over what can be read, keep the rest for people.
#pragma once

#include "inbox/schema.hpp"

#include <string>

namespace rockdove::inbox {

/// Copies every readable row into a new database, which takes the place of the damaged one; that one is kept
/// beside it as "….corrupt-TIME". An event of which only the request is left becomes a dead letter, since
/// nobody knows whether it was delivered. No connection may be open. Returns what went wrong (the damaged
/// file is in its place then), or nothing. Needs as much free space as the events take.
std::string salvage(const DatabaseFile& file);

/// Ends a salvage that a crash has interrupted between its last two steps.
void finish_salvage(const DatabaseFile& file);

}  // namespace rockdove::inbox
