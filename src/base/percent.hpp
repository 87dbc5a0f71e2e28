// Percent-encoding (RFC 3986 section 2.1): how any bytes stand in a URL.
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace rockdove {

/// The bytes that `text` stands for. Error::malformed for a '%' without two hex digits behind it.
Result<std::string> percent_decode(std::string_view text);

/// The same for a key or a value of a query, where programs write a space as '+'.
Result<std::string> query_decode(std::string_view text);

/// All bytes but the unreserved ones (letters, digits, "-._~") as %XX: fit for a path segment and a query.
std::string percent_encode(std::string_view bytes);

}  // namespace rockdove
