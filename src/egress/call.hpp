// One call from its request to its last byte, and what all calls together came to.
#pragma once

#include "egress/lines.hpp"
#include "egress/target.hpp"
#include "http/message.hpp"
#include "net/deadline.hpp"
#include "net/event.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rockdove::egress {

/// Whose call it is. The two names are authenticated.
struct Who {
  std::string tunnel;
  std::string agent;  ///< "-" for the proxy port, where no agent takes part
  net::Address peer;
};

/// What calls came to.
struct Counts {
  std::uint64_t calls = 0, sent = 0, received = 0;             ///< that have ended; body bytes
  std::map<std::string, std::uint64_t, std::less<>> failures;  ///< by the error's name
  std::size_t running = 0, waiting = 0;  ///< now; those that wait are among those that run
};

class Ledger;

/// Held by everything that works for the call; the last one to let go ends it: it is counted and logged then,
/// and its places are free. Loop thread only.
class Call {
 public:
  Call(Ledger& ledger, Who caller, const http::Request& request);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  /// A rule allows it: from now on it counts for its destination. Once.
  void allowed();
  /// The places are free after `limit` even if the call goes on. Zero: they are not.
  void hold_places_for(net::Duration limit);

  const Who who;
  http::Record record;                   ///< method, request_id, reached, status, error
  std::string destination;               ///< "openapi.lingxing.com:443"; empty before that is known
  Counts* counts = nullptr;              ///< of the destination, once it is allowed
  std::uint64_t sent = 0, received = 0;  ///< body bytes to and from the destination
  std::uint64_t bytes_max = 0;           ///< of each of them; 0: no limit
  std::vector<Lines::PlacePtr> places;
  std::shared_ptr<void> outlet;  ///< what has the connection: lives as long

 private:
  Ledger& ledger_;
  std::optional<net::Deadline> hold_;
};

using CallPtr = std::shared_ptr<Call>;

/// Calls under way, and counters of those that ended. Loop thread only; no call may outlive it.
class Ledger {
 public:
  explicit Ledger(net::Executor executor) : executor_(executor), idle_(executor) {}

  std::size_t running() const { return total_.running; }
  std::size_t running(const std::string& tunnel) const;
  /// One line in the log for each call?
  void set_audit(bool is_on) { audit_ = is_on; }
  /// Returns once no call is under way. One waiter at a time.
  Awaitable<void> idle();
  /// The same for at most `limit`; false if there are some then. Zero or less: looks once.
  Awaitable<bool> idle_for(net::Duration limit);
  /// Totals, and by destination if `with_destinations`.
  boost::json::object to_json(bool with_destinations) const;

 private:
  friend Call;
  Counts& counts_of(const std::string& destination);
  void ended(const Call& call);

  const net::Executor executor_;
  net::Event idle_;
  bool audit_ = true;
  Counts total_;
  std::map<std::string, Counts, std::less<>> destinations_;
  std::map<std::string, std::size_t> tunnels_;  // calls under way, of those that have any
};

/// A body of a call, on its way to the destination or from it: counts, keeps the limit, keeps the call.
class CallBody final : public http::Body {
 public:
  enum class Direction { sent, received };
  CallBody(CallPtr call, Direction direction, std::unique_ptr<http::Body> body);
  /// A call whose answer is dropped before its end was given up.
  ~CallBody() override;

  Awaitable<Result<std::string_view>> read() override;
  const http::Fields& trailers() const override { return body_->trailers(); }

 private:
  CallPtr call_;
  const Direction direction_;
  std::unique_ptr<http::Body> body_;
  bool is_over_ = false;
};

}  // namespace rockdove::egress
