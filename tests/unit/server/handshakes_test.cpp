#include "server/handshakes.hpp"

#include <gtest/gtest.h>
#include <boost/asio/ip/address.hpp>

#include <map>
#include <string>
#include <vector>

namespace rockdove::server {
namespace {

/// Everybody who has come, by a name of the test's own.
class Port {
 public:
  explicit Port(std::size_t places) : handshakes_(places) {}

  bool enter(const std::string& name, const char* address) {
    auto place =
        handshakes_.enter(net::asio::ip::make_address(address), [this, name] { evicted.push_back(name); });
    const bool is_in = place != nullptr;
    if (is_in) places_[name] = std::move(place);
    return is_in;
  }
  void says_hello(const std::string& name) { places_.at(name)->said_hello(); }
  void leaves(const std::string& name) { places_.erase(name); }
  std::size_t taken() const { return handshakes_.taken(); }

  std::vector<std::string> evicted;

 private:
  Handshakes handshakes_;
  std::map<std::string, std::unique_ptr<Handshakes::Place>> places_;
};

using Names = std::vector<std::string>;

TEST(Handshakes, a_peer_that_wants_more_than_a_quarter_pushes_out_its_own_oldest) {
  Port port(8);
  EXPECT_TRUE(port.enter("other", "192.0.2.9"));
  for (const char* name : {"a", "b", "c", "d"}) EXPECT_TRUE(port.enter(name, "192.0.2.1"));
  EXPECT_EQ(port.evicted, (Names{"a", "b"}));
  EXPECT_EQ(port.taken(), 3U);
}

TEST(Handshakes, an_ipv6_network_of_64_bits_is_one_peer_and_a_mapped_address_is_the_ipv4_one) {
  Port port(4);
  EXPECT_TRUE(port.enter("a", "2001:db8::1"));
  EXPECT_TRUE(port.enter("b", "2001:db8::ffff:0:0:2"));
  EXPECT_TRUE(port.enter("c", "2001:db8:0:1::1"));
  EXPECT_TRUE(port.enter("d", "192.0.2.1"));
  EXPECT_TRUE(port.enter("e", "::ffff:192.0.2.1"));
  EXPECT_EQ(port.evicted, (Names{"a", "d"}));
}

TEST(Handshakes, when_all_is_full_the_oldest_without_a_hello_goes) {
  Port port(2);
  EXPECT_TRUE(port.enter("a", "192.0.2.1"));
  EXPECT_TRUE(port.enter("b", "192.0.2.2"));
  port.says_hello("a");
  EXPECT_TRUE(port.enter("c", "192.0.2.3"));
  EXPECT_EQ(port.evicted, Names{"b"});
  port.says_hello("c");
  EXPECT_FALSE(port.enter("d", "192.0.2.4"));
  EXPECT_EQ(port.evicted, Names{"b"});
  port.leaves("a");
  EXPECT_TRUE(port.enter("d", "192.0.2.4"));
}

TEST(Handshakes, who_has_lost_its_place_leaves_without_taking_another_ones) {
  Port port(1);
  EXPECT_TRUE(port.enter("a", "192.0.2.1"));
  EXPECT_TRUE(port.enter("b", "192.0.2.2"));
  port.leaves("a");
  EXPECT_EQ(port.taken(), 1U);
  port.leaves("b");
  EXPECT_EQ(port.taken(), 0U);
}

}  // namespace
}  // namespace rockdove::server
