// Our own signature on what we send: https://www.standardwebhooks.com, "Signature scheme".
#pragma once

#include "http/message.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace rockdove::server {

/// Sets Webhook-Id, -Timestamp and -Signature for `request.content`: one signature for each key, so that keys
/// can be replaced. Keys are decoded.
void sign_webhook(http::Request& request, const std::string& id, const std::vector<std::string>& keys,
                  std::chrono::sys_time<std::chrono::milliseconds> now);

}  // namespace rockdove::server
