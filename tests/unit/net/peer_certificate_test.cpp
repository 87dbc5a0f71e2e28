#include "net/peer_certificate.hpp"

#include "net/stream.hpp"
#include "net/task_group.hpp"
#include "support/certificates.hpp"
#include "support/scratch_directory.hpp"
#include "support/sockets.hpp"

#include <gtest/gtest.h>

namespace rockdove::net {
namespace {

class PeerCertificateTest : public testing::Test {
 protected:
  static Awaitable<void> serve(TcpSocket socket, TlsContext& context) {
    Stream stream(std::move(socket));
    const auto secured = co_await stream.accept_tls(context);
    if (secured) co_await test::read_error(stream);
  }
  Result<PeerCertificate> look(const test::Files& files, TlsTrust trust, const std::string& host) {
    TlsContext context = make_server_tls(files.certificate, files.key);
    auto [near, far] = test::socket_pair(io_);
    TaskGroup group(io_.get_executor(), abort_on_error);
    group.spawn(serve(std::move(far), context));
    auto found =
        test::run(io_, look_at_peer(std::move(near), std::move(trust), host, std::chrono::seconds(5)));
    test::run(io_, group.join());
    return found;
  }
  test::ScratchDirectory scratch_;
  IoContext io_;
};

TEST_F(PeerCertificateTest, a_self_signed_one_is_described_and_objected_to) {
  const auto files = test::own_certificate(scratch_.path());
  const auto found = look(files, {}, "127.0.0.1");
  ASSERT_TRUE(found) << found.error();
  EXPECT_EQ(found->pin, certificate_pin(files.certificate));
  EXPECT_EQ(found->subject, "rockdove");
  EXPECT_EQ(found->issuer, "rockdove");
  EXPECT_NE(found->objection, "");
}

TEST_F(PeerCertificateTest, one_of_a_trusted_authority_passes_for_its_own_host_only) {
  test::Authority authority(scratch_.path());
  const auto files = authority.issue("127.0.0.1");
  TlsTrust trust;
  trust.ca_file = authority.certificate_file();
  trust.pin = "left aside";
  const auto found = look(files, trust, "127.0.0.1");
  ASSERT_TRUE(found) << found.error();
  EXPECT_EQ(found->objection, "");
  EXPECT_EQ(found->issuer, "the test's authority");
  const auto now = std::chrono::system_clock::now();
  ASSERT_TRUE(found->end);
  EXPECT_GT(*found->end, now);
  EXPECT_LT(*found->end, now + std::chrono::hours(25));
  const auto other = look(files, trust, "other.example.com");
  ASSERT_TRUE(other) << other.error();
  EXPECT_NE(other->objection, "");
}

TEST_F(PeerCertificateTest, silence_ends_at_the_limit_and_a_closed_connection_at_once) {
  {
    auto [near, far] = test::socket_pair(io_);
    const auto found =
        test::run(io_, look_at_peer(std::move(near), {}, "127.0.0.1", std::chrono::milliseconds(50)));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error(), Error::timed_out);
  }
  auto [near, far] = test::socket_pair(io_);
  far.close();
  EXPECT_FALSE(test::run(io_, look_at_peer(std::move(near), {}, "127.0.0.1", std::chrono::seconds(5))));
}

}  // namespace
}  // namespace rockdove::net
