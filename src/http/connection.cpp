#include "http/connection.hpp"

#include "http/error_response.hpp"
#include "http/hop_by_hop.hpp"
#include "net/crypto.hpp"

#include <charconv>
#include <limits>

namespace rockdove::http {
namespace {

// Bodies up to this size are read before the request goes on: the upstream needs all of it anyway,
// and a request that is whole can be sent to another agent if the first one refuses it.
constexpr std::size_t gather_bytes = 16 * 1024;
// A smaller body is copied behind its head: one buffer is cheaper to send than a list of them.
constexpr std::size_t copied_bytes = 8 * 1024;
constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_status_line(std::string& out, int status) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(status));
  out.append(" ").append(reason_phrase(status)).append("\r\n");
}

/// A handler's answer may come from another machine: one whose length is not what it says would put the
/// rest of it in the place of the next answer.
bool has_true_length(const Response& response, bool is_head) {
  if (response.switched) return true;
  const auto length = announced_length(response.fields);
  if (!length) return !response.fields.contains("content-length");
  const bool is_here = !response.body && !is_head && !is_bodiless({}, response.status);
  return !is_here || *length == response.content.size();
}

}  // namespace

Connection::Connection(Server& server, net::Stream stream)
    : server_(server),
      wire_(std::make_shared<Wire>(std::move(stream))),
      group_(wire_->stream().executor(), net::abort_on_error) {
  server_.connections_.push_front(this);
  place_ = server_.connections_.begin();
  ++server_.stats_.connections;
}

Connection::~Connection() {
  wire_->on_closed = {};
  wire_->close();
  server_.connections_.erase(place_);
  --server_.stats_.connections;
}

Awaitable<void> Connection::run() {
  group_.spawn(serve());
  co_await group_.join_or_cancel();
}

Awaitable<void> Connection::serve() {
  while (current_.keep_alive && wire_->is_open()) {
    is_idle_ = true;
    idle_since_ = is_first_ ? net::Clock::now() : record_.ended;
    if (server_.draining_ && !is_first_) end_if_idle();  // its answer did not say that it was the last
    wire_->shrink();
    auto head = co_await read_head();
    if (!head) {
      record_ = {};
      current_ = {};
      incoming_.reset();
      if (head.error().category() == error_category() && head.error() != Error::closed) {
        auto rejected = reject(head.error());
        co_await std::move(rejected);
      }
      co_return;
    }
    is_idle_ = false;
    co_await exchange(*head);
  }
}

/// The next request's head. Error::closed where a connection may end.
Awaitable<Result<RequestHead>> Connection::read_head() {
  const Server::Options& options = server_.options_;
  std::size_t scanned = 0;
  const bool is_late = is_first_ && server_.draining_;  // it was accepted just before the end
  const auto idle_until = idle_since_ + (is_late ? options.first_wait : options.keep_alive_timeout);
  net::Clock::time_point head_until{};
  while (true) {
    const std::string_view bytes = wire_->buffered();
    const auto size = find_head(bytes, options.head, scanned);
    if (!size) co_return size.error();
    if (*size > 0) {
      auto head = parse_request_head(bytes.substr(0, *size), options.head);
      wire_->consume(*size);
      co_return head;
    }
    const bool has_begun = !bytes.empty();
    // A head has one time limit from its first byte on, so that a caller that sends a byte now and
    // then (slowloris) does not hold the connection for ever.
    const auto now = net::Clock::now();
    if (has_begun && head_until == net::Clock::time_point{}) head_until = now + options.head_timeout;
    const auto left = (has_begun ? head_until : idle_until) - now;
    if (left <= net::Duration::zero()) co_return has_begun ? Error::timed_out : Error::closed;
    auto more = co_await wire_->more(left, options.head.header_bytes + 2);
    if (more) continue;
    if (more.error() == Error::timed_out) continue;
    if (more.error() == Error::closed && has_begun) co_return Error::truncated;
    co_return more.error();
  }
}

