// How a call of the Lingxing OpenAPI is signed (apidoc.lingxing.com, "newInstructions", section 4.1).
#pragma once

#include "egress/lingxing_json.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::egress {

/// An appId is the key of an AES cipher: 16, 24 or 32 bytes.
bool is_lingxing_app_id(std::string_view app_id) noexcept;

/// The parameters of every call, beside its own.
struct LingxingCommon {
  std::string_view app_id;        ///< is_lingxing_app_id()
  std::string_view access_token;  ///< secret
  std::chrono::sys_seconds time;  ///< Lingxing takes the sign for two minutes from then on
};

/// What is signed: all parameters in the order of their names' bytes, "name=value" joined by "&", nothing
/// escaped. A parameter with the empty string for its value takes no part, as the documentation demands; null
/// does, as "null". Secret: it has the token.
std::string lingxing_signed_text(std::vector<LingxingParameter> parameters, const LingxingCommon& common);

/// Base64 of AES-ECB(key: appId, upper-case hex of MD5(text)): 64 characters, of which the last 21 depend on
/// the appId alone. Whoever knows the appId can make it: it proves no secret but the token in the text.
std::string lingxing_sign(std::string_view app_id, std::string_view signed_text);

/// "access_token=…&app_key=…&sign=…&timestamp=…", percent-encoded: what a query needs beside the
/// `parameters`. Secret.
std::string lingxing_common_query(const std::vector<LingxingParameter>& parameters,
                                  const LingxingCommon& common);

/// True for a name that lingxing_common_query() sets, so that no caller may.
bool is_lingxing_common(std::string_view name) noexcept;

}  // namespace rockdove::egress
