// One WebSocket between an agent and the server, and the many exchanges on it.
#pragma once

#include "http/handler.hpp"
#include "net/deadline.hpp"
#include "net/stream.hpp"
#include "net/task_group.hpp"
#include "tunnel/h2.hpp"
#include "tunnel/websocket.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace rockdove::tunnel {

struct LinkStream;

/// Pumps HTTP/2 over an upgraded WebSocket connection and keeps watch over it. As a Handler it opens
/// a stream on the other end; streams that the other end opens go to `inbound`. Loop thread only; held by
/// shared_ptr, since bodies that are still being read keep their link.
class Link final : public http::Handler, public std::enable_shared_from_this<Link> {
 public:
  struct Options {
    H2::Options h2;
    net::Duration ping_interval = std::chrono::seconds(5);  ///< a PING goes out this often
    net::Duration dead_after = std::chrono::seconds(10);    ///< without any byte the link counts as lost
    net::Duration stream_idle = std::chrono::minutes(10);   ///< longest silence inside a body
    net::Duration first_byte = std::chrono::seconds(60);    ///< longest wait for a response head
    net::Duration continue_wait = std::chrono::seconds(1);  ///< then a body is sent without 100 (Continue)
  };

  /// What an operator wants to know of a link.
  struct Stats {
    net::Clock::time_point since;
    net::Clock::time_point last_byte;
    net::Duration rtt{};
    std::uint64_t bytes_in = 0, bytes_out = 0;
  };

  struct Hooks {
    std::function<void(std::string_view text)> on_note;       ///< a note of the other end
    std::function<void(std::string_view why)> on_peer_drain;  ///< the other end takes no new streams
  };

  /// `socket` has finished the upgrade; `side` is who dialled (client), `role` who opens streams.
  /// `inbound` answers streams of the other end; null: there must be none. It must outlive the link.
  Link(net::Stream socket, Side side, Role role, http::Handler* inbound, Options options, Hooks hooks);
  ~Link() override;

  /// Runs the link until it ends and says why; every exchange on it has ended then, and so has every
  /// coroutine. `early`: bytes that came right behind the upgrade. Cancel to end it.
  Awaitable<boost::system::error_code> run(std::string early);

  /// Opens a stream. See call().
  Awaitable<Result<http::Response>> handle(http::Request&& request) override;
  /// The same, but after a failure `request` is whole again unless it says `used`. After
  /// Error::stream_refused and Error::upstream_refused no upstream has seen a byte of it, so that it may be
  /// sent elsewhere.
  Awaitable<Result<http::Response>> call(http::Request& request);

  /// Tells the other end to open no more streams here, with a word why.
  void drain(std::string_view why);
  /// Returns once no stream is open.
  Awaitable<void> wait_idle();
  /// Says goodbye with `why` and ends the link as soon as that has been written, at most a second later.
  void close(std::string_view why);
  /// Drops the connection at once.
  void abort();
  void send_note(std::string text);

  bool takes_streams() const { return running_ && !closing_ && !h2_.peer_gone(); }
  std::size_t open_streams() const { return h2_.open_streams(); }
  /// How many bodies come or go in pieces just now, or are large and unanswered.
  std::size_t open_bodies() const { return open_bodies_; }
  const Stats& stats() const { return stats_; }
  const net::Endpoint& peer() const { return socket_.peer(); }

 private:
  friend class StreamBody;
  class OpenCall;
  friend OpenCall;

  Awaitable<void> read_loop();
  Awaitable<void> write_loop();
  Result<void> received(char* bytes, std::size_t size);
  Result<void> act_on_news();
  void on_stream_news(const std::shared_ptr<LinkStream>& stream);
  void end(boost::system::error_code why);
  void keep_alive();
  void measure();
  void flush_soon();

  std::optional<Result<void>> take_response(const std::shared_ptr<LinkStream>& stream,
                                            const http::Request& request, http::Response& response);
  std::string take_whole(LinkStream& stream);
  std::unique_ptr<http::Body> make_body(const std::shared_ptr<LinkStream>& stream, bool switched);
  boost::system::error_code failure_of(const LinkStream& stream) const;
  Awaitable<void> pump_out(std::shared_ptr<LinkStream> stream, bool wait_for_go);
  Awaitable<Result<void>> pump(std::shared_ptr<LinkStream> stream, http::Body& body);
  static void give_back(LinkStream& stream, http::Request& request);
  void serve(const std::shared_ptr<LinkStream>& stream);
  Awaitable<void> answer(std::shared_ptr<LinkStream> stream, std::unique_ptr<http::Request> request);
  void reset(LinkStream& stream, std::uint32_t code);

  net::Stream socket_;
  net::Deadlines& deadlines_;
  const Side side_;
  http::Handler* const inbound_;
  const Options options_;
  const Hooks hooks_;
  net::TaskGroup group_;
  H2 h2_;
  FrameDecoder decoder_;
  net::Event dirty_;
  net::Event idle_;
  net::Deadline silence_;
  net::Deadline next_ping_;
  net::Deadline goodbye_;
  std::string out_;
  std::string control_out_;  // WebSocket control frames to go before the next message
  Stats stats_;
  boost::system::error_code why_;
  std::size_t open_bodies_ = 0;
  std::uint64_t ping_number_ = 0;
  net::Clock::time_point ping_sent_{};
  std::uint64_t data_at_ping_ = 0;
  bool ping_is_out_ = false;
  bool running_ = false;
  bool closing_ = false;
  bool close_sent_ = false;
  bool peer_drain_told_ = false;
};

}  // namespace rockdove::tunnel
