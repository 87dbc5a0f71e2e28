// HTTP/1.1 heads and chunked bodies, bytes in and values out: no socket in sight (RFC 9112).
#pragma once

#include "base/error.hpp"
#include "http/fields.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rockdove::http {

struct HeadLimits {
  std::size_t target_bytes = 8 * 1024;   ///< longer: Error::target_too_long
  std::size_t header_bytes = 64 * 1024;  ///< whole head, first line included: Error::header_too_large
  std::size_t fields = 200;              ///< more fields: Error::header_too_large
};

/// How the end of a message's body is found (RFC 9112 section 6.3).
enum class Framing { none, length, chunked, until_close };

/// A parsed head: all fields as received, in order, hop-by-hop ones included. A value is without the
/// white space around it and otherwise byte for byte.
struct RequestHead {
  std::string method;
  std::string target;
  int minor_version = 1;
  Fields fields;
  Framing framing = Framing::none;  // none, length or chunked
  std::uint64_t content_length = 0;
  bool keep_alive = true;
};

struct ResponseHead {
  int status = 0;
  int minor_version = 1;
  Fields fields;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
};

/// The size in bytes of the head at the start of `bytes`, its final empty line included; 0 if more
/// bytes are needed. Errors: header_too_large once `limits` are passed; malformed at the first bare LF,
/// bare CR or NUL, so that a bad head is answered before it is complete. For a request, up to one empty
/// line before the request line is skipped and counted (section 2.2). `scanned` says how many bytes of `bytes` an
/// earlier call has looked at, and is advanced: a head that comes byte by byte costs linear time.
Result<std::size_t> find_head(std::string_view bytes, const HeadLimits& limits, std::size_t& scanned);

/// Parses a whole head as found by find_head(). Refused as malformed: no or two spaces in the request line,
/// obs-fold, white space before a colon, empty or non-token names, control bytes in values, Content-Length together
/// with Transfer-Encoding, differing or repeated or signed or overflowing Content-Length, Transfer-Encoding in HTTP/1.0,
/// no or several Host in HTTP/1.1, a Host value that is not host[:port], a fragment or bytes outside 0x21..0x7e (0x80..0xff allowed) in the target.
/// Targets: origin-form for every method, `*` for OPTIONS only, authority-form for CONNECT only,
/// absolute-form as received (the ingress refuses it). Transfer codings other than exactly one `chunked`:
/// not_implemented. HTTP/1.0 is accepted; other versions: version_not_supported (malformed if it is no HTTP version at all).
Result<RequestHead> parse_request_head(std::string_view head, const HeadLimits& limits);

/// Parses a response head that answers a request of `method`; framing as section 6.3 orders.
Result<ResponseHead> parse_response_head(std::string_view head, const HeadLimits& limits, std::string_view method);

/// Decodes a chunked body (section 7.1). Feed it what arrives; it never copies data.
class ChunkedDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;   ///< bytes of the input that are done with
    std::string_view data;      ///< body bytes, a view into the input; may be empty
    bool finished = false;      ///< the final chunk and the trailer section have been read
  };

  explicit ChunkedDecoder(const HeadLimits& limits) : limits_(limits) {}

  /// Handles the next part of `bytes`: call again with the rest while consumed > 0 and not finished.
  /// malformed: bad size digits, more than 16 of them, bare LF, data not followed by CRLF, chunk
  /// extensions longer than 256 bytes, bad trailer fields. header_too_large: trailers over the limits.
  Result<Step> feed(std::string_view bytes);
  const Fields& trailers() const { return trailers_; }

 private:
  enum class State { size, data, data_end, trailers, done };
  HeadLimits limits_;
  State state_ = State::size;
  std::uint64_t left_ = 0;
  std::size_t trailer_bytes_ = 0;
  Fields trailers_;
};

/// True if `text` is a token (RFC 9110 section 5.6.2), as methods and field names are.
bool is_token(std::string_view text) noexcept;
/// True if `value` may stand in a field line: no control bytes but TAB, no white space at its ends.
bool is_field_value(std::string_view value) noexcept;

}  // namespace rockdove::http
