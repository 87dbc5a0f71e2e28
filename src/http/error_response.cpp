#include "http/error_response.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace rockdove::http {
namespace {

Response describe(int status, Hop hop, std::string_view cause, std::string_view message,
                  std::string_view request_id, std::string_view trace_id = {}) {
  boost::json::object details;
  details["hop"] = hop_name(hop);
  details["cause"] = cause;
  details["message"] = message;
  details["request_id"] = request_id;
  if (!trace_id.empty()) details["trace_id"] = trace_id;
  boost::json::object body;
  body["error"] = std::move(details);
  Response response = make_response(status, "application/json", boost::json::serialize(body) + "\n");
  if (status == 503) response.fields.add("Retry-After", "2");
  if (status == 429) response.fields.add("Retry-After", "1");
  return response;
}

}  // namespace

int status_of(boost::system::error_code error) noexcept {
  if (error.category() != error_category()) return 502;
  switch (static_cast<Error>(error.value())) {
    case Error::malformed:
    case Error::truncated: return 400;
    case Error::destination_denied:
    case Error::address_denied: return 403;
    case Error::not_found:
    case Error::destination_unknown:
    case Error::no_route: return 404;
    case Error::timed_out:
    case Error::body_timed_out: return 408;
    case Error::body_too_large: return 413;
    case Error::target_too_long: return 414;
    case Error::header_too_large: return 431;
    case Error::rate_limited: return 429;
    case Error::not_implemented: return 501;
    case Error::no_agent:
    case Error::no_link:
    case Error::queue_full:
    case Error::draining:
    case Error::unavailable:
    case Error::stream_refused: return 503;
    case Error::upstream_timeout:
    case Error::destination_timeout: return 504;
    case Error::version_not_supported: return 505;
    default: return 502;
  }
}

Response error_response(boost::system::error_code error, std::string_view request_id,
                        std::string_view trace_id) {
  return describe(status_of(error), hop_of(error), error_name(error), error.message(), request_id, trace_id);
}

Response error_response(int status, std::string_view cause, std::string_view message,
                        std::string_view request_id) {
  return describe(status, Hop::edge, cause, message, request_id);
}

}  // namespace rockdove::http