Awaitable<void> Connection::exchange(RequestHead& head) {
  ++server_.stats_.requests;
  record_ = {};
  record_.started = net::Clock::now();
  record_.request_id = net::random_hex(12);
  record_.method = head.method;
  record_.target = head.target;
  record_.peer = wire_->stream().peer().address();
  // Told on every way out of here, a cancelled one too.
  struct Done {
    Connection& connection;
    ~Done() {
      Record& record = connection.record_;
      if (connection.incoming_) record.bytes_in = connection.incoming_->size;
      record.ended = net::Clock::now();
      if (const auto& on_done = connection.server_.options_.on_done) on_done(record);
    }
  } done{*this};

  current_ = {};
  incoming_.reset();
  const std::uint64_t length = head.content_length;
  const std::uint64_t limit = server_.options_.body_bytes;
  boost::system::error_code refused;
  // CONNECT has no content (RFC 9110 section 9.3.6): what follows its head is the tunnel's.
  if (head.method == "CONNECT" && head.framing != Framing::none) refused = Error::malformed;
  else if (head.framing == Framing::length && limit && length > limit) refused = Error::body_too_large;
  if (refused) {
    auto rejected = reject(refused);
    co_await std::move(rejected);
    co_return;
  }
  const bool may_gather = head.framing == Framing::length && length <= gather_bytes;
  Request request = make_request(std::move(head));
  if (may_gather && !current_.wants_continue) {
    auto gathered = co_await gather(request, static_cast<std::size_t>(length));
    if (!gathered) {
      request.body.reset();  // nobody reads on: finish() need not wait for it
      auto rejected = reject(gathered.error() == Error::timed_out ? make_error_code(Error::body_timed_out)
                                                                  : gathered.error());
      co_await std::move(rejected);
      co_return;
    }
  }
  // The exchange is given up when the caller goes away meanwhile.
  struct Watch {
    explicit Watch(Wire& watched) : wire(watched) {}
    Wire& wire;
    ~Watch() { wire.on_closed = {}; }
  };
  auto watch = std::make_optional<Watch>(*wire_);
  wire_->on_closed = [this] { group_.cancel(); };
  // What follows an upgrade request nobody reads before that has its answer.
  if (!request.body || !request.upgrade.empty()) wire_->watch(!request.upgrade.empty());
  end_wait();
  auto response = co_await server_.handler_.handle(std::move(request));
  request.body.reset();  // who did not take it will not read it
  std::string().swap(request.content);
  if (response && response->switched) watch.reset();  // the caller's end is the new protocol's business
  record_.answered = net::Clock::now();
  if (response && !has_true_length(*response, current_.is_head)) response = Error::upstream_malformed;
  if (!response) {
    record_.error = response.error();
    response = error_response(record_.error, record_.request_id, record_.trace_id);
  }
  co_await answer(*response);
  response->body.reset();  // an answer that is done with tells its sender to stop taking the request
  watch.reset();
  if (!current_.keep_alive) co_await finish();
}

Request Connection::make_request(RequestHead&& head) {
  current_.is_head = head.method == "HEAD";
  current_.is_http10 = head.minor_version == 0;
  current_.keep_alive = head.keep_alive && !server_.draining_;
  Request request;
  const bool asks_upgrade = head.minor_version == 1 && head.framing == Framing::none &&
                            head.method == "GET" && head.fields.has_token("connection", "upgrade");
  if (head.method == "CONNECT") request.upgrade = "connect";
  else if (asks_upgrade) request.upgrade = head.fields.get("upgrade").value_or("");
  current_.upgrade = request.upgrade;
  const bool expects = head.minor_version == 1 && head.fields.has_token("expect", "100-continue");
  request.expects_continue = expects && head.framing != Framing::none;
  if (request.expects_continue) current_.wants_continue = std::make_shared<bool>(true);
  request.has_body = head.framing != Framing::none;
  const bool is_empty = head.framing == Framing::length && head.content_length == 0;
  incoming_.reset();
  if ((request.has_body && !is_empty) || !request.upgrade.empty()) request.body = make_body(head);
  request.method = std::move(head.method);
  request.target = std::move(head.target);
  request.fields = std::move(head.fields);
  remove_hop_by_hop(request.fields);
  request.context.request_id = record_.request_id;
  request.context.peer = record_.peer;
  request.context.tls = wire_->stream().is_tls();
  request.context.record = &record_;
  if (current_.is_http10) return request;
  request.on_interim = [this](int status, const Fields& fields) {
    const bool is_continue = status == 100;
    if (is_continue && !(current_.wants_continue && std::exchange(*current_.wants_continue, false))) return;
    wire_->write_soon(interim(status, fields));
  };
  return request;
}

std::unique_ptr<Body> Connection::make_body(const RequestHead& head) {
  incoming_ = std::make_shared<Incoming>(wire_->stream().executor());
  WireBody::Options options;
  const bool is_raw = head.framing == Framing::none;  // what follows an upgrade: no limits of ours
  options.framing = is_raw ? Framing::until_close : head.framing;
  options.length = head.content_length;
  options.length_max = is_raw ? 0 : server_.options_.body_bytes;
  options.idle = is_raw ? net::Duration::zero() : server_.options_.body_idle_timeout;
  options.idle_error = Error::body_timed_out;
  options.limits = server_.options_.head;
  options.on_end = [incoming = incoming_, wire = std::weak_ptr(wire_)](bool whole, std::uint64_t size) {
    incoming->open = false;
    incoming->whole = whole;
    incoming->size = size;
    incoming->ended.notify();
    if (const auto alive = wire.lock(); alive && whole) alive->watch();
  };
  if (current_.wants_continue)
    options.on_first_wait = [wanted = current_.wants_continue, wire = std::weak_ptr(wire_)] {
      if (const auto alive = wire.lock(); alive && std::exchange(*wanted, false))
        alive->write_soon(interim(100, {}));
    };
  return std::make_unique<WireBody>(wire_, std::move(options));
}

