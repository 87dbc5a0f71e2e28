#include "server/webhook_signature.hpp"

#include "net/crypto.hpp"
#include "net/signing.hpp"

#include <array>
#include <string_view>

namespace rockdove::server {

void sign_webhook(http::Request& request, const std::string& id, const std::vector<std::string>& keys,
                  std::chrono::sys_time<std::chrono::milliseconds> now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const std::string timestamp = std::to_string(seconds);
  const std::array<std::string_view, 5> pieces{id, ".", timestamp, ".", request.content};
  std::string signatures;
  for (const std::string& key : keys)
    signatures +=
        (signatures.empty() ? "v1," : " v1,") + net::base64(net::hmac(net::Digest::sha256, key, pieces));
  request.fields.set("Webhook-Id", id);
  request.fields.set("Webhook-Timestamp", timestamp);
  request.fields.set("Webhook-Signature", signatures);
}

}  // namespace rockdove::server
