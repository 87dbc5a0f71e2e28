// WebSocket framing for links, bytes in and bytes out (RFC 6455 section 5): binary messages only.
#pragma once

#include "base/error.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace rockdove::tunnel {

/// Which end we are: a client masks what it sends and must not get masked frames (section 5.1).
enum class Side { client, server };

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// Room that a frame header takes at most: 2 + 8 + 4 mask bytes.
inline constexpr std::size_t frame_header_max = 14;

/// Writes the header of one final frame of `size` payload bytes directly before `payload`, and masks the
/// payload in place if `side` is client. At least frame_header_max bytes before `payload` must be writable.
/// `mask` is the masking key (fresh random bytes; ignored for a server). Returns the header's size.
std::size_t frame_in_place(Side side, Opcode opcode, char* payload, std::size_t size, std::uint32_t mask);

/// A whole small control frame (payload at most 125 bytes, else it is cut there).
std::string control_frame(Side side, Opcode opcode, std::string_view payload, std::uint32_t mask);

/// Splits what a peer sends into payload pieces, as they arrive: messages are not put together, since the
/// link's content is one byte stream and any fragmentation along the way must not matter.
class FrameDecoder {
 public:
  /// `side` is our own.
  explicit FrameDecoder(Side side) : side_(side) {}

  struct Step {
    std::size_t consumed = 0;  ///< bytes of the input that are done with
    Opcode opcode{};           ///< valid if `data` or `control` is set: what frame this is from
    std::string_view data;     ///< unmasked payload of a binary message, a view into the input
    bool control = false;      ///< a whole control frame has come; its payload is control_payload()
  };

  /// Handles the next part of [bytes, bytes + size), unmasking in place. Call again with the rest while
  /// consumed > 0. Error::protocol: reserved bits or opcodes, wrong masking, a text message, a fragmented
  /// or long control frame, a close payload of one byte, a continuation of nothing, a new message inside an
  /// open one, a length that is not minimal or has its top bit set. The decoder is of no use after an error.
  Result<Step> feed(char* bytes, std::size_t size);
  std::string_view control_payload() const { return {control_.data(), control_size_}; }

 private:
  Result<std::size_t> read_header(const char* bytes, std::size_t size);

  Side side_;
  bool in_payload_ = false;  // header read, payload_left_ bytes to come
  bool in_message_ = false;  // a fragmented message is open
  Opcode opcode_{};
  std::uint64_t payload_left_ = 0;
  std::array<unsigned char, 4> mask_{};
  std::size_t mask_at_ = 0;
  std::array<unsigned char, frame_header_max> header_{};
  std::size_t header_size_ = 0;
  std::array<char, 125> control_{};
  std::size_t control_size_ = 0;
};

/// The value of Sec-WebSocket-Accept for a Sec-WebSocket-Key (section 4.2.2).
std::string accept_key(std::string_view key);

}  // namespace rockdove::tunnel
