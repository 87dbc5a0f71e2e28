// What one exchange does on a link: the side that asks, and the side that answers.
#include "tunnel/head.hpp"
#include "tunnel/link.hpp"
#include "tunnel/link_stream.hpp"

#include <utility>

namespace rockdove::tunnel {
namespace {

/// What is sent as a whole and is larger may hold up others, as a body that comes in pieces does.
constexpr std::size_t small_content = 64 * 1024;

/// Counts a body for as long as it is under way.
class CountedBody {
 public:
  explicit CountedBody(std::size_t& count) : count_(count) { ++count_; }
  ~CountedBody() { --count_; }
  CountedBody(const CountedBody&) = delete;
  CountedBody& operator=(const CountedBody&) = delete;

 private:
  std::size_t& count_;
};

}  // namespace

/// The body of an inbound message: credits the sender's window as it is read, and gives the stream up
/// if it is dropped before its end.
class StreamBody final : public http::Body {
 public:
  /// `switched`: what follows a protocol switch may be silent for as long as it likes.
  StreamBody(std::shared_ptr<Link> link, std::shared_ptr<LinkStream> stream, bool switched)
      : link_(std::move(link)),
        counted_(link_->open_bodies_),
        stream_(std::move(stream)),
        switched_(switched) {}

  ~StreamBody() override {
    const bool asks = link_->inbound_ == nullptr;
    const bool has_sent_all = stream_->outbound_last && stream_->outbound_taken;
    // Who answers may leave a request unread: the other end resets the stream once it has the answer.
    // Who asks gives the exchange up, or, when the answer came before the request's end, its rest.
    // After a protocol switch each direction ends for itself.
    if (asks && !finished_) link_->reset(*stream_, H2::cancel);
    else if (asks && !has_sent_all && !switched_) link_->reset(*stream_, H2::no_error);
    else if (!finished_) link_->h2_.discard(*stream_);
  }

  Awaitable<Result<std::string_view>> read() override {
    LinkStream& stream = *stream_;
    credit();
    while (stream.inbound.empty()) {
      if (stream.remote_ended) {
        if (!are_safe_trailers(stream.trailers)) co_return Error::protocol;
        finished_ = true;
        stream.limit.clear();
        co_return std::string_view{};
      }
      if (stream.closed || stream.link_lost) co_return link_->failure_of(stream);
      stream.timed_out = false;
      stream.limit.set(switched_ ? net::Duration::zero() : link_->options_.stream_idle);
      co_await stream.inbound_news.wait();
      if (stream.timed_out) co_return Error::timed_out;
    }
    piece_.clear();
    std::swap(piece_, stream.inbound);
    co_return std::string_view(piece_);
  }

  const http::Fields& trailers() const override { return stream_->trailers; }

 private:
  /// The last piece has gone where it was to go: its room may be filled again.
  void credit() {
    if (piece_.empty()) return;
    link_->h2_.consume(*stream_, piece_.size());
    piece_.clear();
    if (link_->h2_.wants_write()) link_->flush_soon();
  }

  std::shared_ptr<Link> link_;
  const CountedBody counted_;
  std::shared_ptr<LinkStream> stream_;
  const bool switched_;
  std::string piece_;
  bool finished_ = false;
};

/// Resets the stream if the asking coroutine leaves before there is an answer.
class Link::OpenCall {
 public:
  OpenCall(Link& link, LinkStream& stream) : link_(link), stream_(&stream) {}
  ~OpenCall() {
    if (stream_) link_.reset(*stream_, H2::cancel);
  }
  void answered() { stream_ = nullptr; }

 private:
  Link& link_;
  LinkStream* stream_;
};

namespace {

/// The stream's handle on the task that answers it goes before the task does, however that ends.
class ServerTask {
 public:
  explicit ServerTask(LinkStream& stream) : stream_(stream) {}
  ~ServerTask() { stream_.server_task.reset(); }

