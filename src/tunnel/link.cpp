// The link itself: reading, writing, liveness. What an exchange does is in exchange.cpp.
#include "tunnel/link.hpp"

#include "net/crypto.hpp"
#include "tunnel/link_stream.hpp"

namespace rockdove::tunnel {
namespace {

constexpr std::size_t read_size = 64 * 1024;
constexpr std::size_t message_enough = 30 * 1024;  // one more frame still fits into 64 KiB
constexpr std::chrono::seconds goodbye_time{1};
constexpr std::chrono::milliseconds measure_pause{10};

}  // namespace

Link::Link(net::Stream socket, Side side, Role role, http::Handler* inbound, Options options, Hooks hooks)
    : socket_(std::move(socket)),
      deadlines_(net::Deadlines::of(socket_.executor().context())),
      side_(side),
      inbound_(inbound),
      options_(options),
      hooks_(std::move(hooks)),
      group_(socket_.executor(), net::abort_on_error),
      h2_(role, options.h2, [this] { return std::make_shared<LinkStream>(socket_.executor(), deadlines_); }),
      decoder_(side),
      dirty_(socket_.executor()),
      idle_(socket_.executor()),
      silence_(deadlines_, [this] { end(Error::timed_out); }),
      next_ping_(deadlines_, [this] { keep_alive(); }),
      goodbye_(deadlines_, [this] { end(Error::closed); }) {
  stats_.since = stats_.last_byte = net::Clock::now();
}

Link::~Link() = default;

Awaitable<boost::system::error_code> Link::run(std::string early) {
  const auto self = shared_from_this();
  // A cancelled run still has to take its coroutines down before it returns.
  co_await net::asio::this_coro::throw_if_cancelled(false);
  running_ = true;
  socket_.tune_for_link(options_.dead_after);
  silence_.set(options_.dead_after);
  group_.spawn(write_loop());
  keep_alive();
  bool usable = true;
  if (!early.empty()) usable = received(early.data(), early.size()).has_value();
  if (usable) co_await read_loop();
  end(Error::closed);
  co_await net::asio::this_coro::reset_cancellation_state(net::asio::disable_cancellation());
  group_.cancel();
  co_await group_.join();
  co_return why_;
}

Awaitable<void> Link::read_loop() {
  std::string buffer(read_size, '\0');
  while (running_) {
    auto [error, size] = co_await socket_.async_read_some(net::asio::buffer(buffer), net::token);
    if (error) {
      end(error == net::asio::error::eof ? make_error_code(Error::closed) : error);
      co_return;
    }
    if (auto handled = received(buffer.data(), size); !handled) end(handled.error());
  }
}

Result<void> Link::received(char* bytes, std::size_t size) {
  stats_.bytes_in += size;
  stats_.last_byte = net::Clock::now();
  silence_.set(options_.dead_after);
  while (size > 0) {
    auto step = decoder_.feed(bytes, size);
    if (!step) return step.error();
    bytes += step->consumed;
    size -= step->consumed;
    if (!step->data.empty()) {
      if (auto fed = h2_.feed(step->data); !fed) return fed.error();
    }
    if (!step->control) continue;
    if (step->opcode == Opcode::close) {
      // What came before it counts: why the other end says goodbye, for one.
      if (auto acted = act_on_news(); !acted) return acted.error();
      return Error::closed;
    }
    if (step->opcode == Opcode::ping && control_out_.size() < 4096)  // more pongs than that nobody reads
      control_out_ += control_frame(side_, Opcode::pong, decoder_.control_payload(), net::random_u32());
  }
  if (auto acted = act_on_news(); !acted) return acted.error();
  // Bulk data is coming: see whether the windows hold it up. A path with a round trip shorter than the
  // pause needs no larger ones.
  const bool is_bulk = h2_.data_received() - data_at_ping_ > h2_.stream_window() / 2;
  if (is_bulk && !ping_is_out_ && stats_.last_byte - ping_sent_ > measure_pause) keep_alive();
  flush_soon();
  return {};
}

/// Acts on what the session has noted; never called from within it.
Result<void> Link::act_on_news() {
  for (const auto& stream : h2_.take_changed()) on_stream_news(std::static_pointer_cast<LinkStream>(stream));
  for (const auto& note : h2_.take_notes())
    if (hooks_.on_note) hooks_.on_note(note);
  if (h2_.take_ping_ack() == ping_number_ && ping_is_out_) measure();
  if (h2_.peer_gone() && !std::exchange(peer_drain_told_, true) && hooks_.on_peer_drain)
    hooks_.on_peer_drain(*h2_.peer_gone());
  if (h2_.open_streams() == 0) idle_.notify();
  return {};
}

void Link::on_stream_news(const std::shared_ptr<LinkStream>& stream) {
  if (stream->outbound_taken || stream->closed) stream->outbound_news.notify();
  stream->inbound_news.notify();
  if (!inbound_) return;
  if (!stream->heads.empty() && !stream->server_task && !stream->closed) {
    if (running_) serve(stream);
  } else if (!stream->heads.empty() && !stream->server_task) {
    h2_.discard(*stream);  // given up before anybody has looked at it
  } else if (stream->closed && stream->reset_code != H2::no_error && stream->server_task) {
    stream->server_task->cancel();  // the caller has gone: so may the call to the upstream
  }
}

Awaitable<void> Link::write_loop() {
  co_await net::asio::this_coro::throw_if_cancelled(false);
  while (running_) {
    co_await dirty_.wait();
    while (running_) {
      out_.assign(frame_header_max, '\0');
      if (!h2_.take(out_, frame_header_max + message_enough)) end(Error::protocol);
      if (auto acted = act_on_news(); !acted) end(acted.error());
      const std::size_t size = out_.size() - frame_header_max;
      if (closing_ && size == 0 && !std::exchange(close_sent_, true))
        control_out_ +=
            control_frame(side_, Opcode::close, std::string_view("\x03\xe8", 2), net::random_u32());
      if ((size == 0 && control_out_.empty()) || !running_) break;
      std::size_t header = 0;
      if (size > 0)
        header =
            frame_in_place(side_, Opcode::binary, out_.data() + frame_header_max, size, net::random_u32());
      boost::system::error_code error;
      if (!control_out_.empty()) {
        const std::string control = std::exchange(control_out_, {});
        auto [failure, written] = co_await socket_.async_write(net::asio::buffer(control), net::token);
        error = failure;
      }
      if (size > 0 && !error) {
        const net::asio::const_buffer message(out_.data() + frame_header_max - header, header + size);
        auto [failure, written] = co_await socket_.async_write(message, net::token);
        stats_.bytes_out += written;
        error = failure;
      }
      if (error) end(error);
    }
  }
}

void Link::flush_soon() {
  dirty_.notify();
}

void Link::keep_alive() {
  if (!running_) return;
  next_ping_.set(options_.ping_interval);
  h2_.relax();
  ping_is_out_ = true;
  ping_sent_ = net::Clock::now();
  data_at_ping_ = h2_.data_received();
  h2_.ping(++ping_number_);
  flush_soon();
}

/// A ping has come back: what arrived meanwhile shows how much the path holds in one round trip.
void Link::measure() {
  ping_is_out_ = false;
  const auto rtt = net::Clock::now() - ping_sent_;
  stats_.rtt = stats_.rtt == net::Duration::zero() ? rtt : (stats_.rtt * 7 + rtt) / 8;
  const std::uint64_t bytes = h2_.data_received() - data_at_ping_;
  h2_.grow_windows(bytes);
}

void Link::end(boost::system::error_code why) {
  if (!std::exchange(running_, false)) return;
  why_ = why;
  silence_.clear();
  next_ping_.clear();
  goodbye_.clear();
  socket_.close();
  dirty_.notify();
  idle_.notify();
  for (const auto& each : h2_.drop_all()) {
    auto& stream = static_cast<LinkStream&>(*each);
    stream.link_lost = stream.cut;
    stream.inbound_news.notify();
    stream.outbound_news.notify();
    if (stream.server_task) stream.server_task->cancel();
  }
}

void Link::drain(std::string_view why) {
  h2_.go_away(why);
  flush_soon();
}

Awaitable<void> Link::wait_idle() {
  while (running_ && h2_.open_streams() > 0) co_await idle_.wait();
}

void Link::close(std::string_view why) {
  if (!running_ || closing_) return;
  h2_.go_away(why);
  closing_ = true;
  goodbye_.set(goodbye_time);
  flush_soon();
}

void Link::abort() {
  end(Error::cancelled);
}

void Link::send_note(std::string text) {
  h2_.send_note(std::move(text));
  flush_soon();
}

}  // namespace rockdove::tunnel
