// Bodies on a connection: taken from it as their framing says, and written to it.
#pragma once

#include "http/message.hpp"
#include "http/parser.hpp"
#include "http/wire.hpp"

#include <functional>
#include <limits>

namespace rockdove::http {

/// A body that is read from a connection.
class WireBody final : public Body {
 public:
  struct Options {
    Framing framing = Framing::none;      ///< until_close: raw bytes to the connection's end
    std::uint64_t length = 0;             ///< for Framing::length
    std::uint64_t length_max = 0;         ///< more: Error::body_too_large; zero: no limit
    net::Duration idle{};                 ///< longest silence; zero: no limit
    Error idle_error = Error::timed_out;  ///< what a longer silence is called
    HeadLimits limits;                    ///< for trailers
    /// Called once: `whole` when the body has been read to its end, not when it was dropped before or broke.
    /// `size`: the body bytes read.
    std::function<void(bool whole, std::uint64_t size)> on_end;
    /// Called before the first wait for bytes; for 100 (Continue). May be empty.
    std::function<void()> on_first_wait;
  };

  WireBody(std::shared_ptr<Wire> wire, Options options);
  ~WireBody() override;

  Awaitable<Result<std::string_view>> read() override;
  const Fields& trailers() const override { return decoder_.trailers(); }

 private:
  Result<std::string_view> take();
  Result<std::string_view> take_chunked();
  void end(bool whole);

  std::shared_ptr<Wire> wire_;
  Options options_;
  ChunkedDecoder decoder_;
  std::uint64_t left_;
  std::uint64_t read_ = 0;
  std::size_t in_use_ = 0;  // bytes of the buffer that the last piece still views
  bool finished_ = false;
};

/// Writes `body` piece by piece as it comes, in chunks if `chunked`, trailers at the end then. Counts body
/// bytes into `sent`. Error::stream_reset, before a byte too many is written, if there are more than
/// `length_max`.
Awaitable<Result<void>> write_body(Wire& wire, Body& body, bool chunked, net::Duration write_idle,
                                   std::uint64_t& sent,
                                   std::uint64_t length_max = std::numeric_limits<std::uint64_t>::max());

/// Appends "Name: value" lines, names in Usual-Case.
void append_fields(std::string& out, const Fields& fields);

}  // namespace rockdove::http