 private:
  LinkStream& stream_;
};

}  // namespace

Awaitable<Result<http::Response>> Link::handle(http::Request&& request) {
  auto response = co_await call(request);
  if (!response && response.error() == Error::stream_refused) co_return Error::link_lost;
  co_return response;
}

Awaitable<Result<http::Response>> Link::call(http::Request& request) {
  const auto self = shared_from_this();
  if (!takes_streams()) co_return Error::stream_refused;
  if (!request.upgrade.empty() && request.has_body) co_return Error::malformed;
  const auto stream = std::make_shared<LinkStream>(socket_.executor(), deadlines_);
  const bool is_upgrade = !request.upgrade.empty();
  const bool has_body = request.has_body || is_upgrade;
  const OutgoingHead head = encode_request(request);
  if (auto opened = h2_.open(stream, head.list, !has_body); !opened) co_return Error::stream_refused;
  OpenCall open(*this, *stream);
  if (!has_body) stream->outbound_last = true;

  std::optional<CountedBody> large;
  if (request.has_body) {
    stream->content = std::move(request.content);
    if (stream->content.size() > small_content) large.emplace(open_bodies_);
    h2_.send(*stream, stream->content, !request.body);
    stream->body = std::move(request.body);
    if (stream->body) group_.spawn(pump_out(stream, request.expects_continue));
  }
  flush_soon();
  const auto limit = request.context.first_byte_timeout;
  stream->head_limit = limit > net::Duration::zero() ? limit : options_.first_byte;
  stream->limit.set(stream->head_limit);

  while (true) {
    co_await stream->inbound_news.wait();
    http::Response response;
    const auto taken = take_response(stream, request, response);
    if (!taken && !stream->timed_out) continue;  // nothing yet
    stream->limit.clear();
    if (!taken || !*taken) {
      give_back(*stream, request);
      co_return taken ? taken->error() : make_error_code(Error::upstream_timeout);
    }
    open.answered();
    stream->answered = true;
    if (response.switched) {
      stream->body = std::move(request.body);
      group_.spawn(pump_out(stream, false));
    } else if (is_upgrade) {
      h2_.send(*stream, {}, true);
      flush_soon();
    }
    co_return response;
  }
}

/// Makes a request whole again that nobody has read: it may be sent elsewhere.
void Link::give_back(LinkStream& stream, http::Request& request) {
  request.used = stream.body_touched;
  if (!request.has_body || request.used) return;
  request.content = std::move(stream.content);
  request.body = std::move(stream.body);
}

/// Fills `response`, a new one, or says why there will be none; nothing while neither is known. Passes
/// interim ones on.
std::optional<Result<void>> Link::take_response(const std::shared_ptr<LinkStream>& stream,
                                                const http::Request& request, http::Response& response) {
  for (http::Fields& head : std::exchange(stream->heads, {})) {
    if (const auto decoded = decode_response(std::move(head), response); !decoded) return decoded;
    const bool is_interim = response.status < 200 && response.status != 101;
    if (is_interim) {
      if (response.status == 100) stream->go = true;
      stream->outbound_news.notify();
      if (request.on_interim) request.on_interim(response.status, response.fields);
      response = {};
      continue;
    }
    if (response.status == 101 && request.upgrade.empty()) return Error::protocol;
    const bool is_connect = request.method == "CONNECT" && response.status / 100 == 2;
    response.switched = !request.upgrade.empty() && (response.status == 101 || is_connect);
    response.has_body = !stream->bodiless;
    if (stream->remote_ended && stream->trailers.empty() && stream->outbound_last)
      response.content = take_whole(*stream);
    else response.body = make_body(stream, response.switched);
    return Result<void>{};
  }
  if (stream->closed || stream->link_lost) return failure_of(*stream);
  return std::nullopt;
}

/// The body of a message that is here as a whole, as most are: no body object, nothing to wait for.
std::string Link::take_whole(LinkStream& stream) {
  std::string content = std::exchange(stream.inbound, {});
  h2_.consume(stream, content.size());
  return content;
}

std::unique_ptr<http::Body> Link::make_body(const std::shared_ptr<LinkStream>& stream, bool switched) {
  return std::make_unique<StreamBody>(shared_from_this(), stream, switched);
}

boost::system::error_code Link::failure_of(const LinkStream& stream) const {
  if (stream.sender_error) return stream.sender_error;
  if (stream.link_lost) return Error::link_lost;
  if (stream.reset_code == H2::refused_stream) return Error::stream_refused;
  return Error::stream_reset;
}

/// Sends a body piece by piece and ends the stream's outgoing direction.
Awaitable<Result<void>> Link::pump(std::shared_ptr<LinkStream> stream, http::Body& body) {
  const CountedBody under_way(open_bodies_);
  while (true) {
    while (!stream->outbound_taken && !stream->closed && !stream->link_lost)
      co_await stream->outbound_news.wait();
    if (stream->closed || stream->link_lost) co_return failure_of(*stream);
    stream->body_touched = true;
    auto piece = co_await body.read();
    if (!piece) co_return piece.error();
    if (stream->closed || stream->link_lost) co_return failure_of(*stream);
    if (piece->empty()) break;
    h2_.send(*stream, *piece, false);
    flush_soon();
    if (!stream->answered && stream->head_limit > net::Duration::zero())
      stream->limit.set(stream->head_limit);
  }
  stream->outbound_trailers = body.trailers();
  h2_.send(*stream, {}, true);
  flush_soon();
  co_return Result<void>{};
}

/// Sends the request's body, or what follows a protocol switch.
Awaitable<void> Link::pump_out(std::shared_ptr<LinkStream> stream, bool wait_for_go) {
  if (wait_for_go) {  // RFC 9110 section 10.1.1: but not for ever, for many a server never says 100
    net::Deadline patience(deadlines_, [stream] {
      stream->go = true;
      stream->outbound_news.notify();
    });
    patience.set(options_.continue_wait);
    while ((!stream->go || stream->answered) && !stream->closed && !stream->link_lost)
      co_await stream->outbound_news.wait();  // a final answer came instead of 100: nobody wants the body
  }
  // The wait was ours, not the upstream's.
  if (!stream->answered && wait_for_go) stream->limit.set(stream->head_limit);
  if (stream->closed || stream->link_lost) co_return;  // the body is still whole: call() may give it back
  auto sent = co_await pump(stream, *stream->body);
  stream->body.reset();
  if (sent || stream->closed || stream->link_lost) co_return;
  stream->sender_error = sent.error();
  reset(*stream, H2::cancel);
}

/// Starts the task that answers a stream of the other end.
void Link::serve(const std::shared_ptr<LinkStream>& stream) {
  auto request = std::make_unique<http::Request>();
  const auto decoded = decode_request(std::move(stream->heads.front()), *request);
  stream->heads.clear();
  if (!decoded) return reset(*stream, H2::internal_error);
  request->has_body = !stream->bodiless && request->upgrade.empty();
  if (stream->remote_ended && stream->trailers.empty()) request->content = take_whole(*stream);
  else request->body = make_body(stream, !request->upgrade.empty());
  stream->server_task = group_.spawn(answer(stream, std::move(request)));
}

/// Cancelled when the other end resets the stream: nothing is left to be answered then.
Awaitable<void> Link::answer(std::shared_ptr<LinkStream> stream, std::unique_ptr<http::Request> request) {
  const ServerTask running(*stream);
  // Of a size that std::function holds itself; it goes before the stream does.
  request->on_interim = [this, answered = stream.get()](int status, const http::Fields& fields) {
    h2_.respond(*answered, encode_response(status, fields).list, false, false);
    flush_soon();
  };
  const auto began = net::Clock::now();
  auto response = co_await inbound_->handle(std::move(*request));
  request.reset();  // who did not take its body will not read it
  if (!response) {
    h2_.respond(*stream, encode_error(response.error()).list, true, true);
    flush_soon();
    co_return;
  }
  const auto took = net::Clock::now() - began;
  const OutgoingHead head = encode_response(response->status, response->fields, took);
  const bool has_body = response->has_body || response->switched;
  h2_.respond(*stream, head.list, true, !has_body);
  if (has_body) {
    stream->content = std::move(response->content);
    h2_.send(*stream, stream->content, !response->body);
  }
  flush_soon();
  if (!response->body) co_return;
  auto sent = co_await pump(stream, *response->body);
  if (!sent) reset(*stream, H2::internal_error);
}

void Link::reset(LinkStream& stream, std::uint32_t code) {
  h2_.reset(stream, code);
  stream.inbound_news.notify();
  stream.outbound_news.notify();
  flush_soon();
}

}  // namespace rockdove::tunnel
