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
  Framing framing = Framing::none;   // none, length or chunked
  std::uint64_t content_length = 0;  ///< with Framing::length
  bool keep_alive = true;            ///< the connection may serve another request (section 9.3)
};

struct ResponseHead {
  int status = 0;
  int minor_version = 1;
  Fields fields;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
};

/// The size in bytes of the head at the start of `bytes`, its final empty line included; 0 if more bytes are
/// needed. Errors: malformed at the first bare LF, bare CR, NUL or other control byte but TAB, so that a bad
/// head is answered before it is complete; header_too_large once header_bytes are here without an end (the
/// other limits are the parsers' to check). Up to one empty line before the first line is skipped and counted
/// (RFC 9112 section 2.2). `scanned` says how many bytes of `bytes` an earlier call has looked at, 0 for a
/// new head, and is advanced: a head that comes byte by byte costs linear time and gets the same answer.
Result<std::size_t> find_head(std::string_view bytes, const HeadLimits& limits, std::size_t& scanned);

/// Parses a whole head as found by find_head(), over no more and no less. Refused as malformed: no or two
/// spaces in the request line, obs-fold, white space before a colon, empty or non-token names, control bytes
/// in values, Content-Length together with Transfer-Encoding, either of them repeated, Content-Length that is
/// not digits only or overflows, Transfer-Encoding in HTTP/1.0, no Host in HTTP/1.1, several Host, a Host
/// value that is not host[:port], a fragment or bytes outside 0x21..0x7e (0x80..0xff allowed) in the target.
/// Targets: authority-form (host:port) for CONNECT and only for it, `*` for OPTIONS only, origin-form, and
/// absolute-form as received (the ingress refuses it). Well-formed transfer codings other than exactly one
/// `chunked`: not_implemented. HTTP/1.0 is accepted; other versions: version_not_supported (malformed if it
/// is no HTTP version at all).
Result<RequestHead> parse_request_head(std::string_view head, const HeadLimits& limits);

/// Parses a response head that answers a request of `method`, as strictly; framing as RFC 9112 section 6.3
/// orders: none for HEAD, 1xx, 204, 304 and for 2xx to CONNECT, whatever the fields say.
Result<ResponseHead> parse_response_head(std::string_view head, const HeadLimits& limits,
                                         std::string_view method);

/// Decodes a chunked body (RFC 9112 section 7.1). Feed it what arrives, in pieces of any size; it never
/// copies data. After an error it is of no more use.
class ChunkedDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  ///< bytes of the input that are done with
    std::string_view data;     ///< body bytes, a view into the input; may be empty
    bool finished = false;     ///< the final chunk and the trailer section have been read
  };

  explicit ChunkedDecoder(const HeadLimits& limits) : limits_(limits) {}

  /// Handles the next part of `bytes`: all of it, or up to the second piece of data, or up to the body's end;
  /// call again with the rest. An unfinished line is kept inside, so nothing need be fed twice.
  /// malformed: bad size digits, more than 16 of them, bare LF, data not followed by CRLF, chunk
  /// extensions longer than 256 bytes, bad trailer fields, Content-Length, Transfer-Encoding or Host among
  /// them. header_too_large: trailers over the limits.
  Result<Step> feed(std::string_view bytes);
  /// Valid as long as the decoder; complete once finished.
  const Fields& trailers() const { return trailers_; }

 private:
  enum class State { size, extension, size_lf, data, data_cr, data_lf, trailers, done };

  bool take_frame_byte(char c) noexcept;
  Result<std::size_t> take_trailers(std::string_view rest);

  HeadLimits limits_;
  State state_ = State::size;
  std::uint32_t length_ = 0;  // of the size's digits or the extension so far, in bytes
  std::uint64_t left_ = 0;    // of the chunk, in bytes
  std::string trailer_text_;  // the trailer section until it is whole
  std::size_t trailer_scanned_ = 0;
  Fields trailers_;
};

/// True if `text` is a token (RFC 9110 section 5.6.2), as methods and field names are.
bool is_token(std::string_view text) noexcept;
/// Fields that say where a message ends or where it goes mean nothing after it (RFC 9110 section 6.5.1),
/// and something to a recipient that merges trailers into the header.
bool is_trailer_name(std::string_view name) noexcept;
/// True if `value` may stand in a field line: no control bytes but TAB, no white space at its ends.
bool is_field_value(std::string_view value) noexcept;

}  // namespace rockdove::http
