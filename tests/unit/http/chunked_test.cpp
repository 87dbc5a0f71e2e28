#include "http/parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rockdove::http {
namespace {

using namespace std::string_literals;

struct Decoded {
  std::string verdict;  // "ok", "more" or the error's name
  std::string data;
  std::size_t consumed = 0;
  std::string trailers;  // "name=value;" each

  bool operator==(const Decoded&) const = default;
};

/// Feeds `bytes` in pieces of `size`, and each piece until it is used up.
Decoded decode(std::string_view bytes, std::size_t size, const HeadLimits& limits = {}) {
  ChunkedDecoder decoder(limits);
  Decoded result{"more", "", 0, ""};
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    std::string piece(bytes.substr(at, size));  // a copy, so that a sanitizer sees views kept too long
    std::string_view rest = piece;
    while (!rest.empty()) {
      const auto step = decoder.feed(rest);
      if (!step) return {std::string(error_name(step.error())), "", 0, ""};
      result.data += step->data;
      result.consumed += step->consumed;
      rest.remove_prefix(step->consumed);
      if (step->finished) {
        result.verdict = "ok";
        for (const Fields::Field field : decoder.trailers())
          result.trailers.append(field.name).append("=").append(field.value).append(";");
        return result;
      }
      if (step->consumed == 0) return {"stuck", "", 0, ""};
    }
  }
  return result;
}

std::string verdict(std::string_view bytes, const HeadLimits& limits = {}) {
  const Decoded whole = decode(bytes, bytes.size() + 1, limits);
  for (const std::size_t size : {1, 2, 3, 7}) EXPECT_EQ(decode(bytes, size, limits), whole) << bytes;
  return whole.verdict;
}

TEST(chunked_decoder, joins_chunks_and_stops_at_the_end) {
  const std::string body = "5\r\nhello\r\n006;x=y\r\n world\r\n0\r\n\r\n";
  const Decoded decoded = decode(body + "GET / HTTP/1.1\r\n", 1000);
  EXPECT_EQ(decoded.verdict, "ok");
  EXPECT_EQ(decoded.data, "hello world");
  EXPECT_EQ(decoded.consumed, body.size());
  EXPECT_EQ(decoded.trailers, "");
}

TEST(chunked_decoder, gives_the_same_answer_for_every_split) {
  const std::string body =
      "A;q=\"1\"\r\n0123456789\r\n1\r\n\n\r\n0;z\r\nX-Sum: 1 \r\nY:\r\nx-sum:2\r\n\r\nnext";
  const Decoded whole = decode(body, body.size());
  EXPECT_EQ(whole.verdict, "ok");
  EXPECT_EQ(whole.data, "0123456789\n");
  EXPECT_EQ(whole.trailers, "X-Sum=1;Y=;x-sum=2;");
  EXPECT_EQ(whole.consumed, body.size() - 4);
  for (std::size_t size = 1; size < body.size(); ++size) EXPECT_EQ(decode(body, size), whole) << size;
}

TEST(chunked_decoder, gives_views_into_the_input) {
  ChunkedDecoder decoder{HeadLimits{}};
  const std::string body = "5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n";
  const auto first = decoder.feed(body);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->data.data(), body.data() + 3);
  EXPECT_EQ(first->consumed, 13u);  // up to the second chunk's data
  EXPECT_FALSE(first->finished);
  const auto second = decoder.feed(std::string_view(body).substr(first->consumed));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->data, "abc");
  EXPECT_TRUE(second->finished);
  const auto after = decoder.feed("more");
  ASSERT_TRUE(after);
  EXPECT_EQ(after->consumed, 0u);
  EXPECT_TRUE(after->finished);
}

