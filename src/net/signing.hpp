// Keyed digests, signatures and ciphers of other people's protocols, by OpenSSL's libcrypto.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rockdove::net {

/// MD5 (RFC 1321) only for protocols that ask for it: it resists nobody.
enum class Digest { md5, sha1, sha256, sha512 };

/// A message in pieces, one after the other, so that a large one need not be copied together.
using Pieces = std::span<const std::string_view>;

/// 16, 20, 32 or 64 bytes (RFC 1321, FIPS 180-4). Throws std::runtime_error where the system forbids the
/// digest.
std::string digest(Digest algorithm, Pieces pieces);
/// HMAC (RFC 2104), as long as the digest. A key may have any length, also none.
std::string hmac(Digest algorithm, std::string_view key, Pieces pieces);

/// Ed25519 (RFC 8032 section 5.1.7): a key of 32 bytes, a signature of 64. False for other sizes and for a
/// key that is no point.
bool ed25519_verify(std::string_view key, std::string_view message, std::string_view signature);

/// The DER of an RSA public key of at least 1024 bits (SubjectPublicKeyInfo, RFC 5280 section 4.1.2.7) in any
/// form in which providers hand theirs out: PEM of a public key or of a certificate, or the bare base64 of
/// the former, line breaks allowed. Nothing if it is none of these. A certificate's dates and issuer are not
/// looked at: who configures it trusts it.
std::optional<std::string> rsa_public_key(std::string_view text);
/// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2.2). `key` as rsa_public_key() returns it.
bool rsa_sha256_verify(std::string_view key, Pieces message, std::string_view signature);

/// AES-256 in CBC mode (NIST SP 800-38A) without looking at padding. Nothing unless `key` has 32 bytes, `iv`
/// 16 and the data a multiple of 16.
std::optional<std::string> aes_256_cbc_decrypt(std::string_view key, std::string_view iv,
                                               std::string_view data);
std::optional<std::string> aes_256_cbc_encrypt(std::string_view key, std::string_view iv,
                                               std::string_view data);
/// AES in ECB mode (NIST SP 800-38A) with PKCS #7 padding (RFC 5652 section 6.3). Equal blocks stay visible
/// in it, so only for protocols that ask for it. Nothing unless `key` has 16, 24 or 32 bytes.
std::optional<std::string> aes_ecb_encrypt(std::string_view key, std::string_view data);
/// AES-256 in GCM mode (NIST SP 800-38D): `data` ends with a tag of 16 bytes. Nothing if the tag is wrong,
/// `key` has not 32 bytes or `nonce` not 12.
std::optional<std::string> aes_256_gcm_decrypt(std::string_view key, std::string_view nonce,
                                               std::string_view associated, std::string_view data);

}  // namespace rockdove::net
