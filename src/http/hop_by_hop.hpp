// The fields that belong to one connection and never travel on (RFC 9110 section 7.6.1).
#pragma once

#include "http/fields.hpp"

namespace rockdove::http {

/// Removes Connection and every field it names, Keep-Alive, Proxy-Connection, Transfer-Encoding,
/// Upgrade, and TE but for `trailers`. A Connection field that names Content-Length, Host or another field
/// without which the message would mean something else is not obeyed for that name.
void remove_hop_by_hop(Fields& fields);

}  // namespace rockdove::http