TEST(chunked_decoder, refuses_what_the_grammar_does_not_have) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"0\r\n\r\n", "ok"},
      {"0000000000000000\r\n\r\n", "ok"},
      {"a\r\n0123456789\r\n0\r\n\r\n", "ok"},
      {"ffffffffffffffff\r\n", "more"},
      {"5", "more"},
      {"5\r\nhel", "more"},
      {"5\r\nhello\r\n0\r\n\r", "more"},
      {"fffffffffffffffff\r\n", "malformed"},
      {"00000000000000005\r\nhello\r\n0\r\n\r\n", "malformed"},
      {"0x5\r\nhello\r\n0\r\n\r\n", "malformed"},
      {"5 \r\nhello\r\n0\r\n\r\n", "malformed"},
      {" 5\r\nhello\r\n0\r\n\r\n", "malformed"},
      {"5\t\r\nhello\r\n0\r\n\r\n", "malformed"},
      {"5 ;a\r\nhello\r\n0\r\n\r\n", "malformed"},
      {"-1\r\n", "malformed"},
      {"+5\r\nhello\r\n0\r\n\r\n", "malformed"},
      {"g\r\n", "malformed"},
      {"\r\n", "malformed"},
      {";a\r\n", "malformed"},
      {"5_0\r\n", "malformed"},
      {"5\xff\r\n", "malformed"},
      {"5\0\r\n"s, "malformed"},
      {"5\nhello\r\n0\r\n\r\n", "malformed"},    // bare LF after a size
      {"5;a\nhello\r\n0\r\n\r\n", "malformed"},  // and after an extension
      {"5\rhello\r\n0\r\n\r\n", "malformed"},
      {"5;a\rb\r\nhello\r\n0\r\n\r\n", "malformed"},
      {"5;a\0\r\nhello\r\n0\r\n\r\n"s, "malformed"},
      {"5\r\nhello0\r\n\r\n", "malformed"},  // no CRLF after data
      {"5\r\nhello\n0\r\n\r\n", "malformed"},
      {"5\r\nhello\r0\r\n\r\n", "malformed"},
      {"5\r\nhello!\r\n0\r\n\r\n", "malformed"},  // longer than it says
      {"5\r\nhell\r\n0\r\n\r\n", "malformed"},    // shorter
      {"5\rXhello\r\n0\r\n\r\n", "malformed"},
      {"5\r\nhello\rX0\r\n\r\n", "malformed"},
      {"0\rX\r\n", "malformed"},
      {"0\r\n\n", "malformed"},
      {"0\r\n\rx", "malformed"},
      {"0\n\r\n", "malformed"},
      {"0\r\nA: b\n", "malformed"},
      {"0\r\nA: b\r\n\n", "malformed"},
      {"0\r\nA : b\r\n\r\n", "malformed"},
      {"0\r\nA: b\r\n c\r\n\r\n", "malformed"},
      {"0\r\nA\r\n\r\n", "malformed"},
      {"0\r\n: b\r\n\r\n", "malformed"},
      {"0\r\nA: \0"s, "malformed"},
      {"0\r\nContent-Length: 5\r\n\r\n", "malformed"},
      {"0\r\ntransfer-encoding: chunked\r\n\r\n", "malformed"},
      {"0\r\nHOST: a\r\n\r\n", "malformed"},
      {"0\r\nGET / HTTP/1.1\r\n\r\n", "malformed"},
  };
  for (const auto& [bytes, expected] : cases) EXPECT_EQ(verdict(bytes), expected) << bytes;
}

TEST(chunked_decoder, bounds_extensions) {
  const auto with = [](std::size_t size) { return "1;" + std::string(size, 'e') + "\r\nx\r\n0\r\n\r\n"; };
  EXPECT_EQ(verdict(with(255)), "ok");
  EXPECT_EQ(verdict(with(256)), "malformed");
  EXPECT_EQ(verdict("1;" + std::string(256, 'e')), "malformed");
}

TEST(chunked_decoder, bounds_trailers) {
  HeadLimits small;
  small.header_bytes = 20;
  small.fields = 2;
  const auto of = [](std::size_t size) { return "0\r\nA: " + std::string(size, 'x') + "\r\n\r\n"; };
  EXPECT_EQ(verdict(of(13), small), "ok");
  EXPECT_EQ(verdict(of(14), small), "header_too_large");
  EXPECT_EQ(verdict("0\r\nA: " + std::string(17, 'x'), small), "header_too_large");
  EXPECT_EQ(verdict("0\r\nA:\r\nB:\r\n\r\n", small), "ok");
  EXPECT_EQ(verdict("0\r\nA:\r\nB:\r\nC:\r\n\r\n", small), "header_too_large");
}

}  // namespace
}  // namespace rockdove::http
