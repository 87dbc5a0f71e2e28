#include "ops/route_stats.hpp"

namespace rockdove::ops {
namespace {

double milliseconds(std::uint64_t microseconds) {
  return static_cast<double>(microseconds) / 1000.0;
}

}  // namespace

void RouteStats::add(const http::Record& record) {
  ++requests;
  const int status_class = record.status / 100;
  ++by_class[status_class >= 1 && status_class <= 5 ? static_cast<std::size_t>(status_class) : 0];
  bytes_in += record.bytes_in;
  bytes_out += record.bytes_out;
  const auto time = std::chrono::duration_cast<std::chrono::microseconds>(record.ended - record.started);
  latency.add(static_cast<std::uint64_t>(time.count()));
  if (record.error) ++errors[std::string(error_name(record.error))];
}

boost::json::object to_json(const std::string& name, const std::string& tunnel, const RouteStats& stats) {
  const std::uint64_t answered = stats.requests - stats.by_class[0];
  const std::uint64_t good = answered - stats.by_class[5];
  boost::json::object errors;
  for (const auto& [error, count] : stats.errors) errors[error] = count;
  return {
      {"name", name},
      {"tunnel", tunnel},
      {"requests", stats.requests},
      {"responses",
       {{"2xx", stats.by_class[2] + stats.by_class[1]},
        {"3xx", stats.by_class[3]},
        {"4xx", stats.by_class[4]},
        {"5xx", stats.by_class[5]}}},
      {"gone", stats.by_class[0]},
      {"success_rate", answered ? static_cast<double>(good) / static_cast<double>(answered) : 1.0},
      {"latency_ms",
       {{"p50", milliseconds(stats.latency.percentile(0.5))},
        {"p90", milliseconds(stats.latency.percentile(0.9))},
        {"p99", milliseconds(stats.latency.percentile(0.99))},
        {"max", milliseconds(stats.latency.max())}}},
      {"bytes_in", stats.bytes_in},
      {"bytes_out", stats.bytes_out},
      {"errors", std::move(errors)},
  };
}

}  // namespace rockdove::ops
