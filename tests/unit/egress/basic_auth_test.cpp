#include "egress/basic_auth.hpp"

#include "net/crypto.hpp"

#include <gtest/gtest.h>

namespace rockdove::egress {
namespace {

TEST(Basic, user_and_password_are_read) {
  const auto read = parse_basic("Basic " + net::base64("feishu-bot:rd_1:with:colons"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->user, "feishu-bot");
  EXPECT_EQ(read->password, "rd_1:with:colons");
  EXPECT_TRUE(parse_basic("bAsIc  " + net::base64("a:")));
}

TEST(Basic, anything_else_is_unauthorized) {
  const std::string good = net::base64("a:b");
  for (const std::string& text :
       {std::string(), std::string("Basic"), std::string("Basic "), good, "Bearer " + good, "Basic" + good,
        "Basic " + good + "!", "Basic " + net::base64("nocolon"), "Basic " + good + " x",
        "Basic " + net::base64(std::string(2000, 'a') + ":b")})
    EXPECT_EQ(parse_basic(text).error(), Error::unauthorized) << text;
}

}  // namespace
}  // namespace rockdove::egress
