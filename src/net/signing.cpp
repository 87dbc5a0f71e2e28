#include "net/signing.hpp"

#include "net/crypto.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <limits>
#include <memory>
#include <stdexcept>

namespace rockdove::net {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Freed<Free>>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

constexpr int rsa_bits_min = 1024;
constexpr std::size_t key_text_max = 64 * 1024;
constexpr std::size_t tag_size = 16;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

[[noreturn]] void fail() {
  throw std::runtime_error("the system's libcrypto cannot compute a digest");
}

/// What a peer's bytes made OpenSSL complain of must not be found by the next caller who looks.
struct ErrorsForgotten {
  ~ErrorsForgotten() { ERR_clear_error(); }
};

// Algorithms are fetched once: EVP_sha256() and its like search for theirs at every use, under a lock.
const EVP_MD* fetched(const char* name) {
  const EVP_MD* algorithm = EVP_MD_fetch(nullptr, name, nullptr);
  if (!algorithm) fail();
  return algorithm;
}

/// `Which` makes one static of each: a system that has no MD5 has the others.
template <Digest Which>
const EVP_MD* fetched_once(const char* name) {
  static const EVP_MD* const algorithm = fetched(name);
  return algorithm;
}

const EVP_MD* algorithm_of(Digest digest) {
  switch (digest) {
    case Digest::md5: return fetched_once<Digest::md5>("MD5");
    case Digest::sha1: return fetched_once<Digest::sha1>("SHA1");
    case Digest::sha256: return fetched_once<Digest::sha256>("SHA2-256");
    case Digest::sha512: return fetched_once<Digest::sha512>("SHA2-512");
  }
  fail();
}

const EVP_CIPHER* fetched_cipher(const char* name) {
  const EVP_CIPHER* algorithm = EVP_CIPHER_fetch(nullptr, name, nullptr);
  if (!algorithm) throw std::runtime_error(std::string("the system's libcrypto has no ") + name);
  return algorithm;
}

using MacContext = Owned<EVP_MAC_CTX, EVP_MAC_CTX_free>;

/// HMAC that has its digest and no key yet: a copy of it need not search for the digest.
MacContext make_keyless(Digest digest) {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  MacContext context(algorithm ? EVP_MAC_CTX_new(algorithm) : nullptr);
  const char* name = EVP_MD_get0_name(algorithm_of(digest));
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(name), 0),
      OSSL_PARAM_construct_end()};
  if (!context || EVP_MAC_CTX_set_params(context.get(), parameters) != 1) fail();
  return context;
}

template <Digest Which>
MacContext copy_of_keyless() {
  static const MacContext keyless = make_keyless(Which);
  return MacContext(EVP_MAC_CTX_dup(keyless.get()));
}

MacContext hmac_context(Digest digest) {
  switch (digest) {
    case Digest::md5: return copy_of_keyless<Digest::md5>();
    case Digest::sha1: return copy_of_keyless<Digest::sha1>();
    case Digest::sha256: return copy_of_keyless<Digest::sha256>();
    case Digest::sha512: return copy_of_keyless<Digest::sha512>();
  }
  fail();
}

/// Neither ciphers nor keys are near 2 GiB, but OpenSSL counts in int.
bool fits_int(std::string_view data) {
  return data.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()) - EVP_MAX_BLOCK_LENGTH;
}

std::optional<std::string> run_cbc(bool encrypt, std::string_view key, std::string_view iv,
                                   std::string_view data) {
  if (key.size() != 32 || iv.size() != 16 || data.size() % 16 != 0 || !fits_int(data)) return std::nullopt;
  static const EVP_CIPHER* const algorithm = fetched_cipher("AES-256-CBC");
  const ErrorsForgotten forgotten;
  const CipherContext context(EVP_CIPHER_CTX_new());
  std::string result(data.size() + EVP_MAX_BLOCK_LENGTH, '\0');
  int size = 0, rest = 0;
  const bool ok =
      context &&
      EVP_CipherInit_ex2(context.get(), algorithm, bytes_of(key), bytes_of(iv), encrypt, nullptr) == 1 &&
      EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 &&
      EVP_CipherUpdate(context.get(), bytes_of(result), &size, bytes_of(data),
                       static_cast<int>(data.size())) == 1 &&
      EVP_CipherFinal_ex(context.get(), bytes_of(result) + size, &rest) == 1;
  if (!ok) return std::nullopt;
  result.resize(static_cast<std::size_t>(size + rest));
  return result;
}

