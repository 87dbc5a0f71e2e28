#include "tunnel/websocket.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace rockdove::tunnel {
namespace {

/// What a decoder made of some bytes: all data in one string, each control frame as "opcode:payload".
struct Seen {
  std::string data;
  std::vector<std::string> controls;
  bool failed = false;
  bool operator==(const Seen&) const = default;
};

/// Feeds `wire` in pieces that end at `cuts` (ascending) and at its end.
Seen decode(Side side, std::string wire, const std::vector<std::size_t>& cuts = {}) {
  FrameDecoder decoder(side);
  Seen seen;
  std::size_t at = 0;
  std::vector<std::size_t> ends = cuts;
  ends.push_back(wire.size());
  for (const std::size_t end : ends) {
    while (at < end) {
      const auto step = decoder.feed(wire.data() + at, end - at);
      if (!step) {
        EXPECT_EQ(step.error(), Error::protocol);
        seen.failed = true;
        return seen;
      }
      EXPECT_GT(step->consumed, 0u) << "input is left and nothing was done with it";
      if (step->consumed == 0) return seen;
      at += step->consumed;
      seen.data += step->data;
      if (step->control)
        seen.controls.push_back(std::to_string(static_cast<int>(step->opcode)) + ":" +
                                std::string(decoder.control_payload()));
    }
  }
  return seen;
}

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

std::string frame(Side side, Opcode opcode, std::string_view payload, std::uint32_t mask = 0x04030201) {
  std::string out(frame_header_max, '\0');
  out += payload;
  const std::size_t size = frame_in_place(side, opcode, out.data() + frame_header_max, payload.size(), mask);
  return out.substr(frame_header_max - size);
}

std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i * 131 + (i >> 8));
  return out;
}

std::string hello() {
  return bytes({0x48, 0x65, 0x6c, 0x6c, 0x6f});
}

