#include "ops/alert_records.hpp"

#include "base/rfc3339.hpp"
#include "ops/json_path.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace rockdove::ops {
namespace {

namespace json = boost::json;

std::optional<std::string> text(const json::value& from, std::string_view key) {
  const json::value* value = find(from, {key});
  if (!value || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

std::optional<AlertTime> time(const json::value& from, std::string_view key) {
  const auto written = text(from, key);
  const auto parsed = parse_rfc3339(written.value_or(""));
  return parsed ? std::optional(*parsed) : std::nullopt;
}

}  // namespace

std::string write_alert_records(const std::vector<AlertRecord>& records) {
  json::array list;
  for (const AlertRecord& record : records)
    list.push_back({{"kind", alert_kind_name(record.kind)},
                    {"subject", record.subject},
                    {"amount", record.amount},
                    {"since", format_rfc3339(record.since)},
                    {"told", format_rfc3339(record.told)}});
  return json::serialize(json::object{{"told", std::move(list)}}) + "\n";
}

std::optional<std::vector<AlertRecord>> read_alert_records(std::string_view written) {
  boost::system::error_code failed;
  const json::value root = json::parse(written, failed);
  const json::value* list = failed ? nullptr : find(root, {"told"});
  if (!list || !list->is_array()) return std::nullopt;
  std::vector<AlertRecord> records;
  for (const json::value& each : list->get_array()) {
    const auto name = text(each, "kind"), subject = text(each, "subject");
    const auto since = time(each, "since"), told = time(each, "told");
    const json::value* amount = find(each, {"amount"});
    if (!name || !subject || !since || !told || !amount || !amount->is_int64()) return std::nullopt;
    if (const auto kind = alert_kind_named(*name))
      records.push_back({*kind, *subject, amount->get_int64(), *since, *told});
  }
  return records;
}

}  // namespace rockdove::ops
