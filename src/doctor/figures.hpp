// Sizes and times for people, who want two digits of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace rockdove::doctor {

/// "512 B", "3.4 GiB": format_size() is exact, and so mostly a long number of bytes.
std::string rounded_size(std::uint64_t bytes);

/// "42 s", "17 min", "5 h", "3 d": the largest unit of which there is at least one.
std::string rounded_time(std::chrono::seconds time);

}  // namespace rockdove::doctor
