// How a caller's connection ends: with all of our answer read, and nothing of the request's body in use.
#include "http/connection.hpp"

#include <utility>

namespace rockdove::http {
namespace {

// A caller that is still sending when we close would meet a reset before it has read our answer:
// so much is read and thrown away first (RFC 9112 section 9.6).
constexpr std::size_t linger_bytes = 1024 * 1024;
constexpr std::chrono::seconds linger_time{2};

}  // namespace

void Connection::end_if_idle() {
  if (!is_idle_ || !wire_->buffered().empty()) return;
  // A request may be on the way: whoever has just connected has done so to ask something, and a busy caller
  // uses the connection again as soon as it has been answered.
  const auto wait = is_first_ ? server_.options_.first_wait : server_.options_.next_wait;
  const auto left = idle_since_ + wait - net::Clock::now();
  if (left <= net::Duration::zero()) return wire_->close();
  last_wait_.emplace(net::Deadlines::of(wire_->stream().executor().context()), [this] {
    if (is_idle_ && wire_->buffered().empty()) wire_->close();
  });
  last_wait_->set(left);
}

/// The request that was waited for is here as far as it has to be.
void Connection::end_wait() {
  is_first_ = false;
  last_wait_.reset();
}

/// Ends the connection so that the caller can read all of our answer first.
Awaitable<void> Connection::finish() {
  if (!wire_->is_open()) co_return;
  net::Deadline patience(net::Deadlines::of(wire_->stream().executor().context()),
                         [this] { wire_->close(); });
  patience.set(linger_time);  // under TLS the goodbye itself may find no room
  co_await wire_->stream().shutdown_write();
  patience.clear();
  if (incoming_) co_await wait_for_body_end();
  if (incoming_ && incoming_->open) {  // its reader gets the error and ends
    wire_->close();
    co_return;
  }
  std::size_t left = linger_bytes;
  const auto until = net::Clock::now() + linger_time;
  while (true) {
    const std::size_t size = wire_->buffered().size();
    const auto time_left = until - net::Clock::now();
    if (size >= left || time_left <= net::Duration::zero()) break;
    left -= size;
    wire_->consume(size);
    auto more = co_await wire_->more(time_left);
    if (!more) break;
  }
  wire_->close();
}

/// The request's body may be in use for longer than the answer, but not for long. After a protocol switch it
/// is a direction of its own, which only silence ends.
Awaitable<void> Connection::wait_for_body_end() {
  const auto patience = server_.options_.write_timeout;
  bool is_late = false;
  net::Deadline limit(net::Deadlines::of(wire_->stream().executor().context()), [this, &is_late] {
    is_late = true;
    incoming_->ended.notify();
  });
  limit.set(patience);
  std::uint64_t before = wire_->bytes_read();
  while (incoming_->open) {
    co_await incoming_->ended.wait();
    if (!std::exchange(is_late, false)) continue;
    if (!current_.is_switched || wire_->bytes_read() == before) co_return;
    before = wire_->bytes_read();
    limit.set(patience);
  }
}

}  // namespace rockdove::http
