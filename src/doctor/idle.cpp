// After how long a silence does something on the way forget a connection?
#include "doctor/judge.hpp"
#include "doctor/machine.hpp"
#include "doctor/path.hpp"
#include "doctor/stopwatch.hpp"
#include "net/crypto.hpp"
#include "net/deadline.hpp"
#include "tunnel/websocket.hpp"

#include <array>

namespace rockdove::doctor {
namespace {

constexpr std::chrono::seconds first_silence{5};

std::string in_seconds(std::chrono::microseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

/// Says nothing for `silence`; false if the connection's end, or anything else, comes meanwhile. Looks at the
/// socket and not at TLS: an operation of that cannot be given up.
Awaitable<bool> is_quiet(net::Stream& stream, net::Duration silence) {
  net::Deadline over(net::Deadlines::of(stream.executor().context()), [&stream] {
    boost::system::error_code ignored;
    stream.tcp().cancel(ignored);
  });
  over.set(silence);
  auto [error] = co_await stream.tcp().async_wait(net::TcpSocket::wait_read, net::token);
  co_return error == net::asio::error::operation_aborted;
}

/// A ping comes back as a pong, in time.
Awaitable<bool> is_answering(net::Stream& stream, tunnel::FrameDecoder& decoder) {
  net::Deadline limit(net::Deadlines::of(stream.executor().context()), [&stream] { stream.close(); });
  limit.set(check_limit);
  const std::string ping =
      tunnel::control_frame(tunnel::Side::client, tunnel::Opcode::ping, "idle", net::random_u32());
  auto [failed, written] = co_await stream.async_write(net::asio::buffer(ping), net::token);
  if (failed) co_return false;
  std::array<char, 512> buffer;
  while (true) {
    auto [error, size] = co_await stream.async_read_some(net::asio::buffer(buffer), net::token);
    if (error) co_return false;
    for (std::size_t at = 0; at < size;) {
      const auto step = decoder.feed(buffer.data() + at, size - at);
      if (!step || step->consumed == 0) co_return false;
      at += step->consumed;
      if (step->control) co_return step->opcode == tunnel::Opcode::pong;
    }
  }
}

}  // namespace

Awaitable<void> Path::check_idle(std::chrono::seconds longest) {
  auto asked = co_await probe();
  if (!asked || !std::holds_alternative<tunnel::LinkAccept>(asked->answer)) {
    report_.add("idle.skipped");
    co_return;
  }
  tunnel::FrameDecoder decoder(tunnel::Side::client);
  std::chrono::seconds held{0};
  for (auto silence = std::min(first_silence, longest); held < longest;
       silence = std::min(2 * silence, longest)) {
    report_.doing_long("idle.waiting", {in_seconds(silence), name_});
    const Stopwatch watch;
    bool is_whole = co_await is_quiet(asked->stream, silence);
    const auto quiet = watch.elapsed();
    if (is_whole) is_whole = co_await is_answering(asked->stream, decoder);
    if (!is_whole) {
      const Id id = judge_idle(held);
      if (id.row().state == State::fail) report_.add(id, {in_seconds(quiet)});
      else report_.add(id, {in_seconds(held), in_seconds(quiet)});
      co_return;
    }
    held = silence;
  }
  report_.add("idle.held", {in_seconds(held)});
}

}  // namespace rockdove::doctor