/// Moves a small body from the connection into the request.
Awaitable<Result<void>> Connection::gather(Request& request, std::size_t size) {
  while (wire_->buffered().size() < size) {
    auto more = co_await wire_->more(server_.options_.body_idle_timeout);
    if (!more) co_return more.error() == Error::closed ? make_error_code(Error::truncated) : more.error();
  }
  request.content.assign(wire_->buffered().substr(0, size));
  request.body.reset();
  wire_->consume(size);
  record_.bytes_in = size;
  incoming_.reset();
  co_return Result<void>{};
}

Awaitable<void> Connection::answer(Response& response) {
  const net::Duration limit = server_.options_.write_timeout;
  const bool has_body = response.switched || !(current_.is_head || is_bodiless({}, response.status));
  const auto announced = announced_length(response.fields);
  const bool has_length = announced.has_value();
  const std::uint64_t length = response.switched ? unlimited : announced.value_or(unlimited);
  const bool chunked = has_body && !response.switched && !has_length && !current_.is_http10;
  const bool ends_by_close = response.switched || (has_body && !has_length && current_.is_http10);
  if (ends_by_close || server_.draining_) current_.keep_alive = false;
  current_.is_switched = response.switched;
  // Not switched: what follows is the next request after all.
  if (!current_.upgrade.empty() && !response.switched && incoming_ && !incoming_->open) incoming_.reset();
  // Not a request: a body that nobody asked for, the rest of one that broke, what follows a CONNECT (RFC
  // 9931).
  const bool is_unwanted = current_.wants_continue && std::exchange(*current_.wants_continue, false);
  const bool is_broken = incoming_ && !incoming_->open && !incoming_->whole;
  const bool is_early = !response.switched && current_.upgrade == "connect" && !wire_->buffered().empty();
  if (is_unwanted || is_broken || is_early) current_.keep_alive = false;
  record_.status = response.status;
  const bool needs_length = has_body && !has_length && !chunked && !response.body && !response.switched;
  std::string head = write_head(response, chunked, needs_length);
  if (!has_body) response.content.clear();
  record_.bytes_out = response.content.size();

  const bool is_whole = !response.body || !has_body;
  if (chunked && !response.content.empty()) {
    char digits[20];
    head.append(digits, std::to_chars(digits, digits + sizeof digits, response.content.size(), 16).ptr)
        .append("\r\n");
  }
  const std::string_view tail = !chunked                   ? ""
                                : response.content.empty() ? (is_whole ? "0\r\n\r\n" : "")
                                : is_whole                 ? "\r\n0\r\n\r\n"
                                                           : "\r\n";
  const bool is_small = response.content.size() <= copied_bytes;
  if (is_small) head.append(response.content).append(tail);
  const Wire::Parts parts = is_small ? Wire::Parts{head} : Wire::Parts{head, response.content, tail};
  auto written = co_await wire_->write(parts, limit);
  if (written && !is_whole)
    written = co_await write_body(*wire_, *response.body, chunked, limit, record_.bytes_out, length);
  const bool is_short = has_length && has_body && !response.switched && record_.bytes_out != length;
  if (written && is_short) written = Error::stream_reset;
  if (incoming_ && !incoming_->whole) current_.keep_alive = false;
  if (written) co_return;
  record_.error = written.error();
  current_.keep_alive = false;
  wire_->reset();  // never an orderly end to an answer that is not whole
}

std::string Connection::write_head(const Response& response, bool chunked, bool needs_length) {
  std::string head;
  head.reserve(160 + response.fields.bytes() + 4 * response.fields.size());
  append_status_line(head, response.status);
  append_fields(head, response.fields);
  if (response.switched && response.status == 101) {
    head.append("Connection: Upgrade\r\nUpgrade: ").append(current_.upgrade).append("\r\n");
  } else if (!response.switched) {
    if (chunked) head.append("Transfer-Encoding: chunked\r\n");
    if (needs_length) {
      head.append("Content-Length: ");
      append_number(head, response.content.size());
      head.append("\r\n");
    }
    if (!current_.keep_alive) head.append("Connection: close\r\n");
    else if (current_.is_http10) head.append("Connection: keep-alive\r\n");
  }
  head.append("\r\n");
  return head;
}

std::string Connection::interim(int status, const Fields& fields) {
  std::string head;
  append_status_line(head, status);
  append_fields(head, fields);
  head.append("\r\n");
  return head;
}

/// Answers a request that is not handed on, and ends the connection.
Awaitable<void> Connection::reject(boost::system::error_code error) {
  end_wait();
  ++server_.stats_.rejected;
  current_.keep_alive = false;
  if (record_.request_id.empty()) record_.request_id = net::random_hex(12);
  record_.error = error;
  Response response = error_response(error, record_.request_id);
  ++server_.stats_.rejections[error_name(error)];
  co_await answer(response);
  co_await finish();
}

}  // namespace rockdove::http
