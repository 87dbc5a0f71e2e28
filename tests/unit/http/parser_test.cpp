#include "unit/http/head_verdict.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rockdove::http {
namespace {

using namespace std::string_literals;

TEST(find_head, counts_the_head_and_leaves_what_follows) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  std::size_t scanned = 0;
  EXPECT_EQ(find_head(head + "GET", limits, scanned).value(), head.size());
  scanned = 0;
  EXPECT_EQ(find_head("\r\n" + head + "body", limits, scanned).value(), head.size() + 2);
}

TEST(find_head, gives_the_same_answer_byte_by_byte_as_at_once) {
  const std::vector<std::string> inputs = {
      "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest",
      "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "\r\n\r\nGET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n",
      "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
      "GET / HTTP/1.1\nHost: a\n\n",
      "GET / HTTP/1.1\r\nTab:\tvalue\t\r\n\r\n",
      "GET / HTTP/1.1\r\n\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\r\n\r\n",
      "HTTP/1.1 200 OK\r\n\r\n",
      "\r",
      "",
  };
  for (const std::string& input : inputs) {
    std::size_t scanned = 0;
    const auto whole = find_head(input, limits, scanned);
    scanned = 0;
    auto slow = find_head("", limits, scanned);
    for (std::size_t size = 1; size <= input.size() && slow && *slow == 0; ++size) {
      slow = find_head(std::string_view(input).substr(0, size), limits, scanned);
      EXPECT_LE(scanned, size);
    }
    EXPECT_EQ(whole, slow) << input;
  }
}

TEST(find_head, refuses_a_second_empty_line_itself) {
  std::size_t scanned = 0;
  EXPECT_EQ(find_head("\r\n\r\nGET / HTTP/1.1\r\n", limits, scanned).error(), Error::malformed);
}

TEST(find_head, never_looks_at_a_byte_twice) {
  const std::string half = "GET / HTTP/1.1\r\nA: " + std::string(1000, 'x');
  std::size_t scanned = 0;
  EXPECT_EQ(find_head(half, limits, scanned).value(), 0u);
  EXPECT_EQ(scanned, half.size());
}

TEST(find_head, refuses_bad_bytes_before_the_head_is_complete) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"GET / HTTP/1.1\n", "malformed"},  // bare LF
      {"\n", "malformed"},
      {"\0"s, "malformed"},
      {"GET /\0"s, "malformed"},
      {"GET / HTTP/1.1\r\nA: \0"s, "malformed"},
      {"GET / HTTP/1.1\r\nA: b\rc", "malformed"},  // bare CR
      {"GET / HTTP/1.1\r\r", "malformed"},
      {"\r\n\r\n", "malformed"},      // two empty lines in front
      {"\x16\x03\x01", "malformed"},  // a TLS hello
      {"GET / HTTP/1.1\r\nA: \x7f", "malformed"},
      {"GET / HTTP/1.1\r", "more"},  // the CR may yet be followed by LF
      {"\r", "more"},
      {"\r\n\r", "more"},
      {"GET / HTTP/1.1\r\nA: b\tc\xc3\xa9", "more"},
      {"", "more"},
  };
  for (const auto& [bytes, verdict] : cases) EXPECT_EQ(verdict_on_request(bytes), verdict) << bytes;
}

TEST(find_head, finds_a_bad_byte_at_every_offset) {
  for (std::size_t at = 0; at < 40; ++at) {
    for (const char bad : {'\0', '\n', '\x01', '\x1f', '\x7f'}) {
      std::string bytes(40, 'x');
      bytes[at] = bad;
      EXPECT_EQ(verdict_on_request(bytes), "malformed") << at;
    }
    for (const char good : {' ', '\t', '~', '\x80', '\xff', '!'}) {
      std::string bytes(40, 'x');
      bytes[at] = good;
      EXPECT_EQ(verdict_on_request(bytes), "more") << at;
    }
  }
}

TEST(find_head, bounds_the_head) {
  HeadLimits small;
  small.header_bytes = 32;
  const std::string start = "GET / HTTP/1.1\r\nA: ";  // 19 bytes
  EXPECT_EQ(verdict_on_request(start + std::string(12, 'x'), small), "more");
  EXPECT_EQ(verdict_on_request(start + std::string(13, 'x'), small), "header_too_large");
  EXPECT_EQ(verdict_on_request(start + std::string(100, 'x') + "\r\n\r\n", small), "header_too_large");
  EXPECT_EQ(verdict_on_request(start + std::string(13, 'x') + "\n", small), "header_too_large");
  EXPECT_EQ(verdict_on_request("GET / HTTP/1.0\r\nA: " + std::string(9, 'x') + "\r\n\r\n", small), "ok");
  EXPECT_EQ(verdict_on_request("GET / HTTP/1.0\r\nA: " + std::string(10, 'x') + "\r\n\r\n", small),
            "header_too_large");
}

