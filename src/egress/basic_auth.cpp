#include "egress/basic_auth.hpp"

#include "base/text.hpp"
#include "http/fields.hpp"
#include "net/crypto.hpp"

namespace rockdove::egress {
namespace {

constexpr std::string_view scheme = "Basic ";
constexpr std::size_t value_max = 1024;

}  // namespace

Result<Credentials> parse_basic(std::string_view value) {
  if (value.size() > value_max || value.size() < scheme.size()) return Error::unauthorized;
  if (!http::iequals(value.substr(0, scheme.size()), scheme)) return Error::unauthorized;
  const auto text = net::base64_decode(trim(value.substr(scheme.size())));
  if (!text) return Error::unauthorized;
  const auto colon = text->find(':');
  if (colon == text->npos) return Error::unauthorized;
  return Credentials{text->substr(0, colon), text->substr(colon + 1)};
}

}  // namespace rockdove::egress
