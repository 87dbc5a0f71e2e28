// The secret that opens the admin API: DATA/admin-token, one line, for those who may read the file.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace rockdove::server {

/// Where the token of a data directory lies.
std::filesystem::path admin_token_file(const std::filesystem::path& data);

/// True for 32 to 512 letters, digits and "-._~+/=": what a Bearer token is made of (RFC 6750 section 2.1).
bool valid_admin_token(std::string_view token) noexcept;

/// The token; the first call makes the directory (mode 0700) and the file (mode 0600, 32 random bytes as
/// base64url). An operator may bring another valid one in that file.
/// Throws std::runtime_error that says what is wrong with which file.
std::string ensure_admin_token(const std::filesystem::path& data);

/// The token of a server that has been started. Throws std::runtime_error, also if there is none.
std::string read_admin_token(const std::filesystem::path& data);

}  // namespace rockdove::server
