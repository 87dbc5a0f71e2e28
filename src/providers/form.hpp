// Form parameters (application/x-www-form-urlencoded), as queries and some bodies have them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::providers {

struct FormPair {
  std::string name, value;

  auto operator<=>(const FormPair&) const = default;
};

inline constexpr std::size_t form_pairs_max = 1000;

/// All pairs, decoded, in order. Nothing if a '%' is not followed by two hex digits, or for more than
/// form_pairs_max pairs.
std::optional<std::vector<FormPair>> parse_form(std::string_view text);

/// The value of the first pair of that name, or null.
const std::string* find_pair(const std::vector<FormPair>& pairs, std::string_view name);

}  // namespace rockdove::providers
