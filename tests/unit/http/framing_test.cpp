// How the end of a message's body is found: the vectors of request smuggling, and keep-alive.
#include "unit/http/head_verdict.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rockdove::http {
namespace {

struct FramingCase {
  std::string lines;
  std::string verdict;
};

const std::vector<FramingCase> framing_cases = {
    {"Content-Length: 0\r\n", "ok"},
    {"CONTENT-LENGTH:\t5 \r\n", "ok"},
    {"Content-Length: 18446744073709551615\r\n", "ok"},
    {"Content-Length: 18446744073709551616\r\n", "malformed"},
    {"Content-Length: 99999999999999999999999\r\n", "malformed"},
    {"Content-Length:\r\n", "malformed"},
    {"Content-Length: -1\r\n", "malformed"},
    {"Content-Length: -0\r\n", "malformed"},
    {"Content-Length: +5\r\n", "malformed"},
    {"Content-Length: 0x10\r\n", "malformed"},
    {"Content-Length: 5 5\r\n", "malformed"},
    {"Content-Length: 5, 5\r\n", "malformed"},
    {"Content-Length: 5,\r\n", "malformed"},
    {"Content-Length: 5;\r\n", "malformed"},
    {"Content-Length: 5.0\r\n", "malformed"},
    {"Content-Length: 1e1\r\n", "malformed"},
    {"Content-Length: five\r\n", "malformed"},
    {"Content-Length: \xd9\xa5\r\n", "malformed"},
    {"Content-Length: 5\r\nContent-Length: 5\r\n", "malformed"},
    {"Content-Length: 5\r\ncontent-length: 6\r\n", "malformed"},
    {"Content-Length : 5\r\n", "malformed"},
    {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "malformed"},
    {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "malformed"},
    {"Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", "malformed"},
    {"Transfer-Encoding: chunked\r\n", "ok"},
    {"transfer-encoding:CHUNKED\r\n", "ok"},
    {"Transfer-Encoding: \tchunked\t \r\n", "ok"},  // the white space around a value is not the value
    {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "malformed"},
    {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "malformed"},
    {"Transfer-Encoding: chunked, chunked\r\n", "not_implemented"},
    {"Transfer-Encoding: identity\r\n", "not_implemented"},
    {"Transfer-Encoding: gzip, chunked\r\n", "not_implemented"},
    {"Transfer-Encoding: chunked, gzip\r\n", "not_implemented"},
    {"Transfer-Encoding: chunked, identity\r\n", "not_implemented"},
    {"Transfer-Encoding: xchunked\r\n", "not_implemented"},
    {"Transfer-Encoding: chunked;a=b\r\n", "not_implemented"},
    {"Transfer-Encoding:\r\n", "malformed"},
    {"Transfer-Encoding: chunked,\r\n", "malformed"},
    {"Transfer-Encoding: , chunked\r\n", "malformed"},
    {"Transfer-Encoding: chunked;\r\n", "malformed"},
    {"Transfer-Encoding: chunked chunked\r\n", "malformed"},
    {"Transfer-Encoding: chu nked\r\n", "malformed"},
    {"Transfer-Encoding: \"chunked\"\r\n", "malformed"},
    {"Transfer-Encoding: chunked\x0b\r\n", "malformed"},
    {"Transfer-Encoding: \r\n chunked\r\n", "malformed"},
    {"Transfer-Encoding : chunked\r\n", "malformed"},
    {"Transfer-Encoding\t: chunked\r\n", "malformed"},
};

TEST(framing, has_no_second_reading) {
  for (const auto& [lines, verdict] : framing_cases) {
    EXPECT_EQ(verdict_on_request(get_with(lines)), verdict) << lines;
    EXPECT_EQ(verdict_on_response("HTTP/1.1 200 OK\r\n" + lines + "\r\n"), verdict) << lines;
    // A response without a body is held to the same rules: it may be forwarded.
    EXPECT_EQ(verdict_on_response("HTTP/1.1 304 Not Modified\r\n" + lines + "\r\n"), verdict) << lines;
  }
}

TEST(framing, of_http_1_0_knows_no_transfer_coding) {
  EXPECT_EQ(verdict_on_request("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), "malformed");
  EXPECT_EQ(verdict_on_response("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), "malformed");
  EXPECT_EQ(verdict_on_request("POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n"), "ok");
}

TEST(framing, of_a_request) {
  EXPECT_EQ(parse(get_with("")).framing, Framing::none);
  EXPECT_EQ(parse(get_with("Transfer-Encoding: Chunked\r\n")).framing, Framing::chunked);
  const RequestHead head = parse(get_with("Content-Length: 0012\r\n"));
  EXPECT_EQ(head.framing, Framing::length);
  EXPECT_EQ(head.content_length, 12u);
}

TEST(framing, of_a_response_follows_status_and_method) {
  struct Case {
    int status;
    std::string method;
    std::string lines;
    Framing framing;
  };
  const std::string length = "Content-Length: 7\r\n", chunked = "Transfer-Encoding: chunked\r\n";
  const std::vector<Case> cases = {
      {200, "GET", length, Framing::length},
      {200, "GET", chunked, Framing::chunked},
      {200, "GET", "", Framing::until_close},
      {404, "POST", length, Framing::length},
      {200, "HEAD", length, Framing::none},
      {200, "HEAD", chunked, Framing::none},
      {404, "HEAD", "", Framing::none},
      {200, "head", length, Framing::length},
      {100, "GET", "", Framing::none},
      {103, "GET", length, Framing::none},
      {101, "GET", length, Framing::none},
      {204, "GET", length, Framing::none},
      {204, "GET", chunked, Framing::none},
      {304, "GET", length, Framing::none},
      {205, "GET", length, Framing::length},
      {200, "CONNECT", length, Framing::none},
      {299, "CONNECT", chunked, Framing::none},
      {407, "CONNECT", length, Framing::length},
      {300, "CONNECT", "", Framing::until_close},
  };
  for (const Case& c : cases) {
    const std::string head = "HTTP/1.1 " + std::to_string(c.status) + " X\r\n" + c.lines + "\r\n";
    const ResponseHead parsed = parse_response(head, c.method);
    EXPECT_EQ(parsed.framing, c.framing) << c.method << " " << head;
    EXPECT_EQ(parsed.content_length, c.framing == Framing::length ? 7u : 0u) << head;
    EXPECT_EQ(parsed.status, c.status);
    EXPECT_EQ(parsed.keep_alive, c.framing != Framing::until_close) << head;
  }
}

TEST(keep_alive, follows_version_and_connection) {
  struct Case {
    int minor;
    std::string lines;
    bool keep_alive;
  };
  const std::vector<Case> cases = {
      {1, "", true},
      {1, "Connection: close\r\n", false},
      {1, "Connection: CLOSE\r\n", false},
      {1, "Connection: keep-alive, Close\r\n", false},
      {1, "Connection: upgrade\r\nConnection: close\r\n", false},
      {1, "Connection: closed\r\n", true},
      {1, "X: close\r\n", true},
      {0, "", false},
      {0, "Connection: keep-alive\r\n", true},
      {0, "Connection: Keep-Alive , x\r\n", true},
      {0, "Connection: keep-alive\r\nConnection: close\r\n", false},
  };
  for (const Case& c : cases) {
    const std::string version = "HTTP/1." + std::to_string(c.minor);
    EXPECT_EQ(parse("GET / " + version + "\r\nHost: a\r\n" + c.lines + "\r\n").keep_alive, c.keep_alive)
        << c.lines;
    EXPECT_EQ(parse_response(version + " 200 OK\r\nContent-Length: 0\r\n" + c.lines + "\r\n").keep_alive,
              c.keep_alive)
        << c.lines;
  }
}

}  // namespace
}  // namespace rockdove::http
