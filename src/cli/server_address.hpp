// What this machine looks like from outside, as far as it can tell by itself.
#pragma once

#include <string>

namespace rockdove::cli {

struct GuessedAddress {
  std::string host;
  bool is_private = false;  ///< loopback, link-local, or of a private network (RFC 1918, RFC 6598)
};

/// The address that packets to the internet leave from. Sends none. Without a route it is 127.0.0.1.
GuessedAddress guess_server_address();

}  // namespace rockdove::cli
