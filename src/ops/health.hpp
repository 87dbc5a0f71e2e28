// Whether the server does what it is there for, and if not, what is wrong: from plain facts.
#pragma once

#include "ops/condition.hpp"
#include "ops/metrics.hpp"

#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <map>
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
  std::map<std::string, std::chrono::seconds> backlogs;  ///< age of the oldest event that waits, by route
  std::map<std::string, std::uint64_t> dead_letters;     ///< how many, by route

  std::uint64_t low_bytes = 0;  ///< the disk is low with less; 0: with less than 5 % and less than 1 GiB
  std::chrono::seconds near_end{std::chrono::days(14)};  ///< so long before its end a certificate is due
  std::chrono::seconds backlog_max{600};                 ///< a backlog that is older is a condition
};

struct Health {
  /// One thing that is wrong, for the two kinds of readers.
  struct Reason {
    std::string operators;
    std::string everybody;  ///< names nothing of the inside: no tunnel, agent, upstream, file
  };
  bool is_failing = false;      ///< events cannot be stored: callers of stored routes get 503
  std::vector<Reason> reasons;  ///< the worst first
  /// What alerts are made of: of most of these reasons one, and backlogs and dead letters, which say nothing
  /// against the server.
  std::vector<Condition> conditions;

  /// "ok", "degraded" (there are reasons, and callers are served or their events kept) or "failing".
  const char* status() const { return is_failing ? "failing" : reasons.empty() ? "ok" : "degraded"; }
};

/// A commit is slow from 1 s on; the other limits are among the facts.
Health judge(const HealthFacts& facts);

}  // namespace rockdove::ops
