// Whether the server does what it is there for, and if not, what is wrong: from plain facts.
#pragma once

#include "ops/metrics.hpp"

#include <boost/json/value.hpp>

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rockdove::ops {

/// What health is made of.
struct HealthFacts {
  bool can_store = true;
  std::string store_reason;             ///< why not; may name files
  std::set<std::string> tunnels;        ///< those that have a token
  const boost::json::value* connected;  ///< "tunnels" of /stats; never null
  std::optional<Disk> disk;             ///< of the data directory
  std::chrono::milliseconds commit{};   ///< what the last transaction took; zero if it is long ago
  std::vector<CertificateEnd> certificates;
  std::chrono::sys_seconds now{};
};

struct Health {
  /// One thing that is wrong, for the two kinds of readers.
  struct Reason {
    std::string operators;
    std::string everybody;  ///< names nothing of the inside: no tunnel, agent, upstream, file
  };
  bool is_failing = false;      ///< events cannot be stored: callers of stored routes get 503
  std::vector<Reason> reasons;  ///< the worst first

  /// "ok", "degraded" (there are reasons, and callers are served or their events kept) or "failing".
  const char* status() const { return is_failing ? "failing" : reasons.empty() ? "ok" : "degraded"; }
};

/// The disk is low with less than 5 % and less than 1 GiB left. A commit is slow from 1 s on. A certificate
/// is near its end in its last 14 days.
Health judge(const HealthFacts& facts);

}  // namespace rockdove::ops
