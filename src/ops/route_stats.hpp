// What an operator sees of a route: plain numbers, filled from the records of exchanges.
#pragma once

#include "base/histogram.hpp"
#include "http/message.hpp"
#include "ops/window.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <string>

namespace rockdove::ops {

struct RouteStats {
  std::uint64_t requests = 0;
  std::array<std::uint64_t, 6> by_class{};  ///< [2] counts 2xx and so on; [0]: the caller went away first
  std::uint64_t bytes_in = 0, bytes_out = 0;
  Histogram latency;     ///< request's head parsed to answer's last byte written
  Histogram first_byte;  ///< request's head parsed to answer's head known; of those that have an answer
  std::map<std::string, std::uint64_t, std::less<>> errors;                   ///< by error_name()
  Window minute{std::chrono::minutes(1)}, quarter{std::chrono::minutes(15)};  ///< the last ones

  void add(const http::Record& record);
};

/// One route of /stats; the shape is described in docs/admin-api.md.
boost::json::object to_json(const std::string& name, const std::string& tunnel, const RouteStats& stats,
                            net::Clock::time_point now);

}  // namespace rockdove::ops
