#include "server/log_api.hpp"

#include "http/error_response.hpp"
#include "net/log.hpp"
#include "net/log_layers.hpp"
#include "net/log_line.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <optional>
#include <string>

namespace rockdove::server {
namespace {

namespace json = boost::json;

constexpr std::size_t body_bytes_max = 4096;

http::Response current() {
  const log::Verbosity verbosity = log::verbosity();
  json::object levels, all;
  for (const auto& [layer, level] : verbosity.levels) levels[layer] = log::level_name(level);
  all["level"] = log::level_name(verbosity.level);
  all["levels"] = std::move(levels);
  return http::make_response(200, "application/json", json::serialize(all) + "\n");
}

std::optional<log::Level> level_in(const json::value& value) {
  return value.is_string() ? log::level_named(value.get_string()) : std::nullopt;
}

constexpr const char* level_names = "a level is one of trace, debug, info, warn, error, off";

/// Changes `verbosity` by what `body` says; what is wrong with it, or "".
std::string read(std::string_view body, log::Verbosity& verbosity) {
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  if (error || !value.is_object()) return "the body is not a JSON object";
  for (const auto& [name, member] : value.get_object()) {
    if (name == "level") {
      const auto level = level_in(member);
      if (!level) return level_names;
      verbosity.level = *level;
    } else if (name == "levels" && member.is_object()) {
      verbosity.levels.clear();
      for (const auto& [layer, own] : member.get_object()) {
        if (std::ranges::find(log::layers, std::string_view(layer)) == log::layers.end()) {
          std::string known;
          for (const auto each : log::layers) known += (known.empty() ? "" : ", ") + std::string(each);
          return "there is no such layer; there are " + known;
        }
        const auto level = level_in(own);
        if (!level) return level_names;
        verbosity.levels[std::string(layer)] = *level;
      }
    } else {
      return "the members are level, a string, and levels, an object of them by layer";
    }
  }
  return {};
}

}  // namespace

Awaitable<Result<http::Response>> LogApi::handle(http::Request&& request) {
  const std::string id = request.context.request_id;
  if (request.method == "GET" || request.method == "HEAD") co_return current();
  if (request.method != "PUT") {
    http::Response refused = http::error_response(405, "method_not_allowed", "GET or PUT", id);
    refused.fields.add("Allow", "GET, HEAD, PUT");
    co_return refused;
  }
  auto whole = co_await http::read_all(request, body_bytes_max);
  if (!whole) co_return whole.error();
  log::Verbosity verbosity = log::verbosity();
  const std::string complaint = read(request.content, verbosity);
  if (!complaint.empty()) co_return http::error_response(400, "malformed", complaint, id);
  log::set_verbosity(verbosity);
  co_return current();
}

}  // namespace rockdove::server
