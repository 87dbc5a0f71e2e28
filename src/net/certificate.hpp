// What a certificate says of itself.
#pragma once

#include <chrono>
#include <filesystem>

namespace rockdove::net {

/// The notAfter (RFC 5280 section 4.1.2.5) of the first certificate in the PEM file. Throws
/// std::runtime_error that names the file.
std::chrono::sys_seconds certificate_end(const std::filesystem::path& certificate);

}  // namespace rockdove::net
