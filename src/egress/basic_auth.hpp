// User and password as HTTP carries them: the Basic scheme (RFC 7617).
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace rockdove::egress {

struct Credentials {
  std::string user;
  std::string password;  ///< secret
};

/// Reads the value of a Proxy-Authorization field, at most 1024 bytes of it. Error::unauthorized for anything
/// but the Basic scheme with a user and a password.
Result<Credentials> parse_basic(std::string_view value);

}  // namespace rockdove::egress
