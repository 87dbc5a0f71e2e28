#include "net/tls_session.hpp"

#include "net/crypto.hpp"
#include "support/certificates.hpp"

#include <gtest/gtest.h>
#include <boost/asio/ssl/error.hpp>

namespace rockdove::net {
namespace {

using Step = TlsSession::Step;

/// Two sessions whose sealed bytes go from one to the other by hand.
class TlsSessions : public testing::Test {
 protected:
  TlsSessions() {
    EXPECT_TRUE(client_.expect(trust_, "localhost"));
    for (int turn = 0; turn < 4; ++turn) {
      EXPECT_TRUE(client_.handshake());
      carry(client_, server_);
      EXPECT_TRUE(server_.handshake());
      carry(server_, client_);
    }
  }

  static void give(TlsSession& to, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto room = to.room();
      ASSERT_GT(room.size(), 0U);
      const std::size_t count = asio::buffer_copy(room, asio::buffer(bytes));
      to.arrived(count);
      bytes.remove_prefix(count);
    }
  }
  static void carry(TlsSession& from, TlsSession& to) {
    std::string sealed;
    from.take_output(sealed);
    give(to, sealed);
  }
  /// What `session` opens now, until it starves.
  static std::string open_all(TlsSession& session) {
    std::string all, piece(5000, '\0');
    while (true) {
      std::size_t count = 0;
      const auto step = session.open(asio::buffer(piece), count);
      if (!step || *step != Step::done) return all;
      all.append(piece, 0, count);
    }
  }

  test::ScratchDirectory directory_;
  test::Files own_ = test::own_certificate(directory_.path());
  TlsTrust trust_{certificate_pin(own_.certificate), {}};
  TlsContext server_context_ = make_server_tls(own_.certificate, own_.key);
  TlsContext client_context_ = make_client_tls(trust_);
  TlsSession server_{server_context_, TlsSession::Side::server};
  TlsSession client_{client_context_, TlsSession::Side::client};
};

TEST_F(TlsSessions, many_records_leave_in_one_piece_and_are_opened_at_once) {
  const std::string bytes = random_bytes(64 * 1024);
  ASSERT_TRUE(server_.seal(asio::buffer(bytes)));
  carry(server_, client_);
  std::string opened(bytes.size(), '\0');
  std::size_t count = 0;
  ASSERT_TRUE(client_.open(asio::buffer(opened), count));
  EXPECT_EQ(count, bytes.size());
  EXPECT_EQ(opened, bytes);
}

TEST_F(TlsSessions, bytes_may_arrive_one_by_one) {
  ASSERT_TRUE(client_.seal(asio::buffer("question", 8)));
  std::string sealed, opened;
  client_.take_output(sealed);
  for (const char byte : sealed) {
    EXPECT_EQ(opened, "");
    give(server_, std::string_view(&byte, 1));
    opened = open_all(server_);
  }
  EXPECT_EQ(opened, "question");
}

TEST_F(TlsSessions, an_end_after_bytes_is_told_after_them) {
  ASSERT_TRUE(client_.seal(asio::buffer("last", 4)));
  client_.seal_end();
  carry(client_, server_);
  char piece[16];
  std::size_t count = 0;
  auto step = server_.open(asio::buffer(piece), count);
  ASSERT_TRUE(step);
  EXPECT_EQ(std::string_view(piece, count), "last");
  step = server_.open(asio::buffer(piece), count);
  ASSERT_TRUE(step);
  EXPECT_EQ(*step, Step::ended);
}

TEST_F(TlsSessions, a_changed_byte_is_an_error_after_the_good_records) {
  ASSERT_TRUE(client_.seal(asio::buffer("good", 4)));
  carry(client_, server_);
  ASSERT_TRUE(client_.seal(asio::buffer("evil", 4)));
  std::string sealed;
  client_.take_output(sealed);
  sealed.back() = static_cast<char>(sealed.back() ^ 1);
  give(server_, sealed);
  EXPECT_EQ(open_all(server_), "good");
  char piece[16];
  std::size_t count = 0;
  const auto step = server_.open(asio::buffer(piece), count);
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().category(), asio::error::get_ssl_category());
}

TEST_F(TlsSessions, a_cut_in_the_middle_of_a_record_is_no_orderly_end) {
  ASSERT_TRUE(client_.seal(asio::buffer("half", 4)));
  std::string sealed;
  client_.take_output(sealed);
  give(server_, sealed.substr(0, sealed.size() / 2));
  server_.cut();
  char piece[16];
  std::size_t count = 0;
  const auto step = server_.open(asio::buffer(piece), count);
  ASSERT_FALSE(step);
  const boost::system::error_code truncated = asio::ssl::error::stream_truncated;
  EXPECT_EQ(step.error(), truncated);
}

/// A client made of OpenSSL alone, for what TlsSession never does.
class BareClient {
 public:
  BareClient() {
    SSL_set_bio(session_.get(), in_, out_);
    SSL_set_connect_state(session_.get());
  }
  SSL* session() { return session_.get(); }
  std::string sealed() {
    std::string bytes(64 * 1024, '\0');
    const int count = BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  void give(const std::string& bytes) { BIO_write(in_, bytes.data(), static_cast<int>(bytes.size())); }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> session_{SSL_new(context_.get()), SSL_free};
  BIO* in_ = BIO_new(BIO_s_mem());
  BIO* out_ = BIO_new(BIO_s_mem());
};

TEST_F(TlsSessions, a_flood_of_key_updates_ends_the_session) {
  TlsSession server(server_context_, TlsSession::Side::server);
  BareClient client;
  for (int turn = 0; turn < 4; ++turn) {
    SSL_do_handshake(client.session());
    give(server, client.sealed());
    ASSERT_TRUE(server.handshake());
    std::string answer;
    server.take_output(answer);
    client.give(answer);
  }
  ASSERT_TRUE(SSL_is_init_finished(client.session()));
  bool is_over = false;
  for (int asked = 0; asked < 5'000 && !is_over; ++asked) {
    ASSERT_EQ(SSL_key_update(client.session(), SSL_KEY_UPDATE_REQUESTED), 1);
    ASSERT_EQ(SSL_do_handshake(client.session()), 1);
    give(server, client.sealed());
    char piece[16];
    std::size_t count = 0;
    is_over = !server.open(asio::buffer(piece), count);
  }
  EXPECT_TRUE(is_over);
}

}  // namespace
}  // namespace rockdove::net
