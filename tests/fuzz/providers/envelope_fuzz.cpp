// Sealed bodies: foreign bytes open or do not, whatever the key, and what is sealed opens as what it was.
#include "net/crypto.hpp"
#include "net/signing.hpp"
#include "providers/envelope.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace rockdove;
using namespace rockdove::providers;

constexpr std::string_view wechat_secret = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
constexpr std::string_view pay_secret = "0123456789abcdef0123456789abcdef";

void require(bool holds) {
  if (!holds) std::abort();
}

std::string_view line(std::string_view& rest) {
  const std::string_view found = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(found.size() + 1, rest.size()));
  return found;
}

/// Bytes that stand for a decrypted text, padding and frame included: so the search gets behind the cipher.
void open_inside(std::string_view inside) {
  std::string padded(inside);
  padded.resize(inside.size() / 16 * 16);
  const std::string iv(16, 'i');
  const auto sealed = net::aes_256_cbc_encrypt(net::sha256("key"), iv, padded);
  require(sealed.has_value());
  const auto opened = open_envelope(Envelope::Kind::feishu, "key", net::base64(iv + *sealed), {});
  if (opened) require(padded.starts_with(opened->text) && opened->text.size() < padded.size());

  const auto key = wechat_key(wechat_secret);
  const auto framed = net::aes_256_cbc_encrypt(*key, std::string_view(*key).substr(0, 16), padded);
  const auto message = open_envelope(Envelope::Kind::wechat, wechat_secret, net::base64(*framed), {});
  if (message) require(message->text.size() + message->receiver.size() + 20 < padded.size());
}

void seal_and_open(std::string_view text, std::string_view receiver) {
  const auto sealed = seal_wechat(wechat_secret, text, receiver);
  require(sealed.has_value());
  const auto opened = open_envelope(Envelope::Kind::wechat, wechat_secret, *sealed, {});
  require(opened && opened->text == text && opened->receiver == receiver);
}

}  // namespace

/// A line with a key, a line with a nonce and a receiver, then the ciphertext, or what it holds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view key = line(rest), second = line(rest);
  for (const auto kind :
       {Envelope::Kind::none, Envelope::Kind::feishu, Envelope::Kind::wechat, Envelope::Kind::wechat_pay}) {
    const Beside beside{std::string(second), std::string(key)};
    for (const std::string_view secret : {key, wechat_secret, pay_secret}) {
      const auto opened = open_envelope(kind, secret, rest, beside);
      if (opened) require(kind != Envelope::Kind::none && opened->text.size() <= rest.size());
    }
  }
  open_inside(rest);
  seal_and_open(rest, second);
  if (const auto bytes = wechat_key(key)) require(bytes->size() == 32);
  return 0;
}
