// What the log may say of a request: never what could be a secret.
#pragma once

#include <string_view>

namespace rockdove::http {

/// The path of a target, cut to 256 bytes: queries carry tokens and signatures. "-" for what is not a path
/// and might have a user and a password in it. A view into `target`, or static.
constexpr std::string_view loggable(std::string_view target) noexcept {
  const std::string_view path = target.substr(0, target.find_first_of("?#")).substr(0, 256);
  const bool is_path = path.starts_with('/');
  return is_path || path.find('@') == path.npos ? path : "-";
}

}  // namespace rockdove::http
