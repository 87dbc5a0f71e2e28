// Digests, random bytes and their text forms, by OpenSSL's libcrypto.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rockdove::net {

/// 32 bytes (FIPS 180-4).
std::string sha256(std::string_view bytes);
/// 20 bytes; only for protocols that ask for it (RFC 6455).
std::string sha1(std::string_view bytes);
/// `count` unpredictable bytes from the system. Throws std::runtime_error if the system has none.
std::string random_bytes(std::size_t count);
/// 32 unpredictable bits, drawn from a buffered pool: cheap enough for every frame.
std::uint32_t random_u32();
/// A random identifier of 2 * `bytes` lower-case hex digits, from the same pool as random_u32().
std::string random_hex(std::size_t bytes);

std::string hex(std::string_view bytes);
/// Standard alphabet with padding (RFC 4648 section 4).
std::string base64(std::string_view bytes);
/// URL-safe alphabet without padding (RFC 4648 section 5).
std::string base64url(std::string_view bytes);
/// Strict: nothing for a byte outside the alphabet, wrong length, or set bits past the end.
std::optional<std::string> base64url_decode(std::string_view text);
/// Strict in the same way: standard alphabet, padded.
std::optional<std::string> base64_decode(std::string_view text);
/// An even number of hex digits in either case; nothing for anything else.
std::optional<std::string> hex_decode(std::string_view text);

/// Compares in time that depends on the sizes alone.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace rockdove::net
