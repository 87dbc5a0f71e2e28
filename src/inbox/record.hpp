// The bytes in which a stored request lies on disk, and their checksum.
#pragma once

#include "inbox/event.hpp"

#include <initializer_list>

namespace rockdove::inbox {

/// Everything of a request but its body, in a form that decode_head() reads back byte for byte. Versioned:
/// the first byte names the form.
std::string encode_head(const StoredRequest& request);

/// Fills all but `body`. Error::malformed for anything that encode_head() of a known version does not write.
Result<StoredRequest> decode_head(std::string_view bytes);

/// Of all parts of a record together, in their order; tells one that was half written or has rotted from a
/// whole one. XXH3 (64 bits): against accidents, not against whoever may write into the database.
std::uint64_t checksum(std::initializer_list<std::string_view> parts);

}  // namespace rockdove::inbox
