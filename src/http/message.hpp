// What travels between the parts of the program: one request, one response, streaming bodies.
#pragma once

#include "http/fields.hpp"
#include "net/asio.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace rockdove::http {

/// Bytes that come piece by piece, pulled by whoever needs them: a slow reader slows the sender.
/// Destroying a body that is not at its end gives the exchange's incoming direction up.
class Body {
 public:
  virtual ~Body() = default;
  /// The next piece; empty means the end. The view is valid until the next read() or destruction.
  /// One read() at a time.
  virtual Awaitable<Result<std::string_view>> read() = 0;
  /// The trailer section (RFC 9110 section 6.5); complete once read() has returned the end.
  virtual const Fields& trailers() const;
};

/// What an operator wants to know of one exchange on the public side. Filled along the way by those
/// who know; given to Server::Options::on_done at the end.
struct Record {
  std::string request_id, method, target, route, tunnel, agent;
  std::string trace_id;  ///< of traceparent (http/trace_context.hpp); empty: it has none
  net::Address peer;
  net::Address reached;             ///< whom http::Client has connected to for it, in this process
  int status = 0;                   ///< as sent to the caller; 0: it went away first
  boost::system::error_code error;  ///< why there was no, or no whole, answer from the upstream
  net::Clock::time_point started, answered, ended;  ///< head parsed, answer's head known, last byte out
  std::uint64_t bytes_in = 0, bytes_out = 0;        ///< body bytes
  /// Up to the answer's head: until it was on a link; on the way there and back; at the agent. Zero where no
  /// link has answered.
  net::Duration edge{}, link{}, upstream{};
};

/// Fields that are made of what the context knows: whoever hands the request on to the upstream adds them
/// (http/forwarded.hpp), so that they cross a link as what they are made of.
struct MadeFields {
  bool forwarded = false;   ///< X-Forwarded-For: `peer`; -Host: the Host field; -Proto: `tls`
  bool request_id = false;  ///< X-Request-Id: `request_id`
  bool trace = false;       ///< Traceparent, of `request_id`
  bool operator==(const MadeFields&) const = default;
};

/// What the public side knows of a caller, and what travels beside a request without being part
/// of it: never in the header fields, so that no caller can forge it.
struct Context {
  std::string request_id;    ///< unique, 24 lower-case hex digits; in error bodies, logs and X-Request-Id
  MadeFields to_add;         ///< what is still to be added to the fields
  std::string route;         ///< the name of the route that matched
  std::string tunnel;        ///< the tunnel to serve it
  std::string upstream;      ///< the upstream's name at the agent; empty: its default one
  std::string host;          ///< if set, replaces the Host field at the agent; "upstream": its own host
  net::Address peer;         ///< the caller, or what a trusted proxy said of it
  bool tls = false;          ///< the caller's connection is encrypted
  bool stored = false;       ///< on disk already: do not wait for an agent to come back
  Record* record = nullptr;  ///< valid until handle() returns; null where nobody keeps a record
  net::Duration first_byte_timeout{};  ///< for the answer's head; zero: the handler's own default
};

/// A request. A message has at most one body, in two parts: `content`, already here, then what
/// `body` brings. Neither means no body at all; `has_body` tells an empty chunked body from none.
struct Request {
  std::string method;  ///< as received; case-sensitive
  std::string target;  ///< the raw bytes of the request line (RFC 9112 section 3.2)
  Fields fields;       ///< without hop-by-hop fields
  bool has_body = false;
  std::string content;
  std::unique_ptr<Body> body;
  /// The token of the Upgrade field (RFC 9110 section 7.8), or "connect" for CONNECT: the bytes after
  /// the head belong to the new protocol once the response says 101 (2xx for CONNECT).
  std::string upgrade;
  bool used = false;              ///< part of its body has been read already: it cannot be sent a second time
  bool expects_continue = false;  ///< `Expect: 100-continue`: reading the body asks the caller to send it
  /// Called for each 1xx response but 101, in order, before handle() returns. May be empty.
  std::function<void(int status, const Fields& fields)> on_interim;
  Context context;
};

struct Response {
  int status = 200;
  Fields fields;  ///< without hop-by-hop fields
  bool has_body = false;
  std::string content;
  std::unique_ptr<Body> body;
  /// The status is a protocol switch: `body` is what the new protocol's other side sends.
  bool switched = false;
  /// How long the other end of a link says that it took from the request's head to this; zero if it says
  /// nothing.
  net::Duration took{};
};

/// True for a response to `method` that never has a body (RFC 9110 sections 6.4.1, 9.3.2): to HEAD, and
/// 1xx, 204, 304, whatever Content-Length says.
bool is_bodiless(std::string_view method, int status) noexcept;

/// What Content-Length announces; nothing if it does not stand there once, as a number of bytes.
std::optional<std::uint64_t> announced_length(const Fields& fields);

/// The standard reason phrase, or "".
std::string_view reason_phrase(int status) noexcept;

/// A complete response with a body of `type`; sets Content-Type and Content-Length.
Response make_response(int status, std::string_view type, std::string content);

/// Reads all of the message's body into its `content`, at most `limit` bytes
/// (Error::body_too_large). Trailers are dropped.
Awaitable<Result<void>> read_all(Request& request, std::size_t limit);
Awaitable<Result<void>> read_all(Response& response, std::size_t limit);

}  // namespace rockdove::http
