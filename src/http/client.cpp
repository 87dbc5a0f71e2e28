#include "http/client.hpp"

#include "http/hop_by_hop.hpp"
#include "http/wire_body.hpp"
#include "net/dial.hpp"
#include "net/peek.hpp"

#include <charconv>
#include <limits>
#include <utility>

namespace rockdove::http {

/// One request on one connection, shared by the coroutine that reads the answer and the one that sends
/// the request's body.
struct ClientExchange {
  ClientExchange(Client& owner, std::shared_ptr<Wire> connection, bool was_used)
      : client(owner), wire(std::move(connection)), reused(was_used) {}
  ~ClientExchange() {
    if (!wire) return;
    wire->reset();
    client.released();
  }

  /// Both directions are done, or one has failed: the connection goes back, or away.
  void settle() {
    if (!wire || sending || receiving) return;
    if (keep_alive && !broken && wire->is_open() && !wire->is_closed() && wire->buffered().empty()) {
      client.keep(std::exchange(wire, nullptr));
    } else {
      std::exchange(wire, nullptr)->close();
      client.released();
    }
  }

  Client& client;
  std::shared_ptr<Wire> wire;
  const bool reused;
  bool sending = false, receiving = true, keep_alive = false, broken = false;
  std::uint64_t sent = 0;
  boost::system::error_code sender_error;
  bool was_unseen = false;  // the upstream closed before its system had a byte of the request
};

namespace {

// A smaller body is copied behind its head: one buffer is cheaper to send than a list of them.
constexpr std::size_t copied_bytes = 8 * 1024;
constexpr std::size_t one_record = 16 * 1024;  // of TLS: none of it can be read before all of it is there
constexpr int interims_max = 32;
constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

bool is_idempotent(std::string_view method) {
  for (const std::string_view each : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
    if (method == each) return true;
  return false;
}

/// Whether the body, as far as it is known, is of the length that the head announces. One of another length
/// would be taken for the beginning of the next request, whoever's that is.
bool has_true_length(const Request& request) {
  if (request.fields.contains("transfer-encoding")) return false;
  if (!request.fields.contains("content-length")) return true;
  const auto length = announced_length(request.fields);
  if (!length) return false;
  if (!request.upgrade.empty()) return *length == 0;
  return request.body ? request.content.size() <= *length : request.content.size() == *length;
}

boost::system::error_code as_upstream_error(boost::system::error_code error) {
  if (error.category() != error_category()) return Error::upstream_reset;
  switch (static_cast<Error>(error.value())) {
    case Error::malformed:
    case Error::header_too_large:
    case Error::not_implemented:
    case Error::version_not_supported: return Error::upstream_malformed;
    case Error::timed_out: return Error::upstream_timeout;
    case Error::closed:
    case Error::truncated: return Error::upstream_reset;
    default: return error;
  }
}

std::string authority_of(const Client::Options& options) {
  const bool is_default = options.address.port == (options.tls ? 443 : 80);
  const std::string text = to_string(options.address);
  return is_default ? text.substr(0, text.rfind(':')) : text;
}

}  // namespace

Client::Client(net::Executor executor, Options options)
    : executor_(executor),
      options_(std::move(options)),
      authority_(authority_of(options_)),
      group_(executor, net::abort_on_error),
      sweep_(net::Deadlines::of(executor.context()), [this] {
        const auto oldest = net::Clock::now() - options_.keep_alive_timeout;
        while (!idle_.empty() && idle_.back().since <= oldest) {
          idle_.back().wire->close();
          idle_.pop_back();
          released();
        }
        if (!idle_.empty()) sweep_.set(idle_.back().since - oldest);
      }) {
  if (options_.tls) tls_ = net::make_client_tls(options_.trust);
}

Client::~Client() = default;

Awaitable<Result<Response>> Client::handle(Request&& request) {
  if (!has_true_length(request)) co_return Error::malformed;
  const bool is_whole = !request.body;
  for (bool is_first = true;; is_first = false) {
    auto place = take_place();
    if (!place) {
      auto waited = co_await wait_for_place();
      if (!waited) co_return waited.error();
      place = std::move(*waited);
    }
    struct Held {
      Client* client;
      ~Held() {
        if (client) client->released();
      }
    } held{this};
    std::shared_ptr<Wire> wire = std::move(*place);
    // It may have been closed a moment ago, or brought an answer that nobody has asked for, and the loop has
    // not come to it.
    const bool is_fit = wire && is_first && is_usable(*wire) && !net::is_readable(wire->stream().tcp());
    if (wire && !is_fit) std::exchange(wire, nullptr)->close();
    const bool reused = wire != nullptr;
    if (!wire) {
      auto connected = co_await connect();
      if (!connected) co_return connected.error();
      wire = *connected;
    }
    held.client = nullptr;  // the exchange's now
    if (request.context.record) request.context.record->reached = wire->stream().peer().address();
    const auto used = wire;
    const std::uint64_t before = used->bytes_read();
    auto exchange = std::make_shared<ClientExchange>(*this, std::move(wire), reused);
    auto response = co_await attempt(exchange, request);
    // The upstream may have closed a kept connection just as it was taken (RFC 9110 section 9.2.2).
    const bool was_stale = !response && response.error() == Error::upstream_reset && reused;
    const bool is_silent = used->bytes_read() == before;
    if (was_stale && is_silent && is_whole && (exchange->was_unseen || is_idempotent(request.method)))
      continue;
    co_return response;
  }
}

Awaitable<Result<Response>> Client::attempt(ExchangePtr exchange, Request& request) {
  std::string_view tail;
  std::string start = compose(request, tail);
  const bool is_small = request.content.size() <= copied_bytes;
  if (is_small) start.append(request.content).append(tail);
  const Wire::Parts parts = is_small ? Wire::Parts{start} : Wire::Parts{start, request.content, tail};
  auto sent = co_await exchange->wire->write(parts, options_.first_byte_timeout);
  if (!sent) co_return as_upstream_error(sent.error());
  // Left without an answer, whatever the reason: who still sends the body ends too.
  struct GiveUp {
    ClientExchange& exchange;
    bool is_answered = false;
    ~GiveUp() {
      if (!is_answered && exchange.wire) exchange.wire->reset();
    }
  } give_up{*exchange};
  if (request.has_body && request.body) {
    exchange->sending = true;
    std::optional<std::uint64_t> length = announced_length(request.fields);
    if (length) *length -= request.content.size();
    group_.spawn(send_body(exchange, std::move(request.body), length));
  }
  auto head = co_await read_head(exchange, request);
  if (!head) {
    // Its FIN would have acknowledged what had come before it: then it had ended the connection before the
    // request came. What lies under TLS has a length of its own, longer by a record's head at least.
    net::Stream& stream = exchange->wire->stream();
    const std::size_t size = is_small ? start.size() + (stream.is_tls() ? 1 : 0) : unlimited;
    exchange->was_unseen =
        head.error() == Error::closed && size <= one_record && net::unacknowledged(stream.tcp()) >= size;
    if (exchange->sender_error) co_return as_upstream_error(exchange->sender_error);
    co_return as_upstream_error(head.error());
  }
  give_up.is_answered = true;
  co_return make_response_of(exchange, std::move(*head), request);
}

/// What goes before the content that is at hand, and, as `tail`, behind it.
std::string Client::compose(const Request& request, std::string_view& tail) const {
  std::string start = write_head(request);
  const bool chunked = request.has_body && !request.fields.contains("content-length");
  if (!chunked) return start;
  if (request.content.empty()) {
    tail = request.body ? "" : "0\r\n\r\n";
    return start;
  }
  char digits[20];
  const auto size = std::to_chars(digits, digits + sizeof digits, request.content.size(), 16);
  start.append(digits, size.ptr).append("\r\n");
  tail = request.body ? "\r\n" : "\r\n0\r\n\r\n";
  return start;
}

/// Without a length the body is written in chunks.
Awaitable<void> Client::send_body(ExchangePtr exchange, std::unique_ptr<Body> body,
                                  std::optional<std::uint64_t> length) {
  struct Done {
    ExchangePtr exchange;
    bool is_whole = false;
    ~Done() {
      if (!is_whole) exchange->broken = true;
      exchange->sending = false;
      exchange->settle();
    }
  } done{exchange};
  auto written = co_await write_body(*exchange->wire, *body, !length, options_.idle_timeout, exchange->sent,
                                     length.value_or(unlimited));
  if (written && length && length != unlimited && exchange->sent != *length) written = Error::truncated;
  done.is_whole = written.has_value();
  if (written) co_return;
  // Half a body must not look like a whole one: the upstream sees a reset. Its answer, if it gave
  // one early, may still be read.
  exchange->sender_error = written.error();
  if (exchange->receiving && written.error().category() == error_category() && exchange->wire)
    exchange->wire->reset();
}

/// The final response's head; interim ones are passed on.
Awaitable<Result<ResponseHead>> Client::read_head(ExchangePtr exchange, const Request& request) {
  Wire& wire = *exchange->wire;
  const auto asked = request.context.first_byte_timeout;
  const auto limit = asked > net::Duration::zero() ? asked : options_.first_byte_timeout;
  std::size_t scanned = 0;
  int interims = 0;
  while (true) {
    const std::string_view bytes = wire.buffered();
    const auto size = find_head(bytes, options_.head, scanned);
    if (!size) co_return size.error();
    if (*size == 0) {
      const std::uint64_t sent = exchange->sent;
      auto more = co_await wire.more(limit, options_.head.header_bytes + 2);
      const bool still_sending = !more && more.error() == Error::timed_out && exchange->sent != sent;
      if (!more && !still_sending) co_return more.error();
      continue;
    }
    auto head = parse_response_head(bytes.substr(0, *size), options_.head, request.method);
    wire.consume(*size);
    scanned = 0;
    if (!head) co_return head.error();
    const bool is_interim = head->status < 200 && head->status != 101;
    if (!is_interim) {
      const bool is_unasked_switch = head->status == 101 && request.upgrade.empty();
      if (is_unasked_switch) co_return Error::malformed;
      co_return head;
    }
    remove_hop_by_hop(head->fields);
    if (++interims > interims_max) co_return Error::malformed;
    if (request.on_interim) request.on_interim(head->status, head->fields);
  }
}

Response Client::make_response_of(ExchangePtr exchange, ResponseHead head, Request& request) {
  Response response;
  response.status = head.status;
  response.switched = head.status == 101 || (request.method == "CONNECT" && head.status / 100 == 2);
  response.fields = std::move(head.fields);
  remove_hop_by_hop(response.fields);
  exchange->keep_alive = head.keep_alive && !response.switched;
  Wire& wire = *exchange->wire;
  if (!response.switched) {
    response.has_body = head.framing != Framing::none;
    const bool is_here = head.framing == Framing::length && wire.buffered().size() >= head.content_length;
    if (!response.has_body || is_here) {
      response.content.assign(wire.buffered().substr(0, response.has_body ? head.content_length : 0));
      wire.consume(response.content.size());
      exchange->receiving = false;
      exchange->settle();
      return response;
    }
  }
  response.has_body = true;
  WireBody::Options options;
  options.framing = response.switched ? Framing::until_close : head.framing;
  options.length = head.content_length;
  options.idle = response.switched ? net::Duration::zero() : options_.idle_timeout;
  options.limits = options_.head;
  options.on_end = [exchange](bool whole, std::uint64_t) {
    exchange->receiving = false;
    if (!whole) exchange->broken = true;
    if (!whole && exchange->wire) exchange->wire->reset();
    exchange->settle();
  };
  response.body = std::make_unique<WireBody>(exchange->wire, std::move(options));
  if (response.switched && request.body) {
    exchange->sending = true;
    group_.spawn(send_switched(exchange, std::move(request.body)));
  }
  return response;
}

/// After a protocol switch: the caller's bytes, then its end as ours.
Awaitable<void> Client::send_switched(ExchangePtr exchange, std::unique_ptr<Body> body) {
  const auto wire = exchange->wire;
  co_await send_body(exchange, std::move(body), unlimited);
  if (!exchange->broken && wire->is_open()) co_await wire->stream().shutdown_write();
}

std::string Client::write_head(const Request& request) const {
  std::string head;
  head.reserve(96 + request.target.size() + request.fields.bytes() + 4 * request.fields.size());
  head.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
  if (!request.fields.contains("host")) head.append("Host: ").append(authority_).append("\r\n");
  append_fields(head, request.fields);
  const bool is_switch = !request.upgrade.empty() && request.method != "CONNECT";
  if (is_switch) head.append("Connection: Upgrade\r\nUpgrade: ").append(request.upgrade).append("\r\n");
  if (request.has_body && !request.fields.contains("content-length"))
    head.append("Transfer-Encoding: chunked\r\n");
  head.append("\r\n");
  return head;
}

Awaitable<Result<void>> Client::probe() {
  net::DialOptions dial_options{options_.connect_timeout, options_.permits};
  auto socket = co_await net::dial(options_.address, dial_options);
  if (!socket) co_return socket.error();
  co_return Result<void>{};
}

/// The caller holds a place for it.
Awaitable<Result<std::shared_ptr<Wire>>> Client::connect() {
  const net::DialOptions dial_options{options_.connect_timeout, options_.permits};
  auto socket = co_await net::dial(options_.address, dial_options);
  if (!socket) {
    if (options_.on_connect) options_.on_connect(socket.error());
    if (socket.error() == Error::address_denied) co_return socket.error();
    co_return Error::upstream_refused;
  }
  net::Stream stream(std::move(*socket));
  Result<void> secured;
  if (tls_) {
    net::Deadline limit(net::Deadlines::of(executor_.context()), [&stream] { stream.close(); });
    limit.set(options_.connect_timeout);
    secured = co_await stream.connect_tls(*tls_, options_.trust, options_.address.host);
  }
  if (options_.on_connect) options_.on_connect(secured);
  if (!secured) co_return Error::upstream_refused;
  co_return std::make_shared<Wire>(std::move(stream));
}

Awaitable<void> Client::close() {
  sweep_.clear();  // a time limit that is still set keeps the loop going
  for (Idle& each : std::exchange(idle_, {})) {
    each.wire->close();
    released();
  }
  group_.cancel();
  co_await group_.join();
}

}  // namespace rockdove::http
