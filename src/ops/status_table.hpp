// The server's /stats as tables for a terminal.
#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace rockdove::ops {

/// Tunnels, their agents, links and upstreams: is everything connected? `stats` is the JSON of /stats; what
/// it lacks is shown as "-", so that a server of another version can be looked at.
std::string status_table(const boost::json::value& stats);

/// Routes: requests, answers, latency, errors.
std::string stats_table(const boost::json::value& stats);

}  // namespace rockdove::ops
