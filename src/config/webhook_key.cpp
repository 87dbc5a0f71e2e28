#include "config/webhook_key.hpp"

#include "net/crypto.hpp"

namespace rockdove::config {
namespace {

// Decoded: https://www.standardwebhooks.com, "Symmetric keys".
constexpr std::size_t key_min = 24, key_max = 64;
constexpr std::string_view prefix = "whsec_";

}  // namespace

std::string load_webhook_key(const SecretSource& source) {
  const std::string text = load_secret(source).value_or("");
  const bool has_prefix = text.starts_with(prefix);
  auto key = net::base64_decode(std::string_view(text).substr(has_prefix ? prefix.size() : 0));
  if (!has_prefix || !key || key->size() < key_min || key->size() > key_max)
    throw ConfigError(
        "has to be \"whsec_\" and 24 to 64 random bytes in base64, as `echo whsec_$(openssl rand -base64 "
        "32)` "
        "makes it");
  return std::move(*key);
}

}  // namespace rockdove::config
