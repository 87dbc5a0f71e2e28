// What a caller is told when there is no answer from the upstream: the one place that maps an error
// to a status.
#pragma once

#include "http/message.hpp"

namespace rockdove::http {

/// A JSON answer `{"error":{"hop","cause","message","request_id"}}` that names the hop at which the request
/// failed, and Retry-After with a 503 or 429. `trace_id` is added as another member if it is not empty.
Response error_response(boost::system::error_code error, std::string_view request_id,
                        std::string_view trace_id = {});

/// The same for a failure that only an API of this program has: `cause` is its name, `message` says what to
/// do. The hop is "edge".
Response error_response(int status, std::string_view cause, std::string_view message,
                        std::string_view request_id);

/// The status of error_response(error, …).
int status_of(boost::system::error_code error) noexcept;

}  // namespace rockdove::http
