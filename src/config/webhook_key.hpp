// The key of a Standard Webhooks signature that we make (https://www.standardwebhooks.com).
#pragma once

#include "config/secret_source.hpp"

#include <string>

namespace rockdove::config {

/// The bytes of a secret in that form: "whsec_" and 24 to 64 bytes in base64. Throws ConfigError, without a
/// word of the secret.
std::string load_webhook_key(const SecretSource& source);

}  // namespace rockdove::config
