// Is this request from who it says it is from?
#pragma once

#include "providers/message.hpp"

#include <string>
#include <string_view>

namespace rockdove::providers {

enum class Outcome {
  ok,
  unchecked,       ///< no secret at all is configured: nothing was looked at
  no_secret,       ///< the checks for such a request need a secret that is not configured
  bad_secret,      ///< a configured secret does not decode to a key; see problem_with()
  unrecognised,    ///< no check is for such a request
  missing,         ///< something that the check needs is not there
  malformed,       ///< it is there, but not in its form
  mismatch,        ///< the signature is of other bytes, or made with another secret
  too_old,         ///< the signature is right; the timestamp is further back than the tolerance
  too_new,         ///< the same, ahead
  undecipherable,  ///< the signature is right; the body does not open with the configured key
};

/// The enumerator's name: stable, used in logs, counters and JSON.
std::string_view outcome_name(Outcome outcome) noexcept;

struct Verdict {
  Outcome outcome = Outcome::unrecognised;
  std::string check;  ///< the name of the check that decided; "challenge" for an unsigned one; or empty
  std::string part;   ///< what it is about: a place as text, or the name of a secret; or empty
  bool only_challenge = false;  ///< proves nothing: good for challenge_answer() and for nothing else

  /// The request may go on: it is proven, or nobody asked for proof.
  bool accepted() const { return outcome == Outcome::ok || outcome == Outcome::unchecked; }
};

inline constexpr std::size_t signatures_max = 16;  ///< looked at in one place; more: malformed
inline constexpr std::size_t timestamp_digits_max = 16;

/// The first check that is for such a request, and whose secret is configured, decides; if it does not prove
/// the request, those that are `instead_of` it may. A challenge that is
/// known to come unsigned needs no check, but is ok for nothing else than being answered: see
/// challenge_answer(). Comparisons take constant time. Never throws on what a caller sent. With an encrypted
/// body the signature is looked at first: without a right one nobody learns whether it could be opened.
Verdict verify(const Message& message, WallTime now);
Verdict verify(const Scheme& scheme, const Secrets& secrets, const RequestView& request, WallTime now);

/// One sentence for the operator: what failed, and where to look. Quotes no secret and no bytes of the
/// caller's.
std::string explain(const Verdict& verdict);

}  // namespace rockdove::providers
