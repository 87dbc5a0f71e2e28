// Events, requests and attempts as the JSON of the admin API. docs/admin-api.md describes the shapes.
#pragma once

#include "inbox/event.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace rockdove::inbox {

/// Bytes that are not UTF-8 become U+FFFD here: lists are for people, to_json(StoredRequest) is exact.
boost::json::object to_json(const Event& event);
/// At most `body_limit` bytes of the body.
boost::json::object to_json(const StoredRequest& request, std::size_t body_limit);
boost::json::object to_json(const Attempt& attempt);

/// At most `limit` of the bytes: {"text":…} if these are UTF-8, without half a character at the end, else
/// {"base64":…}. `bytes` and `truncated` say how many there are and whether some are missing.
boost::json::object bytes_to_json(std::string_view bytes, std::size_t limit);

}  // namespace rockdove::inbox
