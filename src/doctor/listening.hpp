// Could a program listen there?
#pragma once

#include "base/host_port.hpp"
#include "net/asio.hpp"

namespace rockdove::doctor {

/// No error: the address and port are free, and this user may have them. Else why not: address_in_use,
/// permission_denied, Error::malformed for what is no address. Binds and lets go again; never listens.
boost::system::error_code try_listening(net::Executor executor, const HostPort& address);

}  // namespace rockdove::doctor