const EVP_CIPHER* ecb_cipher_for(std::string_view key) {
  switch (key.size()) {
    case 16: return EVP_aes_128_ecb();
    case 24: return EVP_aes_192_ecb();
    case 32: return EVP_aes_256_ecb();
    default: return nullptr;
  }
}

Key parse_spki(std::string_view der) {
  const unsigned char* at = bytes_of(der);
  Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  return at == bytes_of(der) + der.size() ? std::move(key) : nullptr;
}

Key parse_public_key(std::string_view text) {
  const Owned<BIO, BIO_free_all> memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!memory) return nullptr;
  if (text.find("-----BEGIN CERTIFICATE-----") != text.npos) {
    const Owned<X509, X509_free> certificate(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
    return Key(certificate ? X509_get_pubkey(certificate.get()) : nullptr);
  }
  if (text.find("-----BEGIN") != text.npos)
    return Key(PEM_read_bio_PUBKEY(memory.get(), nullptr, nullptr, nullptr));
  std::string bare;
  for (const char c : text)
    if (c != '\r' && c != '\n' && c != ' ') bare += c;
  const auto der = base64_decode(bare);
  return der ? parse_spki(*der) : nullptr;
}

}  // namespace

std::string digest(Digest algorithm, Pieces pieces) {
  const DigestContext context(EVP_MD_CTX_new());
  std::array<unsigned char, EVP_MAX_MD_SIZE> result{};
  unsigned size = 0;
  bool ok = context && EVP_DigestInit_ex2(context.get(), algorithm_of(algorithm), nullptr) == 1;
  for (const std::string_view piece : pieces)
    ok = ok && EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1;
  if (!ok || EVP_DigestFinal_ex(context.get(), result.data(), &size) != 1) fail();
  return std::string(reinterpret_cast<const char*>(result.data()), size);
}

std::string hmac(Digest algorithm, std::string_view key, Pieces pieces) {
  const MacContext context = hmac_context(algorithm);
  // A null key would mean "the one before" to OpenSSL, not an empty one.
  const unsigned char* key_bytes = key.empty() ? bytes_of("") : bytes_of(key);
  std::array<unsigned char, EVP_MAX_MD_SIZE> result{};
  std::size_t size = 0;
  bool ok = context && EVP_MAC_init(context.get(), key_bytes, key.size(), nullptr) == 1;
  for (const std::string_view piece : pieces)
    ok = ok && (piece.empty() || EVP_MAC_update(context.get(), bytes_of(piece), piece.size()) == 1);
  if (!ok || EVP_MAC_final(context.get(), result.data(), &size, result.size()) != 1) fail();
  return std::string(reinterpret_cast<const char*>(result.data()), size);
}

bool ed25519_verify(std::string_view key, std::string_view message, std::string_view signature) {
  if (key.size() != 32 || signature.size() != 64) return false;
  const ErrorsForgotten forgotten;
  const Key parsed(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(key), key.size()));
  const DigestContext context(EVP_MD_CTX_new());
  return parsed && context &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, parsed.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message),
                          message.size()) == 1;
}

