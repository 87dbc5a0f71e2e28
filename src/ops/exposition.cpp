#include "ops/exposition.hpp"

#include "base/text.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>

namespace rockdove::ops {
namespace {

constexpr unsigned first_power = 10, last_power = 26;  // 1.024 ms, 67.1 s

double seconds(std::uint64_t microseconds) {
  return static_cast<double>(microseconds) / 1e6;
}

}  // namespace

prometheus::ClientMetric& Exposition::add(std::string_view name, std::string_view help,
                                          prometheus::MetricType type, MetricLabels labels) {
  auto family = std::ranges::find(families_, name, &prometheus::MetricFamily::name);
  if (family == families_.end()) {
    families_.push_back({std::string(name), std::string(help), type, {}});
    family = std::prev(families_.end());
  }
  prometheus::ClientMetric& metric = family->metric.emplace_back();
  for (MetricLabel& label : labels)  // the format is UTF-8, and some names come from agents
    metric.label.push_back({std::move(label.name), to_utf8(label.value)});
  return metric;
}

void Exposition::counter(std::string_view name, std::string_view help, double value, MetricLabels labels) {
  add(name, help, prometheus::MetricType::Counter, std::move(labels)).counter.value = value;
}

void Exposition::gauge(std::string_view name, std::string_view help, double value, MetricLabels labels) {
  add(name, help, prometheus::MetricType::Gauge, std::move(labels)).gauge.value = value;
}

void Exposition::histogram(std::string_view name, std::string_view help, const Histogram& values,
                           MetricLabels labels) {
  auto& histogram = add(name, help, prometheus::MetricType::Histogram, std::move(labels)).histogram;
  histogram.sample_count = values.total();
  histogram.sample_sum = seconds(values.sum());
  for (unsigned power = first_power; power <= last_power; ++power) {
    const std::uint64_t edge = std::uint64_t{1} << power;
    histogram.bucket.push_back({values.below(edge), seconds(edge)});
  }
  histogram.bucket.push_back({values.total(), std::numeric_limits<double>::infinity()});
}

std::string Exposition::str() const {
  return prometheus::TextSerializer().Serialize(families_);
}

}  // namespace rockdove::ops
