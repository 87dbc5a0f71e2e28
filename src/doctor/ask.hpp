// One HTTP question and its whole answer.
#pragma once

#include "base/host_port.hpp"
#include "net/tls.hpp"

#include <string>

namespace rockdove::doctor {

struct Question {
  HostPort address;
  bool tls = false;
  std::string target = "/";
  std::string origin;  ///< the field Origin, if it is not empty: as if a web page asked
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

/// GET, with check_limit for the connection, for the first byte, and for each silence after it. Errors are
/// those of http::Client, body_too_large for more than 16 MiB. An address that means all of this machine's
/// is asked by way of the loopback.
Awaitable<Result<HttpAnswer>> ask(Question question);

}  // namespace rockdove::doctor
