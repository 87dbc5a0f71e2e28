// What the inbox keeps: a caller's request, its state, and the attempts to deliver it.
#pragma once

#include "base/error.hpp"
#include "http/fields.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::inbox {

/// Time as people and providers know it: it may jump. Ages and schedules are made to stand that.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// Rises with every event of a store; its upper 43 bits are about the milliseconds since 1970 at which
/// the event was received, so that a range of time is a range of ids. Zero: none.
using EventId = std::uint64_t;

/// "evt_" and 13 digits of Crockford's base 32 in lower case, which sort as the numbers do.
std::string format_event_id(EventId id);
/// Error::malformed for anything that format_event_id() does not write.
Result<EventId> parse_event_id(std::string_view text);
/// The least id that an event received at `time` can have.
EventId first_id_at(WallTime time);

/// The life of an event. docs/inbox.md has the picture.
enum class State : std::uint8_t {
  waiting = 0,      ///< to be delivered at `due_at`, or just now
  queued = 1,       ///< behind an earlier event of the same order key
  done = 2,         ///< the upstream took it
  dead = 3,         ///< given up: a dead letter, until somebody replays it
  quarantined = 4,  ///< its record cannot be read back as it was written: kept, never delivered
};
inline constexpr int state_count = 5;

/// "waiting", "queued" …: stable, used in the admin API and on the command line.
std::string_view state_name(State state) noexcept;
std::optional<State> state_named(std::string_view name) noexcept;

/// A caller's request as it goes to the upstream: hop-by-hop fields are gone, X-Forwarded-* and
/// X-Request-Id are set; everything else is byte for byte what came.
struct StoredRequest {
  std::string method, target;
  http::Fields fields;    ///< in order, duplicates included
  bool has_body = false;  ///< tells an empty body from none
  std::string body;
  std::string request_id;
  std::string peer;      ///< the caller's address as text
  bool tls = false;      ///< the caller's connection was encrypted
  std::string upstream;  ///< its name at the agent; empty: the default one
  std::string host;      ///< as http::Context::host
};

/// One delivery of an event, as it ended.
struct Attempt {
  int number = 1;  ///< counts from 1 over the event's whole life, replays included
  WallTime started_at{};
  std::chrono::milliseconds took{0};
  std::string agent;       ///< who had it; empty: nobody
  int status = 0;          ///< of the upstream's answer; 0: there was none
  std::string error;       ///< error_name(), or ""
  std::string type, body;  ///< of the answer; the body cut at answer_bytes_max
};
inline constexpr std::size_t answer_bytes_max = 64 * 1024;
/// The same for an attempt that is followed by another one.
inline constexpr std::size_t retried_answer_bytes_max = 4 * 1024;
/// Of an event's attempts these are kept: what went wrong at first, and what does now.
inline constexpr int first_attempts_kept = 10, newest_attempts_kept = 90;

/// An event without its request.
struct Event {
  EventId id = 0;
  std::string route, tunnel;
  State state = State::waiting;
  WallTime received_at{};
  WallTime due_at{};  ///< of a waiting event
  WallTime
      first_attempt_at{};  ///< of the current run of attempts (a replay begins a new one); epoch: none yet
  int attempts = 0;        ///< made over the whole life
  bool replay = false;     ///< somebody asked for this delivery after the event had ended
  std::string order_key;   ///< meaningful if `ordered`
  bool ordered = false;
  std::string reason;          ///< of a dead or quarantined event: why
  std::string method, target;  ///< for lists
  std::uint64_t bytes = 0;     ///< of the stored request
};

}  // namespace rockdove::inbox
