// Asks a running server's admin address one question.
#pragma once

#include "base/host_port.hpp"

#include <string>

namespace rockdove::cli {

/// The body of the answer to GET `target`. Blocks for at most 5 s. Throws std::runtime_error that says
/// what to do if nobody answers, or not with 200.
std::string admin_get(HostPort admin, const std::string& target);

}  // namespace rockdove::cli
