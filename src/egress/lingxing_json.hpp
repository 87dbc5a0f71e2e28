// The JSON body of a Lingxing call, brought into the one form in which it is both signed and sent.
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rockdove::egress {

/// One of the values that a sign covers: a parameter of the query, or a top-level member of the body.
struct LingxingParameter {
  std::string name;
  std::string value;  ///< as it takes part in the sign

  auto operator<=>(const LingxingParameter&) const = default;
};

struct LingxingBody {
  /// What is to be sent: no spaces, members of every object in the order of their names' bytes, strings in
  /// UTF-8 with no escapes but the necessary ones, numbers digit by digit as they came.
  std::string text;
  /// The members: strings as they are, objects and arrays as in `text`, null as "null".
  std::vector<LingxingParameter> parameters;
};

/// Containers inside each other, the body itself included.
inline constexpr std::size_t lingxing_depth_max = 32;
/// Members of the body; with those of the query, parameters of a call. Each is sorted, checked and signed.
inline constexpr std::size_t lingxing_parameters_max = 500;
/// Values of all kinds in one body: what each costs is many times its bytes.
inline constexpr std::size_t lingxing_values_max = 50'000;

/// Error::malformed unless `body` is one JSON object (RFC 8259) in UTF-8, at most lingxing_depth_max deep
/// and with no more values and members than the limits above say, in which no object has two members of one
/// name: Lingxing would see one of them, and nobody can say which.
Result<LingxingBody> parse_lingxing_body(std::string_view body);

}  // namespace rockdove::egress
