#include "net/crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <stdexcept>

namespace rockdove::net {
namespace {

constexpr std::string_view standard_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

[[noreturn]] void fail_digest() {
  throw std::runtime_error("the system's libcrypto cannot compute a digest");
}

std::string digest(const EVP_MD* algorithm, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> result{};
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), result.data(), &size, algorithm, nullptr) != 1) fail_digest();
  return std::string(reinterpret_cast<const char*>(result.data()), size);
}

/// Fetched once: an implicit fetch at every digest costs more than digesting a short text.
const EVP_MD* fetched(const char* name) {
  const EVP_MD* algorithm = EVP_MD_fetch(nullptr, name, nullptr);
  if (!algorithm) throw std::runtime_error(std::string("the system's libcrypto has no ") + name);
  return algorithm;
}

const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = fetched("SHA2-256");
  return algorithm;
}

void fill(unsigned char* to, std::size_t count) {
  // OpenSSL counts in int.
  while (count > 0) {
    const auto piece = std::min<std::size_t>(count, std::numeric_limits<int>::max());
    if (RAND_bytes(to, static_cast<int>(piece)) != 1)
      throw std::runtime_error("the system has no random bytes");
    to += piece;
    count -= piece;
  }
}

/// One call of the generator costs about the same for 4 bytes as for hundreds.
class RandomPool {
 public:
  void take(void* to, std::size_t count) {
    if (count > bytes_.size()) return fill(static_cast<unsigned char*>(to), count);
    if (bytes_.size() - used_ < count) {
      fill(bytes_.data(), bytes_.size());
      used_ = 0;
    }
    std::memcpy(to, bytes_.data() + used_, count);
    used_ += count;
  }

 private:
  std::array<unsigned char, 4096> bytes_{};
  std::size_t used_ = bytes_.size();
};

RandomPool& pool() {
  thread_local RandomPool instance;
  return instance;
}

std::string encode(std::string_view bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  int held = 0;  // how many of the low bits of `bits` are not written yet
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
    for (held += 8; held >= 6; held -= 6) text += alphabet[bits >> (held - 6) & 63];
  }
  if (held > 0) text += alphabet[bits << (6 - held) & 63];
  return text;
}

using Values = std::array<signed char, 256>;  // of each byte; -1: not of the alphabet

constexpr Values make_values(std::string_view alphabet) {
  Values values{};
  for (auto& value : values) value = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<signed char>(i);
  return values;
}

/// Decodes text without padding.
std::optional<std::string> decode(std::string_view text, const Values& values) {
  constexpr std::uint32_t not_a_letter = 0x80000000;  // of -1 and of no value
  if (text.size() % 4 == 1) return std::nullopt;
  const auto value_at = [&](std::size_t at) {
    return static_cast<std::uint32_t>(values[static_cast<unsigned char>(text[at])]);
  };
  // Four letters at a time, and one look at the end: encrypted webhooks have thousands of them.
  std::string bytes(text.size() * 3 / 4, '\0');
  std::uint32_t wrong = 0;
  std::size_t from = 0, to = 0;
  for (; from + 4 <= text.size(); from += 4, to += 3) {
    const std::uint32_t a = value_at(from), b = value_at(from + 1), c = value_at(from + 2),
                        d = value_at(from + 3);
    wrong |= a | b | c | d;
    bytes[to] = static_cast<char>(a << 2 | b >> 4);
    bytes[to + 1] = static_cast<char>(b << 4 | c >> 2);
    bytes[to + 2] = static_cast<char>(c << 6 | d);
  }
  std::uint32_t bits = 0;
  int held = 0;
  for (; from < text.size(); ++from) {
    const std::uint32_t value = value_at(from);
    wrong |= value;
    bits = bits << 6 | (value & 63);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[to++] = static_cast<char>(bits >> held & 255);
  }
  // Two texts must not stand for the same bytes: what is compared as text is compared as bytes.
  if ((wrong & not_a_letter) != 0 || (bits & ((1U << held) - 1)) != 0) return std::nullopt;
  return bytes;
}

constexpr auto hex_pairs = [] {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t byte = 0; byte < pairs.size(); ++byte)
    pairs[byte] = {digits[byte >> 4], digits[byte & 15]};
  return pairs;
}();

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

std::string sha256(std::string_view bytes) {
  return digest(sha256_algorithm(), bytes);
}

std::string sha1(std::string_view bytes) {
  static const EVP_MD* const algorithm = fetched("SHA1");
  return digest(algorithm, bytes);
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  fill(reinterpret_cast<unsigned char*>(bytes.data()), count);
  return bytes;
}

std::uint32_t random_u32() {
  std::uint32_t value = 0;
  pool().take(&value, sizeof value);
  return value;
}

std::string random_hex(std::size_t bytes) {
  std::string drawn(bytes, '\0');
  pool().take(drawn.data(), bytes);
  return hex(drawn);
}

std::string hex(std::string_view bytes) {
  std::string text(bytes.size() * 2, '\0');
  char* out = text.data();
  for (const char byte : bytes) {
    std::memcpy(out, hex_pairs[static_cast<unsigned char>(byte)].data(), 2);
    out += 2;
  }
  return text;
}

std::string base64(std::string_view bytes) {
  std::string text = encode(bytes, standard_alphabet);
  text.resize((text.size() + 3) / 4 * 4, '=');
  return text;
}

std::string base64url(std::string_view bytes) {
  return encode(bytes, url_alphabet);
}

std::optional<std::string> base64url_decode(std::string_view text) {
  static constexpr auto values = make_values(url_alphabet);
  return decode(text, values);
}

std::optional<std::string> base64_decode(std::string_view text) {
  static constexpr auto values = make_values(standard_alphabet);
  if (text.size() % 4 != 0) return std::nullopt;
  for (int padding = 0; padding < 2 && !text.empty() && text.back() == '='; ++padding) text.remove_suffix(1);
  return decode(text, values);
}

std::optional<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]), low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace rockdove::net
