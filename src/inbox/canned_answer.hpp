// An answer of our own as the caller gets it.
#pragma once

#include "http/message.hpp"
#include "inbox/route_options.hpp"

namespace rockdove::inbox {

/// Without a body where its status has none (204), without a type where that is empty.
http::Response make_response(CannedAnswer answer);

}  // namespace rockdove::inbox
