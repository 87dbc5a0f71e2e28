// Who may call what: rules of the operator, and without one nothing.
#pragma once

#include "egress/host_pattern.hpp"
#include "net/address.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rockdove::egress {

/// One [[egress.allow]]: the tunnel may call what `hosts` or `destinations` name.
struct Rule {
  std::string tunnel;                     ///< its name, or "*" for every tunnel
  std::vector<HostPattern> hosts;         ///< what may be called, whichever way
  std::vector<std::string> destinations;  ///< which [[egress.destination]] may be called by name
  std::vector<net::Network> networks;     ///< special addresses that `hosts` may have nevertheless
  std::size_t rate = 0;  ///< calls a second of one tunnel, and at once after a pause; 0: none

  bool operator==(const Rule&) const = default;
};

/// What a call is for: a host and port, or a destination that has a name.
struct Wanted {
  HostPort address;           ///< canonical_host()
  std::string destination;    ///< empty: none
  bool by_name_only = false;  ///< a rule has to name the destination: to allow its host does not give this
};

/// The rules in the order of the configuration.
class Policy {
 public:
  Policy() = default;
  explicit Policy(std::vector<Rule> rules) : rules_(std::move(rules)) {}

  /// The index of the first rule that allows `tunnel` the call; Error::destination_denied if there is none.
  Result<std::size_t> judge(std::string_view tunnel, const Wanted& wanted) const;
  const Rule& rule(std::size_t index) const { return rules_[index]; }
  std::size_t size() const { return rules_.size(); }

 private:
  std::vector<Rule> rules_;
};

}  // namespace rockdove::egress
