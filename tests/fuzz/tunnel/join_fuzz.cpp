// A pasted join string gives a valid JoinInfo that encodes and decodes to itself, or a message; and its
// contents, wrapped with a right checksum, are judged as strictly.
#include "net/crypto.hpp"
#include "tunnel/join.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace rockdove::tunnel;

void check(bool holds) {
  if (!holds) std::abort();
}

void judge(std::string_view pasted) {
  const auto result = decode_join(pasted);
  if (const auto* error = std::get_if<JoinError>(&result)) {
    check(!error->message.empty() && error->message.size() < 200);
    return;
  }
  const auto& info = std::get<JoinInfo>(result);
  check(is_valid(info));
  const std::string text = encode_join(info);
  check(text.size() <= join_string_max);
  const auto again = decode_join(text);
  check(std::holds_alternative<JoinInfo>(again) && std::get<JoinInfo>(again) == info);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  judge(input);
  const std::string encoded = rockdove::net::base64url(input);
  judge("rockdove1." + encoded + "." + rockdove::net::hex(rockdove::net::sha256(encoded)).substr(0, 8));
  return 0;
}