TEST(request_line, is_taken_as_received_or_refused) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"GET / HTTP/1.1", "ok"},
      {"get / HTTP/1.1", "ok"},  // methods are case-sensitive tokens, and any token is one
      {"M-SEARCH /x HTTP/1.1", "ok"},
      {"GET /a//b/../c;d?e=f&g=%00'\"<>\\^`{|} HTTP/1.1", "ok"},
      {"GET /\x80\xc3\xa9\xff HTTP/1.1", "ok"},
      {"GET //evil HTTP/1.1", "ok"},
      {"GET http://a.example/b?c HTTP/1.1", "ok"},
      {"GET HTTPS://a HTTP/1.1", "ok"},
      {"OPTIONS * HTTP/1.1", "ok"},
      {"OPTIONS / HTTP/1.1", "ok"},
      {"CONNECT a.example:443 HTTP/1.1", "ok"},
      {"CONNECT [::1]:443 HTTP/1.1", "ok"},
      {"GET / HTTP/1.0", "ok"},
      {"GET / HTTP/1.2", "version_not_supported"},
      {"GET / HTTP/2.0", "version_not_supported"},
      {"PRI * HTTP/2.0", "version_not_supported"},
      {"GET / HTTP/0.9", "version_not_supported"},
      {"GET / HTTP/1.10", "malformed"},
      {"GET / HTTP/2", "malformed"},
      {"GET / http/1.1", "malformed"},
      {"GET / HTTP/1,1", "malformed"},
      {"GET / HTTP/a.1", "malformed"},
      {"GET / HTTPS/1.1", "malformed"},
      {"GET / HTTP/1.1 ", "malformed"},
      {"GET / HTTP/2.0 ", "malformed"},
      {"GET / ", "malformed"},
      {"GET /", "malformed"},
      {"GET", "malformed"},
      {" GET / HTTP/1.1", "malformed"},
      {"GET  / HTTP/1.1", "malformed"},
      {"GET /  HTTP/1.1", "malformed"},
      {"GET /a b HTTP/1.1", "malformed"},
      {"GET\t/ HTTP/1.1", "malformed"},
      {"GET /\tHTTP/1.1", "malformed"},
      {"GET /a#b HTTP/1.1", "malformed"},
      {"GET # HTTP/1.1", "malformed"},
      {"G(T / HTTP/1.1", "malformed"},
      {"G\xc3T / HTTP/1.1", "malformed"},
      {"GET * HTTP/1.1", "malformed"},
      {"OPTIONS ** HTTP/1.1", "malformed"},
      {"GET a.example:443 HTTP/1.1", "malformed"},
      {"GET a HTTP/1.1", "malformed"},
      {"GET ?a HTTP/1.1", "malformed"},
      {"GET http:/a HTTP/1.1", "malformed"},
      {"GET http:///a HTTP/1.1", "malformed"},
      {"GET http:// HTTP/1.1", "malformed"},
      {"GET 1http://a HTTP/1.1", "malformed"},
      {"GET ://a HTTP/1.1", "malformed"},
      {"GET ht/tp://a HTTP/1.1", "malformed"},
      {"CONNECT a.example HTTP/1.1", "malformed"},
      {"CONNECT a.example: HTTP/1.1", "malformed"},
      {"CONNECT :443 HTTP/1.1", "malformed"},
      {"CONNECT a@b:443 HTTP/1.1", "malformed"},
      {"CONNECT / HTTP/1.1", "malformed"},
      {"CONNECT http://a/ HTTP/1.1", "malformed"},
      {"CONNECT * HTTP/1.1", "malformed"},
  };
  for (const auto& [line, verdict] : cases)
    EXPECT_EQ(verdict_on_request(line + "\r\nHost: a\r\n\r\n"), verdict) << line;
}

TEST(request_line, keeps_every_byte_of_method_and_target) {
  const RequestHead head = parse("\r\nm!x /a%2F..//?q=\xe4\xbd\xa0&'\" HTTP/1.0\r\n\r\n");
  EXPECT_EQ(head.method, "m!x");
  EXPECT_EQ(head.target, "/a%2F..//?q=\xe4\xbd\xa0&'\"");
  EXPECT_EQ(head.minor_version, 0);
  EXPECT_TRUE(head.fields.empty());
}

