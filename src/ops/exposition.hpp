// Prometheus' text format 0.0.4, family by family. The only place that knows prometheus-cpp.
#pragma once

#include "base/histogram.hpp"

#include <prometheus/metric_family.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::ops {

struct MetricLabel {
  std::string name, value;  ///< an empty value says the same as no label
};
using MetricLabels = std::vector<MetricLabel>;

/// Samples of one name stand together however they are added; the order is that of the first of each.
class Exposition {
 public:
  void counter(std::string_view name, std::string_view help, double value, MetricLabels labels = {});
  void gauge(std::string_view name, std::string_view help, double value, MetricLabels labels = {});
  /// In seconds, with buckets at powers of two of a microsecond from about 1 ms to 67 s: there, and at no
  /// rounder numbers, the counts of a Histogram are exact.
  void histogram(std::string_view name, std::string_view help, const Histogram& values, MetricLabels labels);

  std::string str() const;

 private:
  prometheus::ClientMetric& add(std::string_view name, std::string_view help, prometheus::MetricType type,
                                MetricLabels labels);

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace rockdove::ops
