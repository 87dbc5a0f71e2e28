// One HTTP/1.1 connection as both ends use it: a bounded input buffer, one read and one writer.
#pragma once

#include "net/deadline.hpp"
#include "net/event.hpp"
#include "net/stream.hpp"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rockdove::http {

/// A Stream with a buffer before it. A read that is under way is never cancelled: started early, it
/// tells at once when the peer goes away, and later brings the next message's first bytes. Loop thread
/// only; held by shared_ptr.
class Wire : public std::enable_shared_from_this<Wire> {
 public:
  explicit Wire(net::Stream stream);

  /// Bytes that have arrived and are not consumed. Valid until consume(), more() or a growing read.
  std::string_view buffered() const { return {input_.data() + begin_, end_ - begin_}; }
  void consume(std::size_t size);
  /// Waits until more bytes are there than now. Error::closed at the peer's orderly end,
  /// Error::timed_out after `limit` (zero: none; the connection stays as it is), else the system's error.
  /// Error::header_too_large if the buffer has grown to `room` bytes and is full.
  Awaitable<Result<void>> more(net::Duration limit, std::size_t room = read_size);
  /// Lets a read go on in the background, if the buffer has room, so that on_closed is told. `again`: when
  /// bytes come, another one, until the next more().
  void watch(bool again = false);
  /// The peer has closed, or reading failed. Buffered bytes may remain.
  bool is_closed() const { return static_cast<bool>(read_error_); }
  /// Called from the loop when reading finds the peer gone; empty: not called.
  std::function<void()> on_closed;

  /// Writes all parts in one go, after what write_soon() has queued. One write() at a time.
  /// Error::timed_out when that took longer than `limit` (zero: none); the connection is closed then.
  using Parts = std::array<std::string_view, 3>;
  Awaitable<Result<void>> write(Parts parts, net::Duration limit);
  /// Queues `bytes` and returns at once: for interim responses.
  void write_soon(std::string bytes);
  /// Drops the connection so that the peer sees a reset, not an orderly end: a cut-off body must not
  /// look complete.
  void reset();
  void close() { stream_.close(); }
  bool is_open() const { return stream_.is_open(); }
  /// Gives memory back that a large message has taken, if nothing is buffered.
  void shrink();

  net::Stream& stream() { return stream_; }
  std::uint64_t bytes_read() const { return bytes_read_; }

  static constexpr std::size_t first_size = 4 * 1024;  ///< of the input buffer: most messages fit
  static constexpr std::size_t read_size = 64 * 1024;  ///< what it grows to for bodies

 private:
  void start_read();
  void on_read(boost::system::error_code error, std::size_t size);
  void start_queued_write();

  net::Stream stream_;
  std::string input_;
  std::size_t begin_ = 0, end_ = 0;
  bool reading_ = false;
  bool watching_ = false;    // again and again
  bool was_filled_ = false;  // the last read used all the room there was: more is to come
  boost::system::error_code read_error_;
  net::Event input_news_;
  net::Deadline read_limit_;
  bool read_timed_out_ = false;
  std::string queue_, queue_in_flight_;
  net::Event queue_done_;
  net::Deadline write_limit_;
  bool write_timed_out_ = false;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace rockdove::http
