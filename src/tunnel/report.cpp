#include "tunnel/report.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace rockdove::tunnel {
namespace {

namespace json = boost::json;

constexpr std::size_t upstreams_max = 64;
constexpr std::size_t text_max = 200;

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (!value || !value->is_string()) return {};
  return std::string(std::string_view(value->get_string()).substr(0, text_max));
}

}  // namespace

std::string encode_report(const std::vector<UpstreamReport>& upstreams) {
  json::array list;
  for (const UpstreamReport& each : upstreams) {
    if (list.size() == upstreams_max) break;
    json::object one;
    one["name"] = each.name;
    one["url"] = each.url.substr(0, text_max);
    one["up"] = each.up;
    one["detail"] = each.detail.substr(0, text_max);
    list.push_back(std::move(one));
  }
  json::object report;
  report["upstreams"] = std::move(list);
  return json::serialize(report);
}

Result<std::vector<UpstreamReport>> decode_report(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) return Error::protocol;
  const json::value* list = value.get_object().if_contains("upstreams");
  if (!list || !list->is_array()) return Error::protocol;
  std::vector<UpstreamReport> upstreams;
  for (const json::value& each : list->get_array()) {
    if (!each.is_object() || upstreams.size() == upstreams_max) return Error::protocol;
    const json::object& one = each.get_object();
    const json::value* up = one.if_contains("up");
    const bool is_up = up && up->is_bool() && up->get_bool();
    upstreams.push_back({text_of(one, "name"), text_of(one, "url"), is_up, text_of(one, "detail")});
  }
  return upstreams;
}

}  // namespace rockdove::tunnel
