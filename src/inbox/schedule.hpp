// What becomes of an event after an attempt. Pure: time and chance are parameters.
#pragma once

#include "inbox/route_options.hpp"
#include "inbox/store.hpp"

namespace rockdove::inbox {

/// How one attempt ended, as far as the schedule cares.
struct Outcome {
  int status = 0;                   ///< of the upstream's answer; 0: there was none
  boost::system::error_code error;  ///< why not
  bool has_body = false;            ///< the answer's body was not empty
  /// Of the answer, as parse_retry_after() gives it.
  std::optional<std::chrono::milliseconds> retry_after;
};

enum class Class {
  delivered,  ///< the upstream took it
  retry,      ///< it may take it later: no answer, 408, 425, 429, 5xx
  reject,     ///< it will not, ever: other answers
  gone,       ///< 410: and it wants no others either, so the route is paused
  unseen,     ///< nobody was there to try (no agent, no link): no attempt
};

Class classify(const Outcome& outcome, const RouteOptions& route);

/// Settles an event whose attempt ended so at `now`. `attempts` of `event` does not count this attempt yet.
/// `random` is 32 uniformly distributed bits. A wait never exceeds what is left of give_up, and
/// Retry-After lengthens it up to `longest`. An unseen event goes behind the others that are due, so that one
/// which never finds anybody does not stand before those that would.
Settlement settle(const Event& event, const Outcome& outcome, const RouteOptions& route, WallTime now,
                  std::uint32_t random);

/// No event that settle() makes wait is due later than so long from then.
std::chrono::milliseconds longest_wait(const RouteOptions& route);

/// For how long nothing at all should be sent on the route: an answer of 429 or 503 that says when to come
/// back speaks for all its events. At most five minutes, and `longest`; zero: nobody asks for that.
std::chrono::milliseconds rest_asked_for(const Outcome& outcome, const RouteOptions& route);

/// Retry-After (RFC 9110 section 10.2.3), in seconds or as a date; nothing if it is neither or lies in the
/// past.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, WallTime now);

}  // namespace rockdove::inbox
