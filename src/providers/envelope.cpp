#include "providers/envelope.hpp"

#include "net/crypto.hpp"
#include "net/signing.hpp"
#include "providers/document.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace rockdove::providers {
namespace {

constexpr std::size_t iv_size = 16;
constexpr std::size_t wechat_random = 16;  // bytes in front, then a length of 4
constexpr std::size_t wechat_block = 32;

/// Takes PKCS#7 padding off (RFC 5652 section 6.3), whatever the cipher's own block is.
bool unpad(std::string& text, std::size_t block) {
  if (text.empty()) return false;
  const auto count = static_cast<unsigned char>(text.back());
  if (count == 0 || count > block || count > text.size()) return false;
  unsigned wrong = 0;
  for (std::size_t i = text.size() - count; i < text.size(); ++i)
    wrong |= static_cast<unsigned char>(text[i]) ^ count;
  text.resize(text.size() - count);
  return wrong == 0;
}

Result<Opened> open_feishu(std::string_view secret, std::string_view blob) {
  if (blob.size() < 2 * iv_size) return Error::malformed;
  auto text = net::aes_256_cbc_decrypt(net::sha256(secret), blob.substr(0, iv_size), blob.substr(iv_size));
  if (!text || !unpad(*text, iv_size)) return Error::malformed;
  return Opened{std::move(*text), {}};
}

Result<Opened> open_wechat(std::string_view secret, std::string_view blob) {
  const auto key = wechat_key(secret);
  if (!key) return Error::malformed;
  auto frame = net::aes_256_cbc_decrypt(*key, std::string_view(*key).substr(0, iv_size), blob);
  constexpr std::size_t head = wechat_random + 4;
  if (!frame || !unpad(*frame, wechat_block) || frame->size() < head) return Error::malformed;
  std::uint32_t size = 0;
  for (std::size_t i = wechat_random; i < head; ++i)
    size = size << 8 | static_cast<unsigned char>((*frame)[i]);
  if (size > frame->size() - head) return Error::malformed;
  return Opened{frame->substr(head, size), frame->substr(head + size)};
}

Result<Opened> open_wechat_pay(std::string_view secret, std::string_view blob, const Beside& beside) {
  auto text = net::aes_256_gcm_decrypt(secret, beside.nonce, beside.associated, blob);
  if (!text) return Error::malformed;
  return Opened{std::move(*text), {}};
}

}  // namespace

std::optional<std::string> wechat_key(std::string_view secret) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (secret.size() != 43) return std::nullopt;
  // 43 letters have two bits more than 32 bytes; providers draw the letters at random and set them.
  std::string text(secret);
  const auto last = alphabet.find(text.back());
  if (last == alphabet.npos) return std::nullopt;
  text.back() = alphabet[last & ~std::size_t{3}];
  return net::base64_decode(text + "=");
}

Result<Opened> open_envelope(Envelope::Kind kind, std::string_view secret, std::string_view ciphertext,
                             const Beside& beside) {
  if (ciphertext.size() > document_bytes_max) return Error::malformed;
  const auto blob = net::base64_decode(ciphertext);
  if (!blob) return Error::malformed;
  switch (kind) {
    case Envelope::Kind::feishu: return open_feishu(secret, *blob);
    case Envelope::Kind::wechat: return open_wechat(secret, *blob);
    case Envelope::Kind::wechat_pay: return open_wechat_pay(secret, *blob, beside);
    case Envelope::Kind::none: break;
  }
  return Error::malformed;
}

Result<std::string> seal_wechat(std::string_view secret, std::string_view text, std::string_view receiver) {
  const auto key = wechat_key(secret);
  if (!key) return Error::malformed;
  std::string frame = net::random_bytes(wechat_random);
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(text.size() >> shift & 0xFF);
  frame.append(text).append(receiver);
  const std::size_t padding = wechat_block - frame.size() % wechat_block;
  frame.append(padding, static_cast<char>(padding));
  const auto blob = net::aes_256_cbc_encrypt(*key, std::string_view(*key).substr(0, iv_size), frame);
  if (!blob) return Error::malformed;
  return net::base64(*blob);
}

std::string sign_wechat(std::string_view token, std::string_view timestamp, std::string_view nonce,
                        std::string_view ciphertext) {
  std::array<std::string_view, 4> parts{token, timestamp, nonce, ciphertext};
  std::sort(parts.begin(), parts.end());
  return net::hex(net::digest(net::Digest::sha1, parts));
}

}  // namespace rockdove::providers
