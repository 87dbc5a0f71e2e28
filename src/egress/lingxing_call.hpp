// A bot's plain business request, checked and brought into the form in which Lingxing gets it.
#pragma once

#include "egress/lingxing_sign.hpp"
#include "http/message.hpp"

#include <string>
#include <variant>
#include <vector>

namespace rockdove::egress {

struct LingxingCall {
  std::string method;
  std::string path;   ///< as received, begins with '/': with the appId what Lingxing limits concurrency by
  std::string query;  ///< the call's own parameters, percent-encoded anew, in their order; may be empty
  bool has_body = false;
  std::string content;                        ///< LingxingBody::text
  http::Fields fields;                        ///< without those that belong to one sending
  std::vector<LingxingParameter> parameters;  ///< of query and body, all with different names
  http::Context context;
};

/// Why a request is no call: status and words for http::error_response().
struct LingxingRefusal {
  int status;
  std::string cause;
  std::string message;
};

/// Takes a request whose body has been read. Refused, because a sign cannot be right or would not be ours:
///  - `bad_target`: not in origin form, a fragment, a bad escape, not UTF-8;
///  - `bad_body`: no JSON object, two members of one name, too deep, too many values; a body with GET;
///  - `unsupported_type` (415): a body of another type than application/json, for instance a file;
///  - `bad_method` (405): neither GET nor POST: Lingxing has no others, and TRACE would show what is signed;
///  - `bad_parameter`: more than lingxing_parameters_max; no name, or a name that is used twice, also once in
///  the query and once in the body;
///  - `reserved_parameter`: access_token, app_key, sign or timestamp. Who signs calls itself holds another
///  token,
///    and that must not be replaced in silence;
///  - `reserved_path` (403): the token endpoints, since a second holder invalidates the token of the first;
///  - `upgrade_refused` (501): CONNECT and protocol switches.
std::variant<LingxingCall, LingxingRefusal> lingxing_call(http::Request request);

/// The request to send: the call with token, appId, time and sign in its query.
http::Request lingxing_request(const LingxingCall& call, const LingxingCommon& common);

}  // namespace rockdove::egress
