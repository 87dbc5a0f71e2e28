#include "inbox/canned_answer.hpp"

namespace rockdove::inbox {

constexpr std::size_t fields_room = 4, fields_bytes_room = 128;  // its own and those that are added

http::Response make_response(CannedAnswer answer) {
  http::Response response;
  response.status = answer.status;
  if (http::is_bodiless({}, answer.status)) return response;
  response.fields.reserve(fields_room, fields_bytes_room);
  if (!answer.type.empty()) response.fields.add("Content-Type", answer.type);
  response.fields.add("Content-Length", std::to_string(answer.body.size()));
  response.has_body = true;
  response.content = std::move(answer.body);
  return response;
}

}  // namespace rockdove::inbox
