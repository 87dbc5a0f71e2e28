#include "net/tls.hpp"

#include "net/crypto.hpp"
#include "net/stream.hpp"
#include "net/task_group.hpp"
#include "support/certificates.hpp"
#include "support/sockets.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <boost/asio/ssl/error.hpp>

#include <fstream>
#include <future>
#include <sstream>
#include <vector>

namespace rockdove::net {
namespace {

namespace fs = std::filesystem;
using test::Files;
using test::run;

std::string read(const fs::path& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

void write(const fs::path& path, const std::string& content) {
  std::ofstream(path) << content;
}

class Tls : public testing::Test {
 protected:
  /// What connect_tls() says to a server with `files`.
  boost::system::error_code connect(const Files& files, const TlsTrust& trust, const std::string& host) {
    IoContext io;
    TlsContext server_tls = make_server_tls(files.certificate, files.key);
    TlsContext client_tls = make_client_tls(trust);
    auto [left, right] = test::socket_pair(io);
    Stream client(std::move(left)), server(std::move(right));
    TaskGroup group(io.get_executor(), abort_on_error);
    server_name_.clear();
    group.spawn(serve(server, server_tls, server_name_));
    const auto result = run(io, client.connect_tls(client_tls, trust, host));
    client.close();
    run(io, group.join());
    return result ? boost::system::error_code() : result.error();
  }

  static Awaitable<void> serve(Stream& stream, TlsContext& context, std::string& name) {
    SSL_CTX_set_tlsext_servername_callback(context.native_handle(), remember_name);
    SSL_CTX_set_tlsext_servername_arg(context.native_handle(), &name);
    co_await stream.accept_tls(context);
  }
  static int remember_name(SSL* session, int*, void* name) {
    const char* sent = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
    if (sent) *static_cast<std::string*>(name) = sent;
    return SSL_TLSEXT_ERR_OK;
  }

  test::ScratchDirectory directory_;
  std::string server_name_;
};

TEST_F(Tls, the_pinned_key_is_accepted_whatever_the_name) {
  const Files own = test::own_certificate(directory_.path());
  const TlsTrust trust{certificate_pin(own.certificate), {}};
  EXPECT_FALSE(connect(own, trust, "example.com"));
  EXPECT_EQ(server_name_, "example.com");
  EXPECT_FALSE(connect(own, trust, "127.0.0.1"));
  EXPECT_EQ(server_name_, "");  // RFC 6066 section 3: no addresses in SNI
}

TEST_F(Tls, any_other_key_is_refused) {
  const Files own = test::own_certificate(directory_.path());
  const Files other = test::own_certificate(directory_.path() / "other");
  const TlsTrust trust{certificate_pin(other.certificate), {}};
  EXPECT_EQ(connect(own, trust, "localhost"), Error::untrusted_server);
  std::string near = certificate_pin(own.certificate);
  near.back() = near.back() == 'A' ? 'E' : 'A';
  EXPECT_EQ(connect(own, TlsTrust{near, {}}, "localhost"), Error::untrusted_server);
  EXPECT_EQ(connect(own, TlsTrust{"x", {}}, "localhost"), Error::untrusted_server);
}

TEST_F(Tls, a_pin_is_stricter_than_a_good_certificate) {
  test::Authority authority(directory_.path());
  const Files issued = authority.issue("localhost");
  const Files own = test::own_certificate(directory_.path());
  const TlsTrust wrong{certificate_pin(own.certificate), authority.certificate_file()};
  EXPECT_EQ(connect(issued, wrong, "localhost"), Error::untrusted_server);
  const TlsTrust right{certificate_pin(issued.certificate), {}};
  EXPECT_FALSE(connect(issued, right, "elsewhere"));
}

TEST_F(Tls, a_chain_that_ends_in_the_pinned_key_is_not_the_pinned_key) {
  test::Authority authority(directory_.path());
  Files issued = authority.issue("localhost");
  write(issued.certificate, read(issued.certificate) + read(authority.certificate_file()));
  const TlsTrust trust{certificate_pin(authority.certificate_file()), {}};
  EXPECT_EQ(connect(issued, trust, "localhost"), Error::untrusted_server);
}

TEST_F(Tls, an_authority_vouches_for_names_and_addresses) {
  test::Authority authority(directory_.path());
  const TlsTrust trust{"", authority.certificate_file()};
  const Files named = authority.issue("localhost");
  EXPECT_FALSE(connect(named, trust, "localhost"));
  EXPECT_EQ(connect(named, trust, "example.com"), Error::untrusted_server);
  EXPECT_EQ(connect(named, trust, "127.0.0.1"), Error::untrusted_server);
  const Files addressed = authority.issue("127.0.0.1");
  EXPECT_FALSE(connect(addressed, trust, "127.0.0.1"));
  EXPECT_EQ(connect(addressed, trust, "127.0.0.2"), Error::untrusted_server);
}

TEST_F(Tls, certificates_of_others_are_refused_without_a_pin) {
  test::Authority authority(directory_.path());
  const Files own = test::own_certificate(directory_.path());
  EXPECT_EQ(connect(own, TlsTrust{"", authority.certificate_file()}, "rockdove"), Error::untrusted_server);
  EXPECT_EQ(connect(own, TlsTrust{}, "rockdove"), Error::untrusted_server);
  EXPECT_EQ(connect(authority.issue("localhost"), TlsTrust{}, "localhost"), Error::untrusted_server);
}

TEST_F(Tls, the_own_certificate_is_made_once_and_stays) {
  const Files own = test::own_certificate(directory_.path() / "data");
  const std::string pin = certificate_pin(own.certificate);
  EXPECT_EQ(base64url_decode(pin)->size(), 32U);
  EXPECT_EQ(fs::status(own.key).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const std::string key = read(own.key);
  ensure_own_certificate(directory_.path() / "data");
  EXPECT_EQ(certificate_pin(own.certificate), pin);
  EXPECT_EQ(read(own.key), key);
  for (const auto& entry : fs::directory_iterator(directory_.path() / "data"))
    EXPECT_TRUE(entry.path().filename().string().find(".pem.") == std::string::npos) << entry.path();
}

TEST_F(Tls, a_lost_certificate_is_made_again_for_the_same_key) {
  const Files own = test::own_certificate(directory_.path());
  const std::string pin = certificate_pin(own.certificate);
  fs::remove(own.certificate);
  ensure_own_certificate(directory_.path());
  EXPECT_EQ(certificate_pin(own.certificate), pin);
  fs::remove(own.key);  // without its key a certificate is worth nothing
  ensure_own_certificate(directory_.path());
  EXPECT_NE(certificate_pin(own.certificate), pin);
  EXPECT_NO_THROW(make_server_tls(own.certificate, own.key));
}

TEST_F(Tls, processes_that_start_together_agree_on_one_key) {
  const fs::path data = directory_.path() / "data";
  std::vector<std::future<std::string>> starts;
  for (int i = 0; i < 8; ++i)
    starts.push_back(std::async(std::launch::async, [data] {
      ensure_own_certificate(data);
      return certificate_pin(data / "tls-certificate.pem");
    }));
  const std::string pin = starts.front().get();
  for (std::size_t i = 1; i < starts.size(); ++i) EXPECT_EQ(starts[i].get(), pin);
  EXPECT_NO_THROW(make_server_tls(data / "tls-certificate.pem", data / "tls-key.pem"));
}

TEST_F(Tls, bad_files_are_named) {
  const Files own = test::own_certificate(directory_.path());
  const Files other = test::own_certificate(directory_.path() / "other");
  const fs::path garbage = directory_.path() / "garbage.pem";
  const fs::path missing = directory_.path() / "missing.pem";
  write(garbage, "no PEM at all");
  const auto message = [](auto&& work) -> std::string {
    try {
      work();
    } catch (const std::exception& failure) { return failure.what(); }
    return "no exception";
  };
  const std::pair<std::string, std::string> cases[] = {
      {message([&] { make_server_tls(missing, own.key); }), "missing.pem"},
      {message([&] { make_server_tls(own.certificate, missing); }), "missing.pem"},
      {message([&] { make_server_tls(garbage, own.key); }), "garbage.pem holds no usable certificate"},
      {message([&] { make_server_tls(own.certificate, garbage); }),
       "garbage.pem holds no usable private key"},
      {message([&] { make_server_tls(own.certificate, other.key); }), "tls-key.pem is not the key of"},
      {message([&] {
         make_client_tls(TlsTrust{"", missing});
       }),
       "missing.pem"},
      {message([&] {
         make_client_tls(TlsTrust{"", garbage});
       }),
       "garbage.pem holds no usable certificate"},
      {message([&] { certificate_pin(garbage); }), "garbage.pem holds no usable certificate"},
  };
  for (const auto& [text, part] : cases) EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST_F(Tls, a_peer_that_speaks_no_tls_is_an_error_but_not_a_matter_of_trust) {
  IoContext io;
  TlsContext context = make_client_tls(TlsTrust{"x", {}});
  const TlsTrust trust{"x", {}};
  for (const std::string answer : {"HTTP/1.1 400 Bad Request\r\n\r\n", ""}) {
    auto [left, right] = test::socket_pair(io);
    Stream client(std::move(left)), server(std::move(right));
    run(io, test::write_bytes(server, answer));
    run(io, server.shutdown_write());
    const auto result = run(io, client.connect_tls(context, trust, "localhost"));
    ASSERT_FALSE(result);
    EXPECT_NE(result.error(), Error::untrusted_server);
    EXPECT_EQ(result.error() == Error::closed, answer.empty()) << result.error().message();
  }
}

}  // namespace
}  // namespace rockdove::net
