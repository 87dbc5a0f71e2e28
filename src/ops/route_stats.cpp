#include "ops/route_stats.hpp"

namespace rockdove::ops {
namespace {

double milliseconds(std::uint64_t microseconds) {
  return static_cast<double>(microseconds) / 1000.0;
}

std::uint64_t microseconds(net::Duration time) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

boost::json::object latency_json(const Histogram& latency) {
  return {{"p50", milliseconds(latency.percentile(0.5))},
          {"p90", milliseconds(latency.percentile(0.9))},
          {"p99", milliseconds(latency.percentile(0.99))},
          {"max", milliseconds(latency.max())}};
}

boost::json::object window_json(const Window& window, net::Clock::time_point now) {
  const Span span = window.sum(now);
  return {{"requests", span.requests},
          {"success_rate", span.success_rate()},
          {"latency_ms", latency_json(span.latency)}};
}

}  // namespace

void RouteStats::add(const http::Record& record) {
  ++requests;
  const int status_class = record.status / 100;
  const bool is_answered = status_class >= 1 && status_class <= 5;
  ++by_class[is_answered ? static_cast<std::size_t>(status_class) : 0];
  bytes_in += record.bytes_in;
  bytes_out += record.bytes_out;
  const std::uint64_t time = microseconds(record.ended - record.started);
  latency.add(time);
  if (is_answered && record.answered >= record.started)
    first_byte.add(microseconds(record.answered - record.started));
  if (record.error) ++errors[std::string(error_name(record.error))];
  for (Window* window : {&minute, &quarter}) window->add(record.ended, is_answered ? record.status : 0, time);
}

boost::json::object to_json(const std::string& name, const std::string& tunnel, const RouteStats& stats,
                            net::Clock::time_point now) {
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
      {"latency_ms", latency_json(stats.latency)},
      {"bytes_in", stats.bytes_in},
      {"bytes_out", stats.bytes_out},
      {"errors", std::move(errors)},
      {"windows", {{"1m", window_json(stats.minute, now)}, {"15m", window_json(stats.quarter, now)}}},
  };
}

}  // namespace rockdove::ops