TEST(request_line, bounds_the_target) {
  HeadLimits small;
  small.target_bytes = 4;
  EXPECT_EQ(verdict_on_request("GET /abc HTTP/1.1\r\nHost: a\r\n\r\n", small), "ok");
  EXPECT_EQ(verdict_on_request("GET /abcd HTTP/1.1\r\nHost: a\r\n\r\n", small), "target_too_long");
  EXPECT_EQ(verdict_on_request("GET /" + std::string(8192, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"),
            "target_too_long");
}

TEST(field_lines, are_strict) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"A: b\r\n", "ok"},
      {"A:b\r\n", "ok"},
      {"A:\r\n", "ok"},
      {"A: \t \r\n", "ok"},
      {"A: b\tc\r\n", "ok"},
      {"A: :b:\r\n", "ok"},
      {"!#$%&'*+-.^_`|~09azAZ: x\r\n", "ok"},
      {"A: \x80\xff\r\n", "ok"},
      {"A : b\r\n", "malformed"},  // white space before the colon
      {"A\t: b\r\n", "malformed"},
      {" A: b\r\n", "malformed"},
      {"A: b\r\n c\r\n", "malformed"},  // obs-fold
      {"A: b\r\n\tc: d\r\n", "malformed"},
      {"A: b\r\n \r\n", "malformed"},
      {": b\r\n", "malformed"},
      {"A\r\n", "malformed"},
      {"A b\r\n", "malformed"},
      {"A(: b\r\n", "malformed"},
      {"\xc3\xa9: b\r\n", "malformed"},
      {"A: b\nC: d\r\n", "malformed"},
      {"A: b\rC: d\r\n", "malformed"},
      {"A: b\r\r\n", "malformed"},
      {"A\r: b\r\n", "malformed"},
      {"A: b\x01\r\n", "malformed"},
      {"A: b\x7f\r\n", "malformed"},
      {"A: b\0c\r\n"s, "malformed"},
      {"A\0: c\r\n"s, "malformed"},
      {"A: \x0b\r\n", "malformed"},
  };
  for (const auto& [lines, verdict] : cases) {
    EXPECT_EQ(verdict_on_request(get_with(lines)), verdict) << lines;
    EXPECT_EQ(verdict_on_response("HTTP/1.1 200 OK\r\n" + lines + "\r\n"), verdict) << lines;
  }
}

TEST(field_lines, keep_order_case_duplicates_and_inner_bytes) {
  const RequestHead head = parse(get_with("x-A:  one \r\nX-B: a  b\tc\t\r\nX-a:two\r\nEmpty:\r\n"));
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"Host", "a"}, {"x-A", "one"}, {"X-B", "a  b\tc"}, {"X-a", "two"}, {"Empty", ""}};
  ASSERT_EQ(head.fields.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(head.fields.at(i).name, expected[i].first);
    EXPECT_EQ(head.fields.at(i).value, expected[i].second);
  }
}

TEST(field_lines, are_bounded_in_number) {
  HeadLimits small;
  small.fields = 3;
  EXPECT_EQ(verdict_on_request(get_with("A: b\r\nC: d\r\n"), small), "ok");
  EXPECT_EQ(verdict_on_request(get_with("A: b\r\nC: d\r\nE: f\r\n"), small), "header_too_large");
}

TEST(parse_request_head, takes_one_whole_head_only) {
  const std::string head = get_with("A: b\r\n");
  for (std::size_t size = 0; size < head.size(); ++size)
    EXPECT_FALSE(parse_request_head(std::string_view(head).substr(0, size), limits)) << size;
  EXPECT_TRUE(parse_request_head(head, limits));
  EXPECT_FALSE(parse_request_head(head + "x", limits));
  EXPECT_FALSE(parse_request_head("\r\n\r\n" + head, limits));
  HeadLimits small;
  small.header_bytes = head.size() - 1;
  EXPECT_EQ(parse_request_head(head, small).error(), Error::header_too_large);
  EXPECT_EQ(parse_response_head("HTTP/1.1 200 OK\r\nA: 234567890\r\n\r\n", small, "GET").error(),
            Error::header_too_large);
}

