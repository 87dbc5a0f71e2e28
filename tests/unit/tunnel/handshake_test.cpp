#include "tunnel/handshake.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace rockdove::tunnel {
namespace {

using std::chrono::milliseconds;

const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";

LinkHello example() {
  return {"feishu-bot", "tq0Zr3nV-u_9hYx2Kc8dWw", "home-pc", "5f3a9c", 3, "0.1.0", Direction::ingress};
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

Result<LinkHello> read(std::string_view request, std::string* read_key = nullptr) {
  const auto head = http::parse_request_head(request, {});
  EXPECT_TRUE(head.has_value()) << request;
  if (!head) return head.error();
  std::string unused;
  return read_hello(*head, read_key ? *read_key : unused);
}

Result<LinkAnswer> answer(std::string_view response) {
  const std::size_t end = response.find("\r\n\r\n") + 4;
  const auto head = http::parse_response_head(response.substr(0, end), {}, "GET");
  EXPECT_TRUE(head.has_value()) << response;
  if (!head) return head.error();
  return read_answer(*head, key);
}

TEST(handshake, the_request_is_the_documented_one) {
  EXPECT_EQ(write_hello(example(), "tunnel.example.com:8081", key),
            "GET /rockdove/v1/link HTTP/1.1\r\n"
            "Host: tunnel.example.com:8081\r\n"
            "Upgrade: websocket\r\n"
            "Connection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Protocol: rockdove.1\r\n"
            "Authorization: Bearer tq0Zr3nV-u_9hYx2Kc8dWw\r\n"
            "Rockdove-Tunnel: feishu-bot\r\n"
            "Rockdove-Agent: home-pc\r\n"
            "Rockdove-Instance: 5f3a9c\r\n"
            "Rockdove-Link: 3\r\n"
            "Rockdove-Version: 0.1.0\r\n"
            "Rockdove-Direction: ingress\r\n"
            "\r\n");
}

TEST(handshake, what_the_agent_says_is_what_the_server_reads) {
  LinkHello longest{std::string(63, 't'),
                    std::string(254, 's') + "==",
                    std::string(64, '~'),
                    std::string(32, 'f'),
                    63,
                    std::string(32, '9'),
                    Direction::egress};
  LinkHello shortest{"0", "x", "!", "0", 0, "1", Direction::ingress};
  LinkHello probe = example();
  probe.direction = Direction::probe;
  for (const LinkHello& hello : {example(), longest, shortest, probe}) {
    std::string read_key;
    const auto seen = read(write_hello(hello, "h", key), &read_key);
    ASSERT_TRUE(seen.has_value()) << seen.error();
    EXPECT_EQ(*seen, hello);
    EXPECT_EQ(read_key, key);
  }
}

TEST(handshake, what_proxies_on_the_way_change_does_not_matter) {
  std::string request = write_hello(example(), "h", key);
  request = replaced(request, "Upgrade: websocket", "upgrade: WebSocket");
  request = replaced(request, "Connection: Upgrade", "connection: keep-alive, upgrade");
  request = replaced(request, "Bearer", "bearer");
  request = replaced(request, "rockdove.1", "rockdove.2, rockdove.1");
  request = replaced(request, "Rockdove-Direction: ingress\r\n", "Via: 1.1 proxy\r\n");
  const auto seen = read(request);
  ASSERT_TRUE(seen.has_value()) << seen.error();
  EXPECT_EQ(*seen, example());
}

struct Change {
  std::string from, to;
};

TEST(handshake, a_request_outside_the_protocol_is_refused) {
  const std::string good = write_hello(example(), "h", key);
  const std::vector<Change> changes{
      {"GET", "POST"},
      {"/rockdove/v1/link", "/rockdove/v2/link"},
      {"/rockdove/v1/link", "/rockdove/v1/link?x"},
      {"HTTP/1.1", "HTTP/1.0"},
      {"Upgrade: websocket\r\n", ""},
      {"Upgrade: websocket", "Upgrade: h2c"},
      {"Connection: Upgrade\r\n", ""},
      {"Connection: Upgrade", "Connection: close"},
      {"Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8"},
      {"Sec-WebSocket-Version: 13\r\n", ""},
      {"Sec-WebSocket-Version: 13\r\n", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\n"},
      {"Sec-WebSocket-Key: " + key + "\r\n", ""},
      {"Sec-WebSocket-Key: ", "Sec-WebSocket-Key: " + key + "\r\nSec-WebSocket-Key: "},
      {key, "dGhlIHNhbXBsZSBub25jZQ="},
      {key, "dGhlIHNhbXBsZSBub25jZQ==="},
      {key, "dGhlIHNhbXBsZSBub25jZ==="},
      {key, "dGhlIHNhbXBsZSBub25-ZQ=="},
      {"rockdove.1", "rockdove.2"},
      {"Sec-WebSocket-Protocol: rockdove.1\r\n", ""},
      {"Rockdove-Tunnel: feishu-bot\r\n", ""},
      {"feishu-bot", ""},
      {"feishu-bot", "Feishu"},
      {"feishu-bot", ".feishu"},
      {"feishu-bot", "-feishu"},
      {"feishu-bot", "a/b"},
      {"feishu-bot", std::string(64, 'a')},
      {"Rockdove-Tunnel: ", "Rockdove-Tunnel: other\r\nRockdove-Tunnel: "},
      {"Rockdove-Agent: home-pc\r\n", ""},
      {"home-pc", "home pc"},
      {"home-pc", "h\xc3\xb6me"},
      {"home-pc", std::string(65, 'a')},
      {"Rockdove-Agent: ", "Rockdove-Agent: other\r\nRockdove-Agent: "},
      {"Rockdove-Instance: 5f3a9c\r\n", ""},
      {"5f3a9c", "5F3A9C"},
      {"5f3a9c", "xyz"},
      {"5f3a9c", std::string(33, 'a')},
      {"Rockdove-Link: 3\r\n", ""},
      {"Rockdove-Link: 3", "Rockdove-Link: 64"},
      {"Rockdove-Link: 3", "Rockdove-Link: 100"},
      {"Rockdove-Link: 3", "Rockdove-Link: -1"},
      {"Rockdove-Link: 3", "Rockdove-Link: +3"},
      {"Rockdove-Link: 3", "Rockdove-Link: 03"},
      {"Rockdove-Link: 3", "Rockdove-Link: 3x"},
      {"Rockdove-Link: 3", "Rockdove-Link: 3\r\nRockdove-Link: 3"},
      {"Rockdove-Version: 0.1.0\r\n", ""},
      {"0.1.0", "0 1"},
      {"0.1.0", std::string(33, '1')},
      {"ingress", "sideways"},
      {"ingress", "ingress\r\nRockdove-Direction: egress"},
      {"Rockdove-Direction: ingress\r\n", "Content-Length: 5\r\n"},
      {"Rockdove-Direction: ingress\r\n", "Transfer-Encoding: chunked\r\n"},
  };
  for (const Change& change : changes) {
    std::string read_key = "untouched";
    const auto seen = read(replaced(good, change.from, change.to), &read_key);
    ASSERT_FALSE(seen.has_value()) << change.from << " -> " << change.to;
    EXPECT_EQ(seen.error(), Error::protocol) << change.from << " -> " << change.to;
    EXPECT_EQ(read_key, "untouched");
  }
}

TEST(handshake, a_request_without_usable_credentials_is_unauthorized) {
  const std::string good = write_hello(example(), "h", key);
  const std::string secret = example().secret, field = "Authorization: Bearer " + secret + "\r\n";
  const std::vector<Change> changes{
      {field, ""},
      {field, field + field},
      {"Bearer", "Basic"},
      {"Bearer " + secret, "Bearer"},
      {"Bearer " + secret, secret},
      {secret, "two words"},
      {secret, " " + secret},
      {secret, "a=b"},
      {secret, "=="},
      {secret, std::string(257, 'a')},
  };
  for (const Change& change : changes) {
    const auto seen = read(replaced(good, change.from, change.to));
    ASSERT_FALSE(seen.has_value()) << change.from << " -> " << change.to;
    EXPECT_EQ(seen.error(), Error::unauthorized) << change.from << " -> " << change.to;
  }
}

TEST(handshake, the_accept_answer_is_the_documented_one) {
  EXPECT_EQ(write_accept(key),
            "HTTP/1.1 101 Switching Protocols\r\n"
            "Upgrade: websocket\r\n"
            "Connection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
            "Sec-WebSocket-Protocol: rockdove.1\r\n"
            "Rockdove-Version: " ROCKDOVE_VERSION
            "\r\n"
            "\r\n");
}

TEST(handshake, an_accept_answer_is_taken_and_names_the_server_version) {
  const auto seen = answer(write_accept(key));
  ASSERT_TRUE(seen.has_value()) << seen.error();
  ASSERT_TRUE(std::holds_alternative<LinkAccept>(*seen));
  EXPECT_EQ(std::get<LinkAccept>(*seen).version, ROCKDOVE_VERSION);
}

TEST(handshake, a_probe_is_told_the_servers_time) {
  const std::string written = write_accept(key, milliseconds(1'700'000'000'123));
  const auto seen = answer(written);
  ASSERT_TRUE(seen.has_value()) << seen.error();
  EXPECT_EQ(std::get<LinkAccept>(*seen).time, milliseconds(1'700'000'000'123));
  EXPECT_FALSE(std::get<LinkAccept>(*answer(write_accept(key))).time);
  for (const char* wrong : {"", "-1", "1.5", "1234567890123456", "x"}) {
    const auto other = answer(replaced(written, "1700000000123", wrong));
    ASSERT_TRUE(other.has_value()) << wrong;
    EXPECT_FALSE(std::get<LinkAccept>(*other).time) << wrong;
  }
}

TEST(handshake, an_accept_answer_that_does_not_fit_the_request_is_refused) {
  const std::string good = write_accept(key), version = "Rockdove-Version: " ROCKDOVE_VERSION "\r\n";
  const std::vector<Change> changes{
      {"101 Switching Protocols", "100 Continue"},
      {"101 Switching Protocols", "103 Early Hints"},
      {"Upgrade: websocket\r\n", ""},
      {"Upgrade: websocket", "Upgrade: h2c"},
      {"Connection: Upgrade\r\n", ""},
      {"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOO="},
      {"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "S3PPLMBITXAQ9KYGZZHZRBK+XOO="},
      {"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", ""},
      {"Sec-WebSocket-Protocol: rockdove.1\r\n", ""},
      {"rockdove.1", "chat"},
      {"rockdove.1", "rockdove.1, chat"},
      {version, ""},
      {version, version + version},
      {version, version + "Sec-WebSocket-Extensions: permessage-deflate\r\n"},
  };
  for (const Change& change : changes) {
    const auto seen = answer(replaced(good, change.from, change.to));
    ASSERT_FALSE(seen.has_value()) << change.from << " -> " << change.to;
    EXPECT_EQ(seen.error(), Error::protocol) << change.from << " -> " << change.to;
  }
}

TEST(handshake, a_refusal_is_a_plain_http_answer) {
  EXPECT_EQ(write_refusal({503, "draining", "the server is stopping", milliseconds(1500)}),
            "HTTP/1.1 503 Service Unavailable\r\n"
            "Content-Type: application/json\r\n"
            "Content-Length: 79\r\n"
            "Connection: close\r\n"
            "Rockdove-Reason: draining\r\n"
            "Rockdove-Message: the server is stopping\r\n"
            "Retry-After: 2\r\n"
            "Rockdove-Retry-After-Ms: 1500\r\n"
            "Rockdove-Version: " ROCKDOVE_VERSION
            "\r\n"
            "\r\n"
            R"({"error":{"hop":"link","cause":"draining","message":"the server is stopping"}})"
            "\n");
}

TEST(handshake, every_refusal_reaches_the_agent_as_it_was_meant) {
  const std::vector<LinkRefusal> refusals{
      {400, "protocol", "not a link request", {}},
      {401, "unauthorized", "the token is unknown or was revoked", {}},
      {403, "tunnel_mismatch", "the token is for another tunnel", {}},
      {409, "replaced", "a newer link of this agent took over", milliseconds(0)},
      {426, "protocol", "update the agent", {}},
      {429, "busy", "too many links", milliseconds(1)},
      {503, "draining", "the server is stopping: \"later\"", milliseconds(2000)},
      {503, "busy", "", retry_after_max},
  };
  for (const LinkRefusal& refusal : refusals) {
    const auto seen = answer(write_refusal(refusal));
    ASSERT_TRUE(seen.has_value()) << seen.error();
    ASSERT_TRUE(std::holds_alternative<LinkRefusal>(*seen)) << refusal.reason;
    EXPECT_EQ(std::get<LinkRefusal>(*seen), refusal) << refusal.reason;
  }
}

TEST(handshake, the_body_of_a_refusal_has_the_length_it_says) {
  const std::string text = write_refusal({401, "unauthorized", "a \"quoted\" word", {}});
  const std::size_t end = text.find("\r\n\r\n") + 4;
  const auto head = http::parse_response_head(text.substr(0, end), {}, "GET");
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->content_length, text.size() - end);
  EXPECT_EQ(head->fields.get("WWW-Authenticate"), "Bearer");
  EXPECT_FALSE(head->keep_alive);
}

TEST(handshake, a_426_names_the_protocol_to_upgrade_to) {
  const std::string text = write_refusal({426, "protocol", "", {}});
  const auto head = http::parse_response_head(text.substr(0, text.find("\r\n\r\n") + 4), {}, "GET");
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->fields.get("Upgrade"), "websocket");
  EXPECT_TRUE(head->fields.has_token("Connection", "upgrade"));
  EXPECT_EQ(head->fields.get("Sec-WebSocket-Version"), "13");
}

TEST(handshake, a_message_cannot_break_out_of_its_field) {
  const std::string nasty = " a\r\nRockdove-Reason: x\x01\x7f\xc3\xa9 b ";
  const auto seen = answer(write_refusal({500, "broken", nasty, {}}));
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(std::get<LinkRefusal>(*seen).message, "a??Rockdove-Reason: x???? b");
  const auto cut = answer(write_refusal({500, "broken", std::string(9999, 'm'), {}}));
  ASSERT_TRUE(cut.has_value());
  EXPECT_EQ(std::get<LinkRefusal>(*cut).message.size(), refusal_message_max);
}

TEST(handshake, an_answer_of_somebody_else_is_a_foreign_refusal) {
  const char* answers[] = {
      "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nRetry-After: 7\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nRetry-After: 7\r\n\r\nok",
      "HTTP/1.1 301 Moved Permanently\r\nLocation: /\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 503 x\r\nRockdove-Reason: Not A Word\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 503 x\r\nRockdove-Reason: a\r\nRockdove-Reason: b\r\nRetry-After: 7\r\n\r\n",
  };
  for (const char* text : answers) {
    const auto seen = answer(text);
    ASSERT_TRUE(seen.has_value()) << text;
    const auto& refusal = std::get<LinkRefusal>(*seen);
    EXPECT_EQ(refusal.reason, foreign_answer) << text;
    EXPECT_EQ(refusal.retry_after, std::chrono::seconds(7)) << text;
    EXPECT_NE(refusal.message.find("HTTP " + std::to_string(refusal.status)), std::string::npos) << text;
  }
}

TEST(handshake, delays_are_read_from_either_field_and_bounded) {
  const std::pair<const char*, std::optional<milliseconds>> cases[] = {
      {"", std::nullopt},
      {"Retry-After: 3\r\n", milliseconds(3000)},
      {"Retry-After: 3\r\nRockdove-Retry-After-Ms: 2500\r\n", milliseconds(2500)},
      {"Rockdove-Retry-After-Ms: 0\r\n", milliseconds(0)},
      {"Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", std::nullopt},
      {"Retry-After: -1\r\n", std::nullopt},
      {"Retry-After: 3600\r\n", retry_after_max},
      {"Retry-After: 999999999\r\n", retry_after_max},
      {"Retry-After: 9999999999999999999999\r\n", std::nullopt},
      {"Rockdove-Retry-After-Ms: 999999999\r\n", retry_after_max},
      {"Retry-After: 3\r\nRetry-After: 4\r\n", std::nullopt},
  };
  for (const auto& [fields, expected] : cases) {
    const auto seen = answer("HTTP/1.1 503 x\r\nContent-Length: 0\r\n" + std::string(fields) + "\r\n");
    ASSERT_TRUE(seen.has_value()) << fields;
    EXPECT_EQ(std::get<LinkRefusal>(*seen).retry_after, expected) << fields;
  }
}

TEST(handshake, a_delay_is_rounded_up_to_whole_seconds_and_bounded) {
  const std::pair<milliseconds, const char*> cases[] = {
      {milliseconds(-5), "Retry-After: 0\r\nRockdove-Retry-After-Ms: 0\r\n"},
      {milliseconds(1), "Retry-After: 1\r\nRockdove-Retry-After-Ms: 1\r\n"},
      {milliseconds(1000), "Retry-After: 1\r\nRockdove-Retry-After-Ms: 1000\r\n"},
      {milliseconds(1001), "Retry-After: 2\r\nRockdove-Retry-After-Ms: 1001\r\n"},
      {std::chrono::hours(9), "Retry-After: 3600\r\nRockdove-Retry-After-Ms: 3600000\r\n"},
  };
  for (const auto& [delay, fields] : cases)
    EXPECT_NE(write_refusal({503, "busy", "", delay}).find(fields), std::string::npos) << delay.count();
}

TEST(handshake, names_and_secrets_keep_their_alphabets) {
  for (const char* name : {"a", "0", "feishu-bot", "a.b_c-d"}) EXPECT_TRUE(valid_tunnel_name(name)) << name;
  for (const char* name : {"", "-a", ".a", "_a", "A", "a b", "a/b", "\xc3\xa9"})
    EXPECT_FALSE(valid_tunnel_name(name)) << name;
  for (const char* name : {"a", "home-pc", "PC#1", "~"}) EXPECT_TRUE(valid_agent_name(name)) << name;
  for (const char* name : {"", "a b", "a\t", "\x7f", "\xc3\xa9"})
    EXPECT_FALSE(valid_agent_name(name)) << name;
  for (const char* secret : {"a", "aZ09-._~+/", "abc="}) EXPECT_TRUE(valid_secret(secret)) << secret;
  for (const char* secret : {"", "=", "a b", "a=b", "a,b", "\xc3\xa9"})
    EXPECT_FALSE(valid_secret(secret)) << secret;
}

TEST(handshake, a_hello_outside_the_limits_is_not_valid) {
  EXPECT_TRUE(is_valid(example()));
  for (const int index : {-1, links_max}) {
    LinkHello hello = example();
    hello.link_index = index;
    EXPECT_FALSE(is_valid(hello));
  }
  for (std::string LinkHello::*member :
       {&LinkHello::tunnel, &LinkHello::secret, &LinkHello::agent, &LinkHello::instance, &LinkHello::version})
    for (const char* value : {"", "a\r\nb"}) {
      LinkHello hello = example();
      hello.*member = value;
      EXPECT_FALSE(is_valid(hello));
    }
}

}  // namespace
}  // namespace rockdove::tunnel
