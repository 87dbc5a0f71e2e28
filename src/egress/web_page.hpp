// Requests that a web page has made its browser send to a proxy port of this machine.
#pragma once

#include "http/message.hpp"

namespace rockdove::egress {

/// True for a request in origin-form ("/name/path") that a browser sent for a page: it has Origin or a
/// Sec-Fetch-Site field, or its Host is a name of the internet that somebody has pointed at this machine (DNS
/// rebinding). Pages can reach ports of the machine they are shown on, programs send none of this. The forms
/// of a proxy's requests cannot be made by a page.
bool is_from_web_page(const http::Request& request);

}  // namespace rockdove::egress
