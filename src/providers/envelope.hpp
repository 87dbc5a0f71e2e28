// Bodies that come encrypted, and answers that have to go so.
#pragma once

#include "base/error.hpp"
#include "providers/scheme.hpp"

#include <string>
#include <string_view>

namespace rockdove::providers {

struct Opened {
  std::string text;
  std::string receiver;  ///< of wechat: the id of the company or app that it was sealed for
};

/// What stands beside a wechat_pay ciphertext.
struct Beside {
  std::string nonce, associated;
};

/// Decrypts base64 with one secret. Error::malformed for whatever does not come out as sealed by its
/// provider; the error says no more, since each detail would help somebody without the key.
Result<Opened> open_envelope(Envelope::Kind kind, std::string_view secret, std::string_view ciphertext,
                             const Beside& beside);

/// What a wechat secret is the text of: 32 bytes. Nothing unless it has 43 letters of base64.
std::optional<std::string> wechat_key(std::string_view secret);

/// Encrypts `text` for `receiver` as wechat does, with 16 random bytes in front; base64.
/// Error::malformed if the secret is no key.
Result<std::string> seal_wechat(std::string_view secret, std::string_view text, std::string_view receiver);
/// The signature beside it: hex SHA-1 of the four, sorted.
std::string sign_wechat(std::string_view token, std::string_view timestamp, std::string_view nonce,
                        std::string_view ciphertext);

}  // namespace rockdove::providers
