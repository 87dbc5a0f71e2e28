// The WebSocket decoder sees the same frames however the bytes are cut, and reads back what we write.
#include "tunnel/websocket.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

using namespace rockdove::tunnel;

void check(bool holds) {
  if (!holds) std::abort();
}

/// All data and control frames as one text, and whether the bytes were refused. `cut` says how many bytes
/// the next feed gets at most.
template <class Cut>
std::string decode(Side side, std::string wire, Cut cut) {
  FrameDecoder decoder(side);
  std::string seen, data;
  for (std::size_t at = 0; at < wire.size();) {
    const std::size_t size = std::min<std::size_t>(cut(), wire.size() - at);
    const auto step = decoder.feed(wire.data() + at, size);
    if (!step) {
      check(step.error() == rockdove::Error::protocol);
      return seen + "|" + data + "|refused";
    }
    check(step->consumed > 0 && step->consumed <= size && step->data.size() <= step->consumed);
    check(!step->control || step->data.empty());
    at += step->consumed;
    data += step->data;
    if (!step->control) continue;
    // Where a control frame stands among the data must not depend on the cuts either.
    seen += std::to_string(data.size()) + "@" + std::to_string(static_cast<int>(step->opcode)) + ":";
    seen += decoder.control_payload();
  }
  return seen + "|" + data + "|";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 5) return 0;
  const Side side = bytes[0] & 1 ? Side::server : Side::client;
  const Side peer = bytes[0] & 1 ? Side::client : Side::server;
  const std::string_view input(reinterpret_cast<const char*>(bytes) + 5, size - 5);
  std::uint32_t seed;
  std::memcpy(&seed, bytes + 1, 4);

  const std::string wire(input);
  const std::string whole = decode(side, wire, [] { return SIZE_MAX; });
  check(decode(side, wire, [] { return std::size_t{1}; }) == whole);
  std::uint32_t state = seed;
  check(decode(side, wire, [&] { return 1 + (state = state * 1664525 + 1013904223) % 37; }) == whole);

  std::string framed(frame_header_max, '\0');
  framed += input;
  framed.erase(0, frame_header_max - frame_in_place(peer, Opcode::binary, framed.data() + frame_header_max,
                                                    input.size(), seed));
  framed += control_frame(peer, Opcode::ping, input, seed);
  const std::string_view echoed = input.substr(0, 125);
  check(decode(side, framed, [&] { return 1 + (state = state * 1664525 + 1013904223) % 5000; }) ==
        std::to_string(input.size()) + "@9:" + std::string(echoed) + "|" + std::string(input) + "|");
  return 0;
}
