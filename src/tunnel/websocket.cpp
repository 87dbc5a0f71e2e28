#include "tunnel/websocket.hpp"

#include "net/crypto.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace rockdove::tunnel {
namespace {

using Mask = std::array<unsigned char, 4>;

constexpr unsigned char final_bit = 0x80;
constexpr unsigned char reserved_bits = 0x70;
constexpr unsigned char opcode_bits = 0x0f;
constexpr unsigned char masked_bit = 0x80;
constexpr unsigned char length_bits = 0x7f;
constexpr unsigned char length_is_16_bits = 126;
constexpr unsigned char length_is_64_bits = 127;
constexpr std::size_t control_max = 125;

constexpr bool is_control(Opcode opcode) noexcept {
  return (static_cast<unsigned>(opcode) & 8) != 0;
}

Mask mask_bytes(std::uint32_t mask) noexcept {
  return std::bit_cast<Mask>(mask);
}

/// Masks or unmasks in place; `at` is the position of data[0] in the frame's payload. Steps of a fixed
/// number of words, since that is what compilers turn into vector instructions at -O2; two words, one
/// register, measured twice as fast as four.
void apply_mask(char* data, std::size_t size, const Mask& mask, std::size_t at) noexcept {
  std::array<unsigned char, 8> turned;
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = mask[(at + i) % 4];
  const auto key = std::bit_cast<std::uint64_t>(turned);
  std::array<std::uint64_t, 2> words;
  for (; size >= sizeof(words); data += sizeof(words), size -= sizeof(words)) {
    std::memcpy(words.data(), data, sizeof(words));
    for (std::uint64_t& word : words) word ^= key;
    std::memcpy(data, words.data(), sizeof(words));
  }
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<char>(data[i] ^ turned[i % 8]);
}

/// How many bytes of length follow the first two bytes of a frame.
constexpr std::size_t length_size(unsigned char second) noexcept {
  switch (second & length_bits) {
    case length_is_16_bits: return 2;
    case length_is_64_bits: return 8;
    default: return 0;
  }
}

/// Whether a frame may begin with these two bytes, on a connection that has a message open or not.
bool may_begin(unsigned char first, unsigned char second, bool expect_mask, bool in_message) noexcept {
  if (first & reserved_bits) return false;
  if (((second & masked_bit) != 0) != expect_mask) return false;
  const auto opcode = static_cast<Opcode>(first & opcode_bits);
  switch (opcode) {
    case Opcode::continuation: return in_message;
    case Opcode::binary: return !in_message;
    case Opcode::close:  // an empty body or at least a two-byte code (section 5.5.1)
      if ((second & length_bits) == 1) return false;
      [[fallthrough]];
    case Opcode::ping:
    case Opcode::pong: return (first & final_bit) && (second & length_bits) <= control_max;
    case Opcode::text: break;
  }
  return false;
}

/// The length field of `size` bytes, or nothing if fewer bytes could have said it (section 5.2).
Result<std::uint64_t> read_length(const unsigned char* bytes, std::size_t size) noexcept {
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < size; ++i) length = length << 8 | bytes[i];
  if (size == 2 && length < length_is_16_bits) return Error::protocol;
  if (size == 8 && (length < 0x10000 || length >> 63)) return Error::protocol;
  return length;
}

}  // namespace

std::size_t frame_in_place(Side side, Opcode opcode, char* payload, std::size_t size, std::uint32_t mask) {
  const bool masked = side == Side::client;
  const std::size_t extra = size <= control_max ? 0 : size <= 0xffff ? 2 : 8;
  const std::size_t header_size = 2 + extra + (masked ? 4 : 0);
  auto* header = reinterpret_cast<unsigned char*>(payload - header_size);

  header[0] = static_cast<unsigned char>(final_bit | static_cast<unsigned char>(opcode));
  const std::size_t short_length = extra == 0 ? size : extra == 2 ? length_is_16_bits : length_is_64_bits;
  header[1] = static_cast<unsigned char>(short_length | (masked ? masked_bit : 0));
  for (std::size_t i = 0; i < extra; ++i)
    header[2 + i] = static_cast<unsigned char>(std::uint64_t{size} >> 8 * (extra - 1 - i));
  if (masked) {
    const Mask bytes = mask_bytes(mask);
    std::memcpy(header + 2 + extra, bytes.data(), bytes.size());
    apply_mask(payload, size, bytes, 0);
  }
  return header_size;
}

std::string control_frame(Side side, Opcode opcode, std::string_view payload, std::uint32_t mask) {
  payload = payload.substr(0, control_max);
  std::string frame(frame_header_max, '\0');
  frame += payload;
  const std::size_t header_size =
      frame_in_place(side, opcode, frame.data() + frame_header_max, payload.size(), mask);
  frame.erase(0, frame_header_max - header_size);
  return frame;
}

Result<FrameDecoder::Step> FrameDecoder::feed(char* bytes, std::size_t size) {
  Step step;
  if (!in_payload_) {
    const auto header_bytes = read_header(bytes, size);
    if (!header_bytes) return header_bytes.error();
    step.consumed = *header_bytes;
    if (!in_payload_) return step;
  }
  step.opcode = opcode_;

  char* payload = bytes + step.consumed;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, size - step.consumed));
  if (side_ == Side::server) apply_mask(payload, count, mask_, mask_at_);
  mask_at_ = (mask_at_ + count) % 4;
  payload_left_ -= count;
  step.consumed += count;
  if (payload_left_ == 0) in_payload_ = false;

  if (!is_control(opcode_)) {
    step.data = {payload, count};
    return step;
  }
  std::copy_n(payload, count, control_.begin() + static_cast<std::ptrdiff_t>(control_size_));
  control_size_ += count;
  step.control = !in_payload_;
  return step;
}

/// Collects the header, which may come in pieces, and starts the payload once it is whole. Returns how many
/// bytes it took. The first two bytes are judged at once: a stranger is refused before it sends more.
Result<std::size_t> FrameDecoder::read_header(const char* bytes, std::size_t size) {
  std::size_t used = 0;
  const auto fill_to = [&](std::size_t want) {
    const std::size_t count = std::min(want - header_size_, size - used);
    if (count > 0) std::memcpy(header_.data() + header_size_, bytes + used, count);
    header_size_ += count;
    used += count;
    return header_size_ == want;
  };

  const bool masked = side_ == Side::server;
  if (header_size_ < 2) {
    if (!fill_to(2)) return used;
    if (!may_begin(header_[0], header_[1], masked, in_message_)) return Error::protocol;
  }
  const std::size_t extra = length_size(header_[1]);
  if (!fill_to(2 + extra + (masked ? 4 : 0))) return used;

  payload_left_ = header_[1] & length_bits;
  if (extra > 0) {
    const auto length = read_length(header_.data() + 2, extra);
    if (!length) return length.error();
    payload_left_ = *length;
  }
  if (masked) std::memcpy(mask_.data(), header_.data() + 2 + extra, mask_.size());
  mask_at_ = 0;
  header_size_ = 0;
  in_payload_ = true;
  opcode_ = static_cast<Opcode>(header_[0] & opcode_bits);
  if (is_control(opcode_)) control_size_ = 0;
  else in_message_ = (header_[0] & final_bit) == 0;
  return used;
}

std::string accept_key(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  return net::base64(net::sha1(text));
}

}  // namespace rockdove::tunnel
