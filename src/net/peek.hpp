// What the kernel knows of a connection without a read or a write.
#pragma once

#include "net/asio.hpp"

namespace rockdove::net {

/// A read would not wait: bytes, the other end's goodbye or an error are here already, whether or not the
/// loop has come to them.
bool is_readable(TcpSocket& socket);

/// Bytes that were written and that the other end's system has not acknowledged; 0 where that cannot be told.
/// A reset leaves the number as it was.
std::size_t unacknowledged(TcpSocket& socket);

}  // namespace rockdove::net
