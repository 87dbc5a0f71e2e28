// How the inbox treats the requests of a route.
#pragma once

#include "base/backoff.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace rockdove::inbox {

enum class Mode {
  live,       ///< the upstream's answer or an error; nothing is stored
  inbox,      ///< stored, acknowledged at once, delivered in the background
  automatic,  ///< stored and delivered at once; the caller gets the upstream's answer if it comes by the
              ///< deadline, else the acknowledgement. "auto" in the configuration
};

/// An answer of our own.
struct CannedAnswer {
  int status = 200;
  std::string type = "application/json";
  std::string body = "{}";

  bool operator==(const CannedAnswer&) const = default;
};

/// Where in a request a key is found.
struct KeyRule {
  enum class From {
    header,  ///< a field's value
    json,    ///< a string or number in a JSON body
    body,    ///< SHA-256 of the body
    id,      ///< of EventFacts, within `app` if there is one; also the following
    type,
    app,
    chat,
  };
  From from = From::body;
  std::string name;  ///< of header and json: the field's name, the JSON pointer (RFC 6901)

  bool operator==(const KeyRule&) const = default;
};

/// What is known of a request beside its bytes, from whoever could read them. Empty: nothing.
struct EventFacts {
  std::string id;    ///< the same for two requests of one event
  std::string type;  ///< what happened
  std::string app;   ///< for whom
  std::string chat;  ///< in which conversation, or to which thing
};

enum class Order {
  none,
  fifo,  ///< of the whole route
  key,   ///< of the events that have the same key
};

/// When to try again. Full jitter: each wait is uniform between 0 and a ceiling that doubles.
struct RetryOptions {
  std::chrono::milliseconds first{1'000};        ///< ceiling of the first wait
  std::chrono::milliseconds longest{3'600'000};  ///< ceiling of all waits
  /// No attempt begins later than this after the first one, once there were five: a wall clock that jumps
  /// ahead must not end what has hardly been tried. Zero: there is one attempt.
  std::chrono::milliseconds give_up{86'400'000};
  std::chrono::milliseconds timeout{30'000};  ///< of one attempt, to the end of the answer

  bool operator==(const RetryOptions&) const = default;
};

enum class Success {
  status,           ///< any 2xx
  status_and_body,  ///< 2xx with a body: some bot libraries answer an empty 200 to what they reject
};

struct RouteOptions {
  Mode mode = Mode::live;
  /// Where its events go now, whatever it was when they were stored. Empty: where they were stored for.
  std::string tunnel{}, upstream{};
  /// `automatic`: for the upstream's answer. `inbox`: for the store, if less than it has anyway. `live`: zero
  /// for none; else the whole answer has to be there by then, and `fallback` answers in its place.
  std::chrono::milliseconds deadline{0};
  CannedAnswer ack;
  std::optional<CannedAnswer> fallback;
  std::vector<KeyRule> dedupe;  ///< the first that finds a key; none: every request is an event of its own
  std::chrono::milliseconds dedupe_window{std::chrono::hours(24)};
  Order order = Order::none;
  KeyRule order_key;             ///< of Order::key; requests without one are not ordered
  std::size_t concurrency = 16;  ///< attempts of the route under way at a time; 1 if fifo, whatever this says
  RetryOptions retry;
  Success success = Success::status;
  std::size_t body_bytes =
      16 * 1024 * 1024;  ///< larger requests get 413: what is stored has to fit into memory

  bool operator==(const RouteOptions&) const = default;
};

}  // namespace rockdove::inbox
