// The parts of the program that speak in the log; each may have a level of its own.
#pragma once

#include <array>
#include <string_view>

namespace rockdove::log {

inline constexpr std::array<std::string_view, 8> layers{"agent", "edge", "egress",  "inbox",
                                                        "link",  "net",  "request", "server"};

}  // namespace rockdove::log
