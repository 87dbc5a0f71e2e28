// The server's /stats in Prometheus' text format: nothing is counted a second time for it.
#pragma once

#include "ops/hop_times.hpp"
#include "ops/process.hpp"
#include "ops/route_stats.hpp"

#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rockdove::ops {

/// The certificate of one of the server's ports.
struct CertificateEnd {
  std::string port;  ///< "ingress", "tunnel"
  std::chrono::sys_seconds end{};
};

struct Disk {
  std::uint64_t size = 0, available = 0;  ///< bytes; available to this process, not only to root
};

/// All that a scrape shows. It is read once, at the time of the scrape.
struct MetricsSource {
  struct Route {
    std::string name, tunnel;
    const RouteStats* stats;  ///< never null
  };
  const boost::json::value& stats;  ///< of /stats, as operators see it
  std::vector<Route> routes;
  std::set<std::string> tunnels;                     ///< those that have a token, connected or not
  std::map<std::string, const HopTimes*> hop_times;  ///< by tunnel, never null
  Histogram commit_times;                            ///< of the inbox
  std::vector<CertificateEnd> certificates;
  std::optional<Disk> disk;  ///< of the data directory
  std::optional<ProcessStats> process;
  std::chrono::sys_time<std::chrono::milliseconds> started{};  ///< the process
};

/// docs/metrics.md lists every metric. Labels take their values from the configuration, from agents that are
/// connected, and from names of errors; of destinations there are as many as /stats keeps.
std::string metrics_text(const MetricsSource& source);

/// The Content-Type of that text.
inline constexpr const char* metrics_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace rockdove::ops
