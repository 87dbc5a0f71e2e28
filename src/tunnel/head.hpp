// How the heads of requests and responses look on a link: HTTP/2 fields, our metadata beside them
// (docs/protocol.md, "Heads").
#pragma once

#include "http/message.hpp"
#include "tunnel/h2.hpp"

#include <chrono>

namespace rockdove::tunnel {

/// A head ready to be sent: the list views `texts` and the message it was made from.
struct OutgoingHead {
  H2::HeadList list;
  std::string texts;  // made here: status, times, an address
};

OutgoingHead encode_request(const http::Request& request);
/// `status` and `fields`; for a protocol switch too. `took`: since the request's head; zero: not said.
OutgoingHead encode_response(int status, const http::Fields& fields, net::Duration took = {});
/// The answer that says why there is none.
OutgoingHead encode_error(boost::system::error_code error);

/// Fills `request`, a new one, but for its body. Error::protocol if a pseudo-header field is missing or any
/// part could not stand in HTTP/1.1: the other end is authenticated, but not trusted to be free of bugs.
Result<void> decode_request(http::Fields&& head, http::Request& request);
/// The same of a response, or the error that the other end reports in its place.
Result<void> decode_response(http::Fields&& head, http::Response& response);

/// True if every name and value could stand in HTTP/1.1: to be asked of trailers too.
bool is_safe(const http::Fields& fields);
/// The same for a trailer section, in which nothing may say how the message is framed or where it goes.
bool are_safe_trailers(const http::Fields& fields);

}  // namespace rockdove::tunnel
