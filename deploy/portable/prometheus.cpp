// What ops/exposition needs of prometheus-cpp as a part of the program: Debian has it as a shared library
// only. The format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4).
#include <prometheus/text_serializer.h>

#include <charconv>
#include <cmath>
#include <ostream>
#include <sstream>
#include <string_view>

namespace prometheus {
namespace {

constexpr double whole_max = 1e15;  // below, a double has room for a digit after the point

/// The shortest text that is read as the same number again; whole numbers without an exponent.
std::string number(double value) {
  if (std::isnan(value)) return "Nan";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  const bool is_whole = std::fabs(value) < whole_max && std::trunc(value) == value;
  char digits[32];
  const auto end = is_whole ? std::to_chars(digits, std::end(digits), static_cast<std::int64_t>(value)).ptr
                            : std::to_chars(digits, std::end(digits), value).ptr;
  return std::string(digits, end);
}

/// Of a HELP line, and of a label's value, which stands in quotation marks.
std::string escaped(std::string_view text, bool is_quoted) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || (is_quoted && c == '"')) out += '\\';
    if (c == '\n') out += "\\n";
    else out += c;
  }
  return out;
}

void sample(std::ostream& out, const std::string& name, const ClientMetric& metric, double value,
            const std::string& edge = {}) {
  std::string labels;
  for (const ClientMetric::Label& label : metric.label)
    labels += (labels.empty() ? "" : ",") + label.name + "=\"" + escaped(label.value, true) + '"';
  if (!edge.empty()) labels += (labels.empty() ? "" : ",") + ("le=\"" + edge + '"');
  out << name;
  if (!labels.empty()) out << '{' << labels << '}';
  out << ' ' << number(value) << '\n';
}

void histogram(std::ostream& out, const std::string& name, const ClientMetric& metric) {
  const ClientMetric::Histogram& values = metric.histogram;
  sample(out, name + "_count", metric, static_cast<double>(values.sample_count));
  sample(out, name + "_sum", metric, values.sample_sum);
  for (const ClientMetric::Bucket& bucket : values.bucket)
    sample(out, name + "_bucket", metric, static_cast<double>(bucket.cumulative_count),
           number(bucket.upper_bound));
}

}  // namespace

std::string Serializer::Serialize(const std::vector<MetricFamily>& families) const {
  std::ostringstream out;
  Serialize(out, families);
  return out.str();
}

void TextSerializer::Serialize(std::ostream& out, const std::vector<MetricFamily>& families) const {
  for (const MetricFamily& family : families) {
    const bool is_counter = family.type == MetricType::Counter, is_gauge = family.type == MetricType::Gauge;
    out << "# HELP " << family.name << ' ' << escaped(family.help, false) << "\n# TYPE " << family.name << ' '
        << (is_counter ? "counter"
            : is_gauge ? "gauge"
                       : "histogram")
        << '\n';
    for (const ClientMetric& metric : family.metric)
      if (is_counter) sample(out, family.name, metric, metric.counter.value);
      else if (is_gauge) sample(out, family.name, metric, metric.gauge.value);
      else histogram(out, family.name, metric);
  }
}

}  // namespace prometheus
