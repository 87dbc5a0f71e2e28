#include "server/probes.hpp"

#include "net/deadline.hpp"
#include "tunnel/websocket.hpp"

namespace rockdove::server {
namespace {

constexpr std::size_t read_size = 4096;
constexpr std::size_t pongs_max = 4096;  // bytes; a peer that asks for more at once is no doctor

/// The pongs that the pings in `bytes` ask for; an error, of any kind, at the end of the conversation.
Result<std::string> answer(tunnel::FrameDecoder& decoder, char* bytes, std::size_t size) {
  std::string pongs;
  while (size > 0) {
    const auto step = decoder.feed(bytes, size);
    if (!step) return step.error();
    if (!step->data.empty()) return Error::protocol;
    if (step->control && step->opcode == tunnel::Opcode::close) return Error::closed;
    if (step->control && step->opcode == tunnel::Opcode::ping)
      pongs +=
          tunnel::control_frame(tunnel::Side::server, tunnel::Opcode::pong, decoder.control_payload(), 0);
    if (step->consumed == 0 || pongs.size() > pongs_max) return Error::protocol;
    bytes += step->consumed;
    size -= step->consumed;
  }
  return pongs;
}

}  // namespace

Awaitable<void> Probes::serve(net::Stream stream, std::string early, std::function<bool()> is_welcome) {
  struct Place {
    std::size_t& running;
    explicit Place(std::size_t& count) : running(count) { ++running; }
    ~Place() { --running; }
  } place(running_);
  net::Deadline limit(net::Deadlines::of(stream.executor().context()), [&stream] { stream.close(); });
  limit.set(options_.lifetime);
  tunnel::FrameDecoder decoder(tunnel::Side::server);
  std::string buffer = std::move(early);
  std::size_t filled = buffer.size();
  buffer.resize(std::max(buffer.size(), read_size));
  while (true) {
    const auto pongs = answer(decoder, buffer.data(), filled);
    if (!pongs || !is_welcome()) break;
    if (!pongs->empty()) {
      auto [failed, written] = co_await stream.async_write(net::asio::buffer(*pongs), net::token);
      if (failed) break;
    }
    auto [error, size] = co_await stream.async_read_some(net::asio::buffer(buffer), net::token);
    if (error) break;
    filled = size;
  }
}

}  // namespace rockdove::server