TEST(websocket, accept_key_is_that_of_rfc_6455_section_1_3) {
  EXPECT_EQ(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(websocket, sample_control_frames_of_section_5_7_decode) {
  const Seen ping = decode(Side::client, bytes({0x89, 0x05}) + hello());
  EXPECT_EQ(ping.controls, std::vector<std::string>{"9:Hello"});
  const Seen pong =
      decode(Side::server, bytes({0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}));
  EXPECT_EQ(pong.controls, std::vector<std::string>{"10:Hello"});
}

TEST(websocket, sample_frames_of_section_5_7_are_what_we_write) {
  EXPECT_EQ(control_frame(Side::server, Opcode::ping, "Hello", 0), bytes({0x89, 0x05}) + hello());
  std::uint32_t mask;
  const std::string key = bytes({0x37, 0xfa, 0x21, 0x3d});
  std::copy_n(key.data(), 4, reinterpret_cast<char*>(&mask));
  EXPECT_EQ(control_frame(Side::client, Opcode::pong, "Hello", mask),
            bytes({0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}));
  const std::string medium = pattern(256), large = pattern(65536);
  EXPECT_EQ(frame(Side::server, Opcode::binary, medium), bytes({0x82, 0x7e, 0x01, 0x00}) + medium);
  EXPECT_EQ(frame(Side::server, Opcode::binary, large), bytes({0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0}) + large);
}

TEST(websocket, every_size_near_a_length_boundary_comes_back_from_either_side) {
  std::vector<std::size_t> sizes;
  for (std::size_t size = 0; size <= 300; ++size) sizes.push_back(size);
  for (std::size_t size = 65500; size <= 65560; ++size) sizes.push_back(size);
  for (const std::size_t size : sizes) {
    const std::string payload = pattern(size);
    const std::string masked = frame(Side::client, Opcode::binary, payload);
    const std::string plain = frame(Side::server, Opcode::binary, payload);
    EXPECT_EQ(masked.size(), plain.size() + 4);
    EXPECT_EQ(plain.size() - size, size < 126 ? 2u : size < 65536 ? 4u : 10u) << size;
    EXPECT_EQ(decode(Side::server, masked).data, payload) << size;
    EXPECT_EQ(decode(Side::client, plain).data, payload) << size;
  }
}

TEST(websocket, masking_follows_the_key_byte_by_byte) {
  const std::string payload = pattern(101), wire = frame(Side::client, Opcode::binary, payload, 0xd4c3b2a1);
  const std::string key = wire.substr(2, 4);
  for (std::size_t i = 0; i < payload.size(); ++i)
    ASSERT_EQ(wire[6 + i], static_cast<char>(payload[i] ^ key[i % 4])) << i;
}

TEST(websocket, any_split_gives_the_same_result) {
  for (const Side from : {Side::client, Side::server}) {
    const Side to = from == Side::client ? Side::server : Side::client;
    std::string wire = frame(from, Opcode::binary, pattern(9)) + control_frame(from, Opcode::ping, "p1", 77) +
                       frame(from, Opcode::binary, "") + frame(from, Opcode::binary, pattern(131), 99) +
                       control_frame(from, Opcode::pong, "", 5) +
                       control_frame(from, Opcode::close, "\x03\xe8gone", 6);
    const Seen whole = decode(to, wire);
    EXPECT_EQ(whole.data, pattern(9) + pattern(131));
    EXPECT_EQ(whole.controls, (std::vector<std::string>{"9:p1", "10:", "8:\x03\xe8gone"}));
    std::vector<std::size_t> every_byte;
    for (std::size_t i = 1; i < wire.size(); ++i) {
      every_byte.push_back(i);
      EXPECT_EQ(decode(to, wire, {i}), whole) << "split at " << i;
      EXPECT_EQ(decode(to, wire, {i, std::min(i + 3, wire.size())}), whole) << "split at " << i;
    }
    EXPECT_EQ(decode(to, wire, every_byte), whole);
  }
}

TEST(websocket, a_large_frame_split_at_every_header_byte_comes_back) {
  const std::string payload = pattern(70000), wire = frame(Side::client, Opcode::binary, payload);
  for (std::size_t cut = 1; cut < 40; ++cut) EXPECT_EQ(decode(Side::server, wire, {cut}).data, payload);
}

TEST(websocket, a_fragmented_message_with_control_frames_between_is_one_stream_of_bytes) {
  const std::string wire = bytes({0x02, 0x02}) + "ab" + bytes({0x89, 0x01}) + "x" + bytes({0x00, 0x00}) +
                           bytes({0x00, 0x01}) + "c" + bytes({0x8a, 0x00}) + bytes({0x80, 0x02}) + "de" +
                           bytes({0x82, 0x01}) + "f";
  const Seen seen = decode(Side::client, wire);
  EXPECT_FALSE(seen.failed);
  EXPECT_EQ(seen.data, "abcdef");
  EXPECT_EQ(seen.controls, (std::vector<std::string>{"9:x", "10:"}));
}

TEST(websocket, a_close_payload_carries_its_code_and_reason) {
  const std::string payload =
      "\x03\xf1"
      "going away";
  const Seen seen = decode(Side::client, control_frame(Side::server, Opcode::close, payload, 0));
  EXPECT_EQ(seen.controls, std::vector<std::string>{"8:" + payload});
  EXPECT_EQ(decode(Side::client, bytes({0x88, 0x00})).controls, std::vector<std::string>{"8:"});
}

TEST(websocket, a_control_payload_is_cut_at_125_bytes) {
  const std::string payload = pattern(200);
  const Seen seen = decode(Side::server, control_frame(Side::client, Opcode::ping, payload, 123));
  EXPECT_EQ(seen.controls, std::vector<std::string>{"9:" + payload.substr(0, 125)});
}

TEST(websocket, a_later_control_frame_replaces_the_payload_of_an_earlier_one) {
  const std::string wire = bytes({0x89, 0x03}) + "abc" + bytes({0x89, 0x01}) + "d" + bytes({0x89, 0x00});
  EXPECT_EQ(decode(Side::client, wire).controls, (std::vector<std::string>{"9:abc", "9:d", "9:"}));
}

struct Refused {
  const char* why;
  Side side;
  std::string wire;
};

TEST(websocket, frames_against_the_rules_are_refused_however_they_come) {
  const std::string key = bytes({1, 2, 3, 4});
  const std::vector<Refused> cases{
      {"unmasked to a server", Side::server, bytes({0x82, 0x00})},
      {"masked to a client", Side::client, bytes({0x82, 0x80}) + key},
      {"RSV1", Side::client, bytes({0xc2, 0x00})},
      {"RSV2", Side::client, bytes({0xa2, 0x00})},
      {"RSV3", Side::client, bytes({0x92, 0x00})},
      {"RSV1 on a control frame", Side::client, bytes({0xc9, 0x00})},
      {"text", Side::client, bytes({0x81, 0x01}) + "a"},
      {"fragmented text", Side::client, bytes({0x01, 0x01}) + "a"},
      {"opcode 3", Side::client, bytes({0x83, 0x00})},
      {"opcode 7", Side::client, bytes({0x87, 0x00})},
      {"opcode 11", Side::client, bytes({0x8b, 0x00})},
      {"opcode 15", Side::client, bytes({0x8f, 0x00})},
      {"continuation of nothing", Side::client, bytes({0x80, 0x00})},
      {"continuation after the end", Side::client, bytes({0x02, 0x00, 0x80, 0x00, 0x80, 0x00})},
      {"a message inside a message", Side::client, bytes({0x02, 0x00, 0x82, 0x00})},
      {"a fragmented ping", Side::client, bytes({0x09, 0x00})},
      {"a fragmented close", Side::client, bytes({0x08, 0x00})},
      {"a ping of 126 bytes", Side::client, bytes({0x89, 0x7e, 0x00, 0x7e}) + pattern(126)},
      {"a ping with a 64-bit length", Side::client, bytes({0x89, 0x7f})},
      {"a close of one byte", Side::client, bytes({0x88, 0x01, 0x03})},
      {"125 as 16 bits", Side::client, bytes({0x82, 0x7e, 0x00, 0x7d})},
      {"0 as 16 bits", Side::client, bytes({0x82, 0x7e, 0x00, 0x00})},
      {"65535 as 64 bits", Side::client, bytes({0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0xff, 0xff})},
      {"the top bit of the length", Side::client, bytes({0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0})},
      {"masked 125 as 16 bits", Side::server, bytes({0x82, 0xfe, 0x00, 0x7d}) + key},
  };
  for (const Refused& refused : cases) {
    EXPECT_TRUE(decode(refused.side, refused.wire).failed) << refused.why;
    std::vector<std::size_t> every_byte;
    for (std::size_t i = 1; i < refused.wire.size(); ++i) every_byte.push_back(i);
    EXPECT_TRUE(decode(refused.side, refused.wire, every_byte).failed) << refused.why << ", byte by byte";
  }
}

TEST(websocket, the_least_and_the_greatest_length_of_each_form_are_taken) {
  EXPECT_EQ(decode(Side::client, bytes({0x82, 0x7e, 0x00, 0x7e}) + pattern(126)).data, pattern(126));
  EXPECT_EQ(decode(Side::client, bytes({0x82, 0x7e, 0xff, 0xff}) + pattern(65535)).data, pattern(65535));
  const Seen huge = decode(Side::client, bytes({0x82, 0x7f, 0x7f, 255, 255, 255, 255, 255, 255, 255}) + "ab");
  EXPECT_FALSE(huge.failed);
  EXPECT_EQ(huge.data, "ab");
}

TEST(websocket, a_stranger_is_refused_at_its_second_byte) {
  FrameDecoder decoder(Side::server);
  std::string wire = "GE";
  EXPECT_FALSE(decoder.feed(wire.data(), wire.size()));
}

}  // namespace
}  // namespace rockdove::tunnel
