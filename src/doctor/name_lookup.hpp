// All addresses of a name, within a time limit.
#pragma once

#include "net/asio.hpp"

#include <string>
#include <vector>

namespace rockdove::doctor {

/// Error::timed_out after `limit`; else what net::Lookups says. A look-up that hangs is left behind.
Awaitable<Result<std::vector<net::Address>>> look_up(std::string host, net::Duration limit);

}  // namespace rockdove::doctor
