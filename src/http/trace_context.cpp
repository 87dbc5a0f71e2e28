#include "http/trace_context.hpp"

#include "net/crypto.hpp"

#include <algorithm>

namespace rockdove::http {
namespace {

constexpr std::size_t version_at = 0, trace_at = 3, parent_at = 36, flags_at = 53;
constexpr std::size_t version_size = 2, trace_size = 32, parent_size = 16, flags_size = 2;
constexpr std::size_t size_of_version_00 = flags_at + flags_size;

bool is_hex(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) noexcept {
  return is_hex(text) && text.find_first_not_of('0') != text.npos;
}

}  // namespace

std::optional<std::string_view> trace_id_of(std::string_view traceparent) noexcept {
  if (traceparent.size() < size_of_version_00) return std::nullopt;
  for (const std::size_t dash : {trace_at - 1, parent_at - 1, flags_at - 1})
    if (traceparent[dash] != '-') return std::nullopt;
  const std::string_view version = traceparent.substr(version_at, version_size);
  const std::string_view trace = traceparent.substr(trace_at, trace_size);
  if (!is_hex(version) || version == "ff" || !is_id(trace)) return std::nullopt;
  if (!is_id(traceparent.substr(parent_at, parent_size))) return std::nullopt;
  if (!is_hex(traceparent.substr(flags_at, flags_size))) return std::nullopt;
  const std::string_view rest = traceparent.substr(size_of_version_00);
  if (!rest.empty() && (version == "00" || rest.front() != '-')) return std::nullopt;
  return trace;
}

std::optional<std::string_view> trace_id_of(const Fields& fields) noexcept {
  const auto value = fields.get("traceparent");
  if (!value || fields.count("traceparent") != 1) return std::nullopt;
  return trace_id_of(*value);
}

std::string make_traceparent() {
  constexpr char zero = '0';
  std::string digits;
  std::string_view trace, parent;
  do {
    digits = net::random_hex((trace_size + parent_size) / 2);
    trace = std::string_view(digits).substr(0, trace_size);
    parent = std::string_view(digits).substr(trace_size);
  } while (trace.find_first_not_of(zero) == trace.npos || parent.find_first_not_of(zero) == parent.npos);
  std::string text;
  text.reserve(size_of_version_00);
  return text.append("00-").append(trace).append("-").append(parent).append("-01");
}

std::string join_trace(Fields& fields, bool make) {
  if (const auto known = trace_id_of(fields)) return std::string(*known);
  if (!make) return {};
  fields.remove("traceparent");
  fields.remove("tracestate");
  const std::string made = make_traceparent();
  fields.add("Traceparent", made);
  return made.substr(trace_at, trace_size);
}

}  // namespace rockdove::http
