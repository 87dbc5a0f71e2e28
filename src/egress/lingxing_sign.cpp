#include "egress/lingxing_sign.hpp"

#include "base/percent.hpp"
#include "net/crypto.hpp"
#include "net/signing.hpp"

#include <algorithm>
#include <cassert>

namespace rockdove::egress {
namespace {

std::string timestamp_of(const LingxingCommon& common) {
  return std::to_string(common.time.time_since_epoch().count());
}

std::string upper_hex(std::string_view bytes) {
  std::string text = net::hex(bytes);
  for (char& c : text)
    if (c >= 'a') c = static_cast<char>(c - 32);
  return text;
}

}  // namespace

bool is_lingxing_app_id(std::string_view app_id) noexcept {
  return app_id.size() == 16 || app_id.size() == 24 || app_id.size() == 32;
}

std::string lingxing_signed_text(std::vector<LingxingParameter> parameters, const LingxingCommon& common) {
  parameters.push_back({"access_token", std::string(common.access_token)});
  parameters.push_back({"app_key", std::string(common.app_id)});
  parameters.push_back({"timestamp", timestamp_of(common)});
  std::erase_if(parameters, [](const LingxingParameter& each) { return each.value.empty(); });
  std::ranges::sort(parameters);
  std::string text;
  for (const LingxingParameter& each : parameters) {
    if (!text.empty()) text += '&';
    text.append(each.name).append("=").append(each.value);
  }
  return text;
}

std::string lingxing_sign(std::string_view app_id, std::string_view signed_text) {
  const std::string_view pieces[] = {signed_text};
  const auto sealed = net::aes_ecb_encrypt(app_id, upper_hex(net::digest(net::Digest::md5, pieces)));
  assert(sealed && "the appId was checked");
  return net::base64(*sealed);
}

std::string lingxing_common_query(const std::vector<LingxingParameter>& parameters,
                                  const LingxingCommon& common) {
  const std::string sign = lingxing_sign(common.app_id, lingxing_signed_text(parameters, common));
  return "access_token=" + percent_encode(common.access_token) + "&app_key=" + percent_encode(common.app_id) +
         "&sign=" + percent_encode(sign) + "&timestamp=" + timestamp_of(common);
}

bool is_lingxing_common(std::string_view name) noexcept {
  return name == "access_token" || name == "app_key" || name == "sign" || name == "timestamp";
}

}  // namespace rockdove::egress
