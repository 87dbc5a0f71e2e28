// All schemes by name: those that the program comes with, and the operator's own.
#pragma once

#include "providers/scheme.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::providers {

/// The table that the program comes with: TOML, as in providers.toml, which is where to read it.
std::string_view builtin_toml() noexcept;

inline constexpr std::size_t schemes_max = 256;

class Catalog {
 public:
  /// Adds a scheme, or replaces the one of its name: an operator may know better than the program.
  void set(Scheme scheme);
  /// Null if there is none. Valid until the next set().
  const Scheme* find(std::string_view name) const;
  /// In the order they came.
  const std::vector<Scheme>& all() const { return schemes_; }

 private:
  std::vector<Scheme> schemes_;
};

/// What makes the scheme of no use, in one line: a check without a signature, parts that need a timestamp
/// which the check does not have, a challenge that nothing recognises … Nothing if it is sound.
struct Problem {
  std::string key;      ///< of the table it is about
  std::string message;  ///< what is wrong and what to do
};
std::optional<Problem> problem_with(const Check& check);

/// True if the check covers what stands in such a hole, so that nobody else can choose it.
bool signs(const Check& check, Part::Kind kind);

}  // namespace rockdove::providers
