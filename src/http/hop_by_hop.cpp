#include "http/hop_by_hop.hpp"

#include "base/text.hpp"

#include <array>
#include <string>

namespace rockdove::http {
namespace {

constexpr std::array always{"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};
// Naming these in Connection is an attack: it would take from the upstream what the edge has seen.
constexpr std::array end_to_end{"content-length", "content-type", "host",           "authorization",
                                "cookie",         "trailer",      "x-forwarded-for"};

bool is_listed(const auto& list, std::string_view name) {
  for (const std::string_view each : list)
    if (iequals(each, name)) return true;
  return false;
}

bool has_any(const Fields& fields) {
  return fields.contains("connection") || fields.contains("keep-alive") || fields.contains("te") ||
         fields.contains("proxy-connection") || fields.contains("transfer-encoding") ||
         fields.contains("upgrade");
}

}  // namespace

void remove_hop_by_hop(Fields& fields) {
  if (!has_any(fields)) return;  // as of most messages
  std::string named;
  for (const auto [name, value] : fields)
    if (iequals(name, "connection")) named.append(value).append(",");
  std::string_view rest = named;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view name = trim(rest.substr(0, comma));
    rest.remove_prefix(comma + 1);
    if (!name.empty() && !is_listed(end_to_end, name) && !iequals(name, "te")) fields.remove(name);
  }
  for (const std::string_view name : always) fields.remove(name);
  if (fields.contains("te")) {
    const bool wants_trailers = fields.has_token("te", "trailers");
    fields.remove("te");
    if (wants_trailers) fields.add("TE", "trailers");
  }
}

}  // namespace rockdove::http
