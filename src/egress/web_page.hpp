// Requests that a web page has made its browser send to a proxy port of this machine.
#pragma once

#include "http/message.hpp"
#include "net/asio.hpp"

namespace rockdove::egress {

/// True for a request in origin-form ("/name/path") that a browser may have sent for a page: it has Origin,
/// Referer, Sec-Fetch-Site or Sec-Fetch-Dest, or its Host is neither loopback (an address, "localhost") nor
/// the address we listen at. Any name may have been pointed at this machine (DNS rebinding, mDNS, search
/// domains), and for private addresses browsers leave those fields out. Pages can reach ports of the machine
/// they are shown on; they cannot make the forms of a proxy's requests.
bool is_from_web_page(const http::Request& request, const net::Address& listen);

}  // namespace rockdove::egress
