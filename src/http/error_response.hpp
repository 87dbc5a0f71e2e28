// What a caller is told when there is no answer from the upstream: the one place that maps an error
// to a status.
#pragma once

#include "http/message.hpp"

namespace rockdove::http {

/// A JSON answer `{"error":{"hop","cause","message","request_id"}}` that names the hop at which the request
/// failed, and Retry-After with a 503.
Response error_response(boost::system::error_code error, std::string_view request_id);

/// The status of error_response().
int status_of(boost::system::error_code error) noexcept;

}  // namespace rockdove::http
