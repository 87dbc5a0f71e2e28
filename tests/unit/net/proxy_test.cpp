#include "net/proxy.hpp"

#include "net/task_group.hpp"
#include "support/sockets.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <vector>

namespace rockdove::net {
namespace {

using test::run;

using Variables = std::map<std::string, std::string>;

Environment environment(Variables variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

TEST(Proxy, addresses_are_read) {
  const std::pair<const char*, Proxy> cases[] = {
      {"http://proxy:3128", {{"proxy", 3128}, ""}},
      {"HTTP://proxy:3128/", {{"proxy", 3128}, ""}},
      {"proxy", {{"proxy", 80}, ""}},
      {"192.0.2.1:8080", {{"192.0.2.1", 8080}, ""}},
      {"http://[::1]:3128", {{"::1", 3128}, ""}},
      {"http://user:secret@proxy:3128", {{"proxy", 3128}, "user:secret"}},
      {"http://user@proxy:3128", {{"proxy", 3128}, "user:"}},
      {"http://dom%5Cuser:p%40ss%3a%25@proxy:1", {{"proxy", 1}, "dom\\user:p@ss:%"}},
      {"http://user:p@ss@proxy:1", {{"proxy", 1}, "user:p@ss"}},
  };
  for (const auto& [text, expected] : cases) {
    const auto proxy = parse_proxy(text);
    ASSERT_TRUE(proxy) << text;
    EXPECT_EQ(*proxy, expected) << text;
  }
}

TEST(Proxy, bad_addresses_are_refused) {
  for (const char* text : {"", "http://", "http://proxy:", "http://proxy:99999", "http://proxy/path",
                           "http://u:%zz@proxy", "http://u:%4@proxy", "http://pro xy"})
    EXPECT_EQ(parse_proxy(text).error(), Error::malformed) << text;
  for (const char* text : {"https://proxy:443", "socks5://proxy:1080"})
    EXPECT_EQ(parse_proxy(text).error(), Error::not_implemented) << text;
}

TEST(Proxy, the_first_variable_that_is_set_wins) {
  const HostPort target{"example.com", 443};
  const std::pair<Variables, std::string> cases[] = {
      {{}, ""},
      {{{"HTTP_PROXY", "http://no"}}, ""},  // a link is always encrypted
      {{{"HTTPS_PROXY", "http://upper"}}, "upper"},
      {{{"HTTPS_PROXY", "http://upper"}, {"https_proxy", "http://lower"}}, "lower"},
      {{{"https_proxy", " "}, {"HTTPS_PROXY", "http://upper"}}, "upper"},
      {{{"ALL_PROXY", "http://all"}}, "all"},
      {{{"ALL_PROXY", "http://all"}, {"HTTPS_PROXY", "http://upper"}}, "upper"},
  };
  for (const auto& [variables, host] : cases) {
    const auto proxy = proxy_for(environment(variables), target);
    ASSERT_TRUE(proxy);
    EXPECT_EQ(*proxy ? (*proxy)->address.host : "", host);
  }
  EXPECT_EQ(proxy_for(environment({{"HTTPS_PROXY", "socks5://x"}}), target).error(), Error::not_implemented);
  EXPECT_EQ(proxy_for(environment({{"HTTPS_PROXY", "http://x:y"}}), target).error(), Error::malformed);
}

struct Exception {
  const char* list;
  HostPort target;
  bool direct;
};

TEST(Proxy, no_proxy_covers_names_addresses_networks_and_ports) {
  const Exception cases[] = {
      {"", {"example.com", 443}, false},
      {"*", {"example.com", 443}, true},
      {"example.com", {"example.com", 443}, true},
      {"EXAMPLE.com", {"Example.COM", 443}, true},
      {"example.com", {"a.example.com", 443}, true},
      {"example.com", {"badexample.com", 443}, false},
      {"example.com", {"example.com.evil", 443}, false},
      {".example.com", {"a.b.example.com", 443}, true},
      {".example.com", {"example.com", 443}, false},
      {"*.example.com", {"a.example.com", 443}, true},
      {"other, example.com ,x", {"example.com", 443}, true},
      {"example.com:443", {"example.com", 443}, true},
      {"example.com:8081", {"example.com", 443}, false},
      {"192.0.2.1", {"192.0.2.1", 443}, true},
      {"192.0.2.1", {"192.0.2.10", 443}, false},
      {"192.0.2.1:8081", {"192.0.2.1", 8081}, true},
      {"192.0.2.1:8081", {"192.0.2.1", 443}, false},
      {"10.0.0.0/8", {"10.9.8.7", 443}, true},
      {"10.0.0.0/8", {"11.9.8.7", 443}, false},
      {"10.0.0.0/8", {"10.example.com", 443}, false},
      {"2001:db8::/32", {"2001:db8::5", 443}, true},
      {"[2001:db8::5]:443", {"2001:db8::5", 443}, true},
      {",, ,", {"example.com", 443}, false},
      {"ex ample.com", {"example.com", 443}, false},
      // This machine itself, whatever the list says.
      {"", {"localhost", 443}, true},
      {"", {"127.8.0.1", 443}, true},
      {"", {"::1", 443}, true},
      {"", {"localhost.example.com", 443}, false},
  };
  for (const auto& [list, target, direct] : cases) {
    const auto proxy = proxy_for(environment({{"https_proxy", "http://proxy"}, {"NO_PROXY", list}}), target);
    ASSERT_TRUE(proxy);
    EXPECT_EQ(!proxy->has_value(), direct) << list << " " << target.host << ":" << target.port;
  }
}

/// A proxy that answers every CONNECT with `answer`, then echoes.
class FakeProxy : public testing::Test {
 protected:
  void SetUp() override { group_.spawn(serve()); }
  void TearDown() override {
    asio::post(io_, [this] { group_.cancel(); });
    run(io_, group_.join());
  }

  Awaitable<void> serve() {
    TcpSocket socket(io_.get_executor());
    co_await acceptor_.async_accept(socket, token);
    char piece[1024];
    while (request_.find("\r\n\r\n") == std::string::npos) {
      const auto [error, count] = co_await socket.async_read_some(asio::buffer(piece), token);
      if (error) co_return;
      request_.append(piece, count);
    }
    for (const std::string& part : answer_) {
      co_await asio::async_write(socket, asio::buffer(part), token);
      co_await asio::post(io_, asio::use_awaitable_t<Executor>());
    }
    while (!hang_up_) {
      const auto [error, count] = co_await socket.async_read_some(asio::buffer(piece), token);
      if (error) co_return;
      co_await asio::async_write(socket, asio::buffer(piece, count), token);
    }
  }

  Result<TcpSocket> connect(std::string credentials = {}) {
    Proxy proxy;
    proxy.address = {"127.0.0.1", acceptor_.local_endpoint().port()};
    proxy.credentials = std::move(credentials);
    DialOptions options;
    options.timeout = timeout_;
    return run(io_, dial_through_proxy(std::move(proxy), HostPort{"example.com", 8081}, options));
  }

  IoContext io_;
  TcpAcceptor acceptor_{io_.get_executor(), test::loopback()};
  TaskGroup group_{io_.get_executor(), abort_on_error};
  std::vector<std::string> answer_{"HTTP/1.1 200 Connection established\r\n\r\n"};
  Duration timeout_ = std::chrono::seconds(4);
  bool hang_up_ = false;
  std::string request_;
};

TEST_F(FakeProxy, the_connection_is_asked_for_and_then_belongs_to_the_target) {
  auto socket = connect();
  ASSERT_TRUE(socket) << socket.error().message();
  EXPECT_EQ(request_, "CONNECT example.com:8081 HTTP/1.1\r\nHost: example.com:8081\r\n\r\n");
  Stream stream(std::move(*socket));
  run(io_, test::write_bytes(stream, "through"));
  EXPECT_EQ(run(io_, test::read_bytes(stream, 7)), "through");
}

TEST_F(FakeProxy, credentials_are_sent_as_basic_authorization) {
  ASSERT_TRUE(connect("Aladdin:open sesame"));
  EXPECT_NE(request_.find("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"),
            std::string::npos);
}

TEST_F(FakeProxy, an_answer_in_pieces_with_fields_is_understood) {
  answer_ = {"HTTP/1.0 ", "204 Fine\r", "\nVia: x\r\nDate: y\r\n", "\r", "\n"};
  EXPECT_TRUE(connect());
}

TEST_F(FakeProxy, a_refusal_is_an_error) {
  answer_ = {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"};
  EXPECT_EQ(connect().error(), boost::system::errc::permission_denied);
}

TEST_F(FakeProxy, a_demand_for_credentials_says_what_to_do) {
  answer_ = {"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"};
  testing::internal::CaptureStderr();
  const auto error = connect("user:very-secret").error();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(error, boost::system::errc::permission_denied);
  EXPECT_NE(log.find("HTTPS_PROXY=http://user:password@127.0.0.1"), std::string::npos) << log;
  EXPECT_EQ(log.find("very-secret"), std::string::npos) << log;
}

TEST_F(FakeProxy, an_answer_that_is_not_http_is_an_error) {
  answer_ = {"SSH-2.0-OpenSSH\r\n\r\n"};
  EXPECT_EQ(connect().error(), Error::protocol);
}

TEST_F(FakeProxy, bytes_behind_the_head_are_an_error) {
  answer_ = {"HTTP/1.1 200 OK\r\n\r\nsurprise"};
  EXPECT_EQ(connect().error(), Error::protocol);
}

TEST_F(FakeProxy, an_endless_head_is_cut_off) {
  answer_ = {"HTTP/1.1 200 OK\r\n"};
  for (int i = 0; i < 20; ++i) answer_.push_back("X: " + std::string(1000, 'x') + "\r\n");
  EXPECT_EQ(connect().error(), Error::protocol);
}

TEST_F(FakeProxy, a_proxy_that_hangs_up_is_an_error) {
  answer_ = {"HTTP/1.1 200"};
  hang_up_ = true;
  EXPECT_EQ(connect().error(), Error::truncated);
}

TEST_F(FakeProxy, a_silent_proxy_costs_the_timeout) {
  answer_ = {};
  timeout_ = std::chrono::milliseconds(40);
  EXPECT_EQ(connect().error(), Error::timed_out);
}

TEST_F(FakeProxy, a_proxy_that_is_not_there_is_an_error_of_the_connection) {
  acceptor_.close();
  Proxy proxy;
  proxy.address = {"127.0.0.1", 1};
  const auto socket = run(io_, dial_through_proxy(std::move(proxy), HostPort{"example.com", 443}, {}));
  EXPECT_EQ(socket.error(), asio::error::connection_refused);
}

}  // namespace
}  // namespace rockdove::net
