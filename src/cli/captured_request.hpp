// A request that somebody has saved as text: a head as on the wire, an empty line, the body.
#pragma once

#include "http/fields.hpp"

#include <string>
#include <string_view>

namespace rockdove::cli {

struct CapturedRequest {
  std::string method, target;
  http::Fields fields;
  std::string body;
};

/// Lines of the head may end in LF alone, and one line end behind the body that Content-Length does not count
/// is the editor's. Throws std::runtime_error that says what is wrong with `text`.
CapturedRequest parse_captured(std::string_view text);

}  // namespace rockdove::cli