std::optional<std::string> rsa_public_key(std::string_view text) {
  if (text.size() > key_text_max) return std::nullopt;
  const ErrorsForgotten forgotten;
  const Key key = parse_public_key(text);
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return std::nullopt;
  if (EVP_PKEY_get_bits(key.get()) < rsa_bits_min) return std::nullopt;
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  if (size <= 0) return std::nullopt;
  std::string result(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return result;
}

bool rsa_sha256_verify(std::string_view key, Pieces message, std::string_view signature) {
  const ErrorsForgotten forgotten;
  const Key parsed = parse_spki(key);
  const DigestContext context(EVP_MD_CTX_new());
  bool ok =
      parsed && EVP_PKEY_get_base_id(parsed.get()) == EVP_PKEY_RSA && context &&
      EVP_DigestVerifyInit(context.get(), nullptr, algorithm_of(Digest::sha256), nullptr, parsed.get()) == 1;
  for (const std::string_view piece : message)
    ok = ok && EVP_DigestVerifyUpdate(context.get(), piece.data(), piece.size()) == 1;
  return ok && EVP_DigestVerifyFinal(context.get(), bytes_of(signature), signature.size()) == 1;
}

std::optional<std::string> aes_256_cbc_decrypt(std::string_view key, std::string_view iv,
                                               std::string_view data) {
  return run_cbc(false, key, iv, data);
}

std::optional<std::string> aes_256_cbc_encrypt(std::string_view key, std::string_view iv,
                                               std::string_view data) {
  return run_cbc(true, key, iv, data);
}

std::optional<std::string> aes_ecb_encrypt(std::string_view key, std::string_view data) {
  const EVP_CIPHER* cipher = ecb_cipher_for(key);
  if (!cipher || !fits_int(data)) return std::nullopt;
  const ErrorsForgotten forgotten;
  const CipherContext context(EVP_CIPHER_CTX_new());
  std::string result(data.size() + EVP_MAX_BLOCK_LENGTH, '\0');
  int size = 0, rest = 0;
  const bool ok = context &&
                  EVP_EncryptInit_ex2(context.get(), cipher, bytes_of(key), nullptr, nullptr) == 1 &&
                  (data.empty() || EVP_EncryptUpdate(context.get(), bytes_of(result), &size, bytes_of(data),
                                                     static_cast<int>(data.size())) == 1) &&
                  EVP_EncryptFinal_ex(context.get(), bytes_of(result) + size, &rest) == 1;
  if (!ok) return std::nullopt;
  result.resize(static_cast<std::size_t>(size + rest));
  return result;
}

std::optional<std::string> aes_256_gcm_decrypt(std::string_view key, std::string_view nonce,
                                               std::string_view associated, std::string_view data) {
  if (key.size() != 32 || nonce.size() != 12 || data.size() < tag_size) return std::nullopt;
  if (!fits_int(data) || !fits_int(associated)) return std::nullopt;
  const ErrorsForgotten forgotten;
  static const EVP_CIPHER* const algorithm = fetched_cipher("AES-256-GCM");
  const CipherContext context(EVP_CIPHER_CTX_new());
  const std::string_view text = data.substr(0, data.size() - tag_size);
  std::string tag(data.substr(text.size()));
  std::string result(text.size(), '\0');
  int size = 0;
  unsigned char none = 0;  // a place for a final block that GCM never writes
  const bool ok =
      context &&
      EVP_DecryptInit_ex2(context.get(), algorithm, bytes_of(key), bytes_of(nonce), nullptr) == 1 &&
      // Nothing to add must not be added: without an input, GCM would take the call for the final one.
      (associated.empty() || EVP_DecryptUpdate(context.get(), nullptr, &size, bytes_of(associated),
                                               static_cast<int>(associated.size())) == 1) &&
      (text.empty() || EVP_DecryptUpdate(context.get(), bytes_of(result), &size, bytes_of(text),
                                         static_cast<int>(text.size())) == 1) &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, bytes_of(tag)) == 1 &&
      EVP_DecryptFinal_ex(context.get(), &none, &size) == 1;
  if (!ok) return std::nullopt;
  return result;
}

}  // namespace rockdove::net
