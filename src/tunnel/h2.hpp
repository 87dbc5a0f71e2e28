// HTTP/2 without sockets: bytes in and out, streams in between (RFC 9113, by nghttp2).
#pragma once

#include "base/error.hpp"
#include "http/fields.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct nghttp2_session;

namespace rockdove::tunnel {

/// Who opens streams on a link, whoever dialled: the opener is HTTP/2's client.
enum class Role { opener, answerer };

/// Bytes received for streams and not yet taken, over all links of the process. While the limit is
/// passed, links get no new link-level credit, so their peers stop sending.
struct Budget {
  std::size_t limit = 256 * 1024 * 1024;
  std::size_t used = 0;
};

/// One HTTP/2 stream: what has arrived, and what is to be sent. The link derives its own from it.
struct H2Stream : std::enable_shared_from_this<H2Stream> {
  virtual ~H2Stream() = default;

  std::int32_t id = 0;

  // Arrived.
  std::vector<http::Fields> heads;  ///< with pseudo-header fields; interim responses, then the final one
  std::string inbound;              ///< body bytes not yet taken
  http::Fields trailers;
  bool bodiless = false;         ///< END_STREAM came with the final head
  bool remote_ended = false;     ///< END_STREAM came: `inbound` is all there is
  bool closed = false;           ///< nothing more will come or go
  bool cut = false;              ///< the session ended before the stream did
  std::uint32_t reset_code = 0;  ///< why, if it was not an orderly end (RFC 9113 section 7)

  // To be sent. `outbound` views memory of the sender, who waits until `outbound_taken`.
  std::string_view outbound;
  bool outbound_last = false;  ///< END_STREAM follows `outbound`
  bool outbound_taken = true;
  http::Fields outbound_trailers;

 private:
  friend class H2;
  http::Fields arriving_;
  std::size_t head_bytes_ = 0;
  bool has_head_ = false;  // a final head came: the next header block is the trailer section
  bool in_changed_ = false;
  bool unwanted_ = false;     // body bytes are dropped as they come
  bool deferred_ = false;     // nghttp2 waits for resume
  std::size_t buffered_ = 0;  // bytes counted in the budget
};

/// One HTTP/2 session. Not re-entrant: its owner acts on changed() after feed() or take(), never from
/// within. All methods but feed() and take() only queue frames; take() serialises them.
class H2 {
 public:
  struct Options {
    std::uint32_t stream_window = 256 * 1024;  ///< initial, bytes
    std::uint32_t stream_window_max = 8 * 1024 * 1024;
    std::uint32_t link_window = 4 * 1024 * 1024;  ///< initial, bytes
    std::uint32_t link_window_max = 64 * 1024 * 1024;
    std::uint32_t streams_max = 1024;         ///< open at a time
    std::size_t head_bytes_max = 128 * 1024;  ///< of one head as it arrives, else the stream is reset
    Budget* budget = nullptr;                 ///< must outlive the session
  };

  /// The names of pseudo-header fields must be literals, in lower case: they are not copied.
  using HeadList = std::vector<http::Fields::Field>;
  using MakeStream = std::function<std::shared_ptr<H2Stream>()>;

  /// `make_stream` gives the object for a stream that the peer opens.
  H2(Role role, Options options, MakeStream make_stream);
  ~H2();
  H2(const H2&) = delete;
  H2& operator=(const H2&) = delete;

  /// Handles received bytes. Error::protocol: the session is broken and must be closed.
  Result<void> feed(std::string_view bytes);

  /// Appends what is to be sent to `out` until that has grown past `enough` bytes or nothing is left;
  /// one call adds at most `enough` + 33 KiB.
  Result<void> take(std::string& out, std::size_t enough);
  bool wants_write() const;

  /// Streams with news since the list was last taken; each at most once.
  std::vector<std::shared_ptr<H2Stream>> take_changed();
  /// Notes (see send_note) that have arrived.
  std::vector<std::string> take_notes();

  /// Opens a stream with `head` (pseudo-header fields first); `last`: no body follows. Error::draining:
  /// the peer takes no more.
  Result<void> open(const std::shared_ptr<H2Stream>& stream, const HeadList& head, bool last);
  /// Answers: an interim (`final` false) or the final head.
  void respond(H2Stream& stream, const HeadList& head, bool final, bool last);
  /// Sets the next piece of the body; the bytes must stay valid until `outbound_taken`.
  void send(H2Stream& stream, std::string_view bytes, bool last);
  /// Returns credit for `size` bytes that have left `inbound` for good.
  void consume(H2Stream& stream, std::size_t size);
  /// Drops what has arrived of the body and what will; the sender gets no more credit for it.
  void discard(H2Stream& stream);
  /// Gives the stream up (RST_STREAM). No news of it will come.
  void reset(H2Stream& stream, std::uint32_t code);

  /// Sends PING with `opaque`; ping_ack() tells when it came back.
  void ping(std::uint64_t opaque);
  std::optional<std::uint64_t> take_ping_ack();

  /// Tells the peer to open no more streams; `why` (at most 256 bytes) goes along as debug data.
  void go_away(std::string_view why);
  /// The peer's GOAWAY debug data once it has come.
  const std::optional<std::string>& peer_gone() const { return peer_gone_; }
  /// Sends `text` (at most 16 KiB) beside the streams: an extension frame (RFC 9113 section 5.5), ignored
  /// by whoever does not know it.
  void send_note(std::string text);

  /// Doubles the windows when `bytes` came within one round trip and that is most of the window.
  void grow_windows(std::uint64_t bytes_in_rtt);
  std::uint32_t stream_window() const { return stream_window_; }
  /// Returns withheld link-level credit if the budget allows it by now: call once in a while.
  void relax();
  std::uint64_t data_received() const { return data_received_; }
  /// The session is over: every stream is closed, and forgotten here. Returns them.
  std::vector<std::shared_ptr<H2Stream>> drop_all();
  std::size_t open_streams() const { return streams_.size(); }

  static constexpr std::uint32_t no_error = 0, internal_error = 2, refused_stream = 7, cancel = 8;
  static constexpr std::uint8_t note_frame_type = 0xbd;

 private:
  struct Callbacks;
  friend Callbacks;
  void mark(H2Stream& stream);
  void received(H2Stream& stream, std::string_view bytes);
  void forget(H2Stream& stream, std::uint32_t code);
  void release(H2Stream& stream, std::size_t size);
  H2Stream* find(std::int32_t id);

  Options options_;
  MakeStream make_stream_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<std::int32_t, std::shared_ptr<H2Stream>> streams_;
  H2Stream* last_ = nullptr;  // found last, in streams_
  std::vector<std::shared_ptr<H2Stream>> changed_;
  std::vector<std::string> notes_;
  std::string note_arriving_;
  std::uint32_t heads_sent_ = 0;
  std::deque<std::string> notes_out_;  // queued extension frames have no memory of their own
  std::optional<std::uint64_t> ping_ack_;
  std::optional<std::string> peer_gone_;
  std::uint64_t data_received_ = 0;
  std::uint32_t stream_window_;
  std::uint32_t link_window_;
  std::size_t buffered_ = 0;  // of the budget, by this session
  std::size_t withheld_ = 0;  // link-level credit held back while the budget is passed
  std::string* out_ = nullptr;
  std::size_t enough_ = 0;  // of the take() under way
  bool leaving_ = false;    // go_away() was called: streams of the peer are refused
};

}  // namespace rockdove::tunnel
