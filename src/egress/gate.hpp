// The server's end of egress: each call is judged, waits for its turn, and goes to its destination.
#pragma once

#include "egress/bucket.hpp"
#include "egress/call.hpp"
#include "egress/circuits.hpp"
#include "egress/destination.hpp"
#include "egress/policy.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::egress {

/// Takes calls in the three forms of Target and answers them. Loop thread only.
class Gate {
 public:
  struct Options {
    std::vector<Rule> rules;
    std::vector<DestinationOptions> destinations;
    std::size_t calls = 1024;        ///< under way at a time, waiting ones included; more: 503
    std::size_t tunnel_calls = 512;  ///< of one tunnel, so that no one takes all
    std::uint64_t call_bytes = 0;    ///< each way in one call; 0: no limit
    std::chrono::milliseconds connect_timeout{10'000};      ///< for a connection, TLS included
    std::chrono::milliseconds first_byte_timeout{150'000};  ///< for an answer's head
    std::chrono::milliseconds idle_timeout{600'000};        ///< without a byte, once the answer began

    bool operator==(const Options&) const = default;
  };

  /// `clock` tells the wall time. Throws std::exception that names the file if a destination's ca_file is no
  /// good, and as Destination does.
  Gate(net::Executor executor, Options options, WallClock clock);
  ~Gate();

  /// Never an error: what went wrong is an answer, as http::error_response() writes it.
  Awaitable<Result<http::Response>> handle(Who who, http::Request request);

  /// For calls that come from now on. Throws as the constructor does, and changes nothing then.
  void set_options(Options options);
  Ledger& ledger() { return ledger_; }
  const Ledger& ledger() const { return ledger_; }
  /// Ends every circuit and connection. Whatever brings calls must have ended.
  Awaitable<void> close();

 private:
  struct Setup;
  struct Way;
  Awaitable<Result<http::Response>> serve(CallPtr call, http::Request request);
  Awaitable<Result<http::Response>> connect(CallPtr call, Target target, Way way, http::Request request);
  Awaitable<Result<http::Response>> forward(CallPtr call, Target target, Way way, http::Request request);
  Result<Way> admit(Call& call, const Target& target);
  Awaitable<Result<void>> wait_for_places(CallPtr call, const Target& target, const Way& way);
  std::shared_ptr<Outlet> outlet_for(const Target& target, const Way& way);
  std::shared_ptr<const Setup> make_setup(Options options);
  std::shared_ptr<Destination> make_destination(const DestinationOptions& options, const Options& all);
  std::shared_ptr<Lingxing> signer_for(const LingxingApp& app, const std::shared_ptr<Outlet>& outlet);
  void begin(std::shared_ptr<const Setup> setup);
  template <class T>
  std::shared_ptr<T> owned(std::unique_ptr<T> made);
  template <class T>
  static Awaitable<void> bury(std::unique_ptr<T> last);

  const net::Executor executor_;
  const WallClock clock_;
  net::TaskGroup burials_;  // of what nobody uses any more: its connections end first
  Ledger ledger_;
  Lines lines_;
  Circuits circuits_;
  std::map<std::string, std::weak_ptr<Lingxing>> signers_;  // by the appId: there is one token for an app
  std::shared_ptr<const Setup> setup_;  // calls hold on to the one that they were judged by
  std::map<std::pair<std::size_t, std::string>, Bucket> buckets_;  // by the rule's index and the tunnel
  std::map<std::string, std::shared_ptr<Outlet>> outlets_;         // of the form `absolute`
};

}  // namespace rockdove::egress