TEST(host, must_be_there_once_and_be_a_host) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"Host: a\r\n", "ok"},
      {"HOST: a.example:8080\r\n", "ok"},
      {"Host: a_b-c.example:\r\n", "ok"},
      {"Host: 192.0.2.1:80\r\n", "ok"},
      {"Host: [2001:db8::1]:80\r\n", "ok"},
      {"Host: a%20b\r\n", "ok"},
      {"", "malformed"},
      {"Host:\r\n", "malformed"},
      {"Host: a\r\nHost: a\r\n", "malformed"},
      {"Host: a\r\nhost: b\r\n", "malformed"},
      {"Host: a b\r\n", "malformed"},
      {"Host: a, b\r\n", "malformed"},
      {"Host: a/b\r\n", "malformed"},
      {"Host: u@a\r\n", "malformed"},
      {"Host: a?b\r\n", "malformed"},
      {"Host: http://a\r\n", "malformed"},
      {"Host: :80\r\n", "malformed"},
      {"Host: a:80:80\r\n", "malformed"},
      {"Host: a:8x\r\n", "malformed"},
      {"Host: a:+8\r\n", "malformed"},
      {"Host: a:65536\r\n", "malformed"},
      {"Host: [::1\r\n", "malformed"},
      {"Host: [::1]a\r\n", "malformed"},
      {"Host: [g::1]\r\n", "malformed"},
      {"Host: []\r\n", "malformed"},
      {"Host: a%2\r\n", "malformed"},
      {"Host: a%zz\r\n", "malformed"},
      {"Host: \xc3\xa9.example\r\n", "malformed"},
  };
  for (const auto& [lines, verdict] : cases)
    EXPECT_EQ(verdict_on_request("GET / HTTP/1.1\r\n" + lines + "\r\n"), verdict) << lines;
  EXPECT_EQ(verdict_on_request("GET / HTTP/1.0\r\n\r\n"), "ok");
  EXPECT_EQ(verdict_on_request("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), "malformed");
}

TEST(status_line, is_strict_but_for_the_reason) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"HTTP/1.1 200 OK", "ok"},
      {"HTTP/1.0 200 OK", "ok"},
      {"HTTP/1.1 200 ", "ok"},
      {"HTTP/1.1 200", "ok"},
      {"HTTP/1.1 999 \xe5\xa5\xbd\t!", "ok"},
      {"HTTP/1.2 200 OK", "version_not_supported"},
      {"HTTP/2.0 200 OK", "version_not_supported"},
      {"HTTP/1.1 099 X", "malformed"},
      {"HTTP/1.1 20 OK", "malformed"},
      {"HTTP/1.1 2000 OK", "malformed"},
      {"HTTP/1.1 2x0 OK", "malformed"},
      {"HTTP/1.1 +20 OK", "malformed"},
      {"HTTP/1.1  200 OK", "malformed"},
      {"HTTP/1.1\t200 OK", "malformed"},
      {"HTTP/1.1", "malformed"},
      {"HTTP/1.1 ", "malformed"},
      {"http/1.1 200 OK", "malformed"},
      {"ICY 200 OK", "malformed"},
      {"HTTP/1.1 200 O\x01K", "malformed"},
      {"\r\nHTTP/1.1 200 OK", "malformed"},
  };
  for (const auto& [line, verdict] : cases)
    EXPECT_EQ(verdict_on_response(line + "\r\n\r\n"), verdict) << line;
}

TEST(huge_heads, are_answered_with_the_limit_that_was_passed) {
  const std::string line = "X: " + std::string(1000, 'y') + "\r\n";
  std::string fits, exceeds;
  for (int i = 0; i < 64; ++i) fits += line;
  for (int i = 0; i < 66; ++i) exceeds += line;
  EXPECT_EQ(verdict_on_request(get_with(fits)), "ok");
  EXPECT_EQ(verdict_on_request(get_with(exceeds)), "header_too_large");
  std::string many;
  for (int i = 0; i < 199; ++i) many += "X:\r\n";
  EXPECT_EQ(verdict_on_request(get_with(many)), "ok");
  EXPECT_EQ(verdict_on_request(get_with(many + "X:\r\n")), "header_too_large");
}

TEST(is_token, takes_tchars_only) {
  for (const auto text : {"GET", "x", "!#$%&'*+-.^_`|~", "0"}) EXPECT_TRUE(is_token(text)) << text;
  for (const auto text : {"", " ", "a b", "a:", "a/b", "a\"", "(a)", "\x80", "a\t", "a\x7f", "[", "@", ","})
    EXPECT_FALSE(is_token(text)) << text;
  EXPECT_FALSE(is_token("\0"s));
}

TEST(is_field_value, refuses_controls_and_outer_white_space) {
  for (const auto text : {"", "a", "a b", "a\tb", "\x80\xff", "twelve bytes and more\t\tof it"})
    EXPECT_TRUE(is_field_value(text)) << text;
  for (const auto text :
       {" a", "a ", "\ta", "a\t", " ", "a\rb", "a\nb", "a\r\nb", "a\x7f", "\x01", "0123456789\x1f"})
    EXPECT_FALSE(is_field_value(text)) << text;
  EXPECT_FALSE(is_field_value("a\0b"s));
}

}  // namespace
}  // namespace rockdove::http
