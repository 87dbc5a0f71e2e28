// What can go wrong, as one small closed set. Everything the outside world can cause travels as a
// value in Result<T>; an exception means a bug, a bad configuration at start, or cancellation.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <string_view>

namespace rockdove {

enum class Error {
  // Connections, any layer.
  closed = 1,  ///< the peer ended the conversation where it may
  truncated,   ///< the peer went away in the middle of a message
  timed_out,   ///< a named time limit of Options ran out
  cancelled,   ///< our own side gave the work up
  // Bytes from outside that break a rule.
  malformed,         ///< not what the RFC allows: refused, never repaired
  target_too_long,   ///< Limits::target_bytes
  header_too_large,  ///< Limits::header_bytes or Limits::header_fields
  body_too_large,    ///< Limits::body_bytes
  not_implemented,   ///< a transfer coding other than chunked
  version_not_supported,
  body_timed_out,  ///< the caller stopped sending in the middle of its body
  // Edge: why the server could not hand a request to an agent.
  no_route,     ///< no rule of the configuration covers this host and path
  no_agent,     ///< the tunnel has no link, and none came back within agent_wait
  queue_full,   ///< the tunnel's limits of running and of waiting requests are reached
  draining,     ///< this side is stopping and takes no new work
  unavailable,  ///< this side lacks a resource (store, memory budget)
  not_found,    ///< what the request names is not kept here
  // Link: what happened to an exchange between server and agent.
  link_lost,       ///< the link went away; the upstream may have seen the request
  stream_refused,  ///< the exchange was turned away before the upstream saw its first byte
  stream_reset,    ///< the other end gave the exchange up
  // Upstream: what the agent met when it called the local service.
  upstream_unknown,    ///< the agent has no upstream of the name the route asks for
  upstream_refused,    ///< no connection: refused, unreachable, unknown host
  upstream_reset,      ///< the upstream closed before a complete answer
  upstream_timeout,    ///< no first byte, or silence, for longer than allowed
  upstream_malformed,  ///< the upstream's answer is not HTTP/1.1
  // Egress: a call from behind NAT to a destination, by way of the server.
  no_link,                ///< the agent has no link to the server, and none came back in time
  destination_unknown,    ///< the server has no destination of this name
  destination_denied,     ///< no rule of the server allows this host and port to the tunnel
  address_denied,         ///< the host has none but private or reserved addresses
  rate_limited,           ///< more calls a second than the rule allows
  destination_refused,    ///< no connection: refused, unreachable, unknown host
  destination_untrusted,  ///< the destination's certificate is not valid
  destination_reset,      ///< the destination closed before a complete answer
  destination_timeout,    ///< no first byte, or silence, for longer than allowed
  destination_malformed,  ///< the destination's answer is not HTTP/1.1
  // Link handshake.
  unauthorized,      ///< unknown or revoked token
  untrusted_server,  ///< the server's key is not the pinned one, or its certificate is not valid
  protocol,          ///< the peer does not speak our link protocol
};

/// The hop at which a request failed, as error bodies, logs and counters name it.
enum class Hop { edge, link, upstream, destination };

const boost::system::error_category& error_category() noexcept;

inline boost::system::error_code make_error_code(Error error) noexcept {
  return {static_cast<int>(error), error_category()};
}

/// A value, or why there is none. Holds an Error of ours or an error_code of the system.
template <class T>
using Result = boost::system::result<T>;

/// The enumerator's name ("upstream_refused"): stable, used on the wire and in error bodies.
std::string_view error_name(boost::system::error_code error) noexcept;

/// The Error called `name`, or Error::protocol when there is none of that name.
Error error_named(std::string_view name) noexcept;

Hop hop_of(boost::system::error_code error) noexcept;
std::string_view hop_name(Hop hop) noexcept;

}  // namespace rockdove

template <>
struct boost::system::is_error_code_enum<rockdove::Error> : std::true_type {};
