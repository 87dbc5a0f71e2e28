// The bytes in which a stored request lies on disk, and their checksum.
#pragma once

#include "inbox/event.hpp"

namespace rockdove::inbox {

/// Everything of a request but its body, in a form that decode_head() reads back byte for byte. Versioned:
/// the first byte names the form.
std::string encode_head(const StoredRequest& request);

/// Fills all but `body`. Error::malformed for anything that encode_head() of a known version does not write.
Result<StoredRequest> decode_head(std::string_view bytes);

/// Of a head and a body together; tells a record that was half written or has rotted from a whole one.
std::uint64_t checksum(std::string_view head, std::string_view body);

}  // namespace rockdove::inbox
