#include "http/wire_body.hpp"

#include <algorithm>
#include <charconv>

namespace rockdove::http {

WireBody::WireBody(std::shared_ptr<Wire> wire, Options options)
    : wire_(std::move(wire)),
      options_(std::move(options)),
      decoder_(options_.limits),
      left_(options_.length) {}

WireBody::~WireBody() {
  wire_->consume(in_use_);
  end(false);
}

Awaitable<Result<std::string_view>> WireBody::read() {
  wire_->consume(std::exchange(in_use_, 0));
  while (!finished_) {
    auto piece = take();
    if (!piece) {
      end(false);
      co_return piece.error();
    }
    if (!piece->empty()) co_return *piece;
    if (finished_) break;
    if (options_.on_first_wait) std::exchange(options_.on_first_wait, {})();
    auto more = co_await wire_->more(options_.idle);
    if (more) continue;
    const bool is_end = options_.framing == Framing::until_close && more.error() == Error::closed;
    end(is_end);
    if (more.error() == Error::timed_out) co_return options_.idle_error;
    if (!is_end) co_return more.error() == Error::closed ? make_error_code(Error::truncated) : more.error();
    finished_ = true;
  }
  end(true);
  co_return std::string_view{};
}

/// What the buffer holds of the body; empty if that is nothing yet.
Result<std::string_view> WireBody::take() {
  std::string_view piece = wire_->buffered();
  switch (options_.framing) {
    case Framing::none: finished_ = true; return std::string_view{};
    case Framing::chunked: return take_chunked();
    case Framing::length:
      piece = piece.substr(0, std::min<std::uint64_t>(left_, piece.size()));
      left_ -= piece.size();
      finished_ = piece.empty() && left_ == 0;
      break;
    case Framing::until_close: break;
  }
  in_use_ = piece.size();
  read_ += piece.size();
  return piece;
}

Result<std::string_view> WireBody::take_chunked() {
  while (true) {
    auto step = decoder_.feed(wire_->buffered());
    if (!step) return step.error();
    read_ += step->data.size();
    if (options_.length_max && read_ > options_.length_max) return Error::body_too_large;
    if (!step->data.empty()) {
      in_use_ = step->consumed;  // the view stays valid: consume() moves no bytes
      finished_ = false;
      return step->data;
    }
    wire_->consume(step->consumed);
    finished_ = step->finished;
    if (finished_ || step->consumed == 0) return std::string_view{};
  }
}

void WireBody::end(bool whole) {
  if (auto on_end = std::exchange(options_.on_end, {})) on_end(whole, read_);
}

Awaitable<Result<void>> write_body(Wire& wire, Body& body, bool chunked, net::Duration write_idle,
                                   std::uint64_t& sent, std::uint64_t length_max) {
  std::string frame;
  while (true) {
    auto piece = co_await body.read();
    if (!piece) co_return piece.error();
    if (piece->empty()) break;
    // In slices, each with the whole time limit: it is for a reader who stops, not for a slow one.
    while (!piece->empty()) {
      const std::string_view slice = piece->substr(0, Wire::read_size);
      piece->remove_prefix(slice.size());
      sent += slice.size();
      if (sent > length_max) co_return Error::stream_reset;
      Result<void> written;
      if (chunked) {
        char digits[20];
        const auto size = std::to_chars(digits, digits + sizeof digits, slice.size(), 16);
        frame.assign(digits, size.ptr).append("\r\n");
        const Wire::Parts parts{frame, slice, "\r\n"};
        written = co_await wire.write(parts, write_idle);
      } else {
        const Wire::Parts parts{slice};
        written = co_await wire.write(parts, write_idle);
      }
      if (!written) co_return written.error();
    }
  }
  if (!chunked) co_return Result<void>{};
  frame.assign("0\r\n");
  append_fields(frame, body.trailers());
  frame.append("\r\n");
  const Wire::Parts parts{frame};
  auto written = co_await wire.write(parts, write_idle);
  co_return written;
}

void append_fields(std::string& out, const Fields& fields) {
  constexpr std::string_view colon = ": ", line_end = "\r\n";
  const std::size_t start = out.size();
  std::size_t size = 0;
  for (const auto [name, value] : fields) size += name.size() + colon.size() + value.size() + line_end.size();
  out.resize(start + size);
  char* to = out.data() + start;
  for (const auto [name, value] : fields) {
    bool word_start = true;
    for (const char c : name) {
      *to++ = word_start && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
      word_start = c == '-';
    }
    to = std::copy(colon.begin(), colon.end(), to);
    to = std::copy(value.begin(), value.end(), to);
    to = std::copy(line_end.begin(), line_end.end(), to);
  }
}

}  // namespace rockdove::http
