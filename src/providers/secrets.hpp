// A route's secrets by name; several of one name while one is replaced by the next.
#pragma once

#include "providers/scheme.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rockdove::providers {

class Secrets {
 public:
  /// At most secrets_max of one name are of use: see problem_with().
  void add(std::string name, std::string value);
  /// In the order they were added; empty if there is none.
  const std::vector<std::string>& values(std::string_view name) const;
  bool has(std::string_view name) const { return !values(name).empty(); }
  bool empty() const { return named_.empty(); }
  const std::vector<std::pair<std::string, std::vector<std::string>>>& all() const { return named_; }

 private:
  std::vector<std::pair<std::string, std::vector<std::string>>> named_;
};

inline constexpr std::size_t secrets_max = 8;

/// Why these secrets cannot be used with the scheme: a name it does not know, an empty value, one that does
/// not decode to a key, too many of a name. Never quotes a secret. Nothing if they are fine. For the start of
/// the program: what passes here, verify() does not call bad.
std::optional<std::string> problem_with(const Scheme& scheme, const Secrets& secrets);

/// The key that `secret` stands for, or nothing if it does not decode.
std::optional<std::string> decode_key(const Check& check, std::string_view secret);

}  // namespace rockdove::providers
