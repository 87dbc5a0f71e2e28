#include "providers/envelope.hpp"

#include "net/crypto.hpp"
#include "net/signing.hpp"

#include <gtest/gtest.h>

namespace rockdove::providers {
namespace {

using Kind = Envelope::Kind;

const std::string wechat_secret = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const std::string wechat_sealed =
    "Q3stYC6hdFzMh9T8HCvyDH/Drtzbv0B4Zmr1SNRkeaeU5pHfH/Qd7OJoEgb4ly3nDZKLO4T40hYWorkh+AbxyQ==";

std::string open(Kind kind, const std::string& secret, const std::string& sealed, const Beside& beside = {}) {
  const auto opened = open_envelope(kind, secret, sealed, beside);
  return opened ? opened->text : "(malformed)";
}

TEST(Envelope, feishus_example_opens) {
  EXPECT_EQ(open(Kind::feishu, "test key", "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="), "hello world");
  EXPECT_EQ(open(Kind::feishu, "test kez", "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="), "(malformed)");
}

TEST(Envelope, wechats_example_opens_and_says_for_whom) {
  const auto opened = open_envelope(Kind::wechat, wechat_secret, wechat_sealed, {});
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->text, "hello");
  EXPECT_EQ(opened->receiver, "wx5823bf96d3bd56c7");
  EXPECT_EQ(sign_wechat("QDG6eK", "1700000000", "nonce1", wechat_sealed),
            "a7073b280d728ea9ddea56712959a510594911df");
}

TEST(Envelope, wechat_pays_example_opens_with_what_stands_beside_it) {
  const std::string key = "0123456789abcdef0123456789abcdef", sealed = "Eu6onfHUEIuHuUJ2U2443mIzhnIIlMg=";
  EXPECT_EQ(open(Kind::wechat_pay, key, sealed, {"abcdefghijkl", "transaction"}), R"({"a":1})");
  EXPECT_EQ(open(Kind::wechat_pay, key, sealed, {"abcdefghijkl", ""}), "(malformed)");
  EXPECT_EQ(open(Kind::wechat_pay, key, sealed, {"", "transaction"}), "(malformed)");
}

TEST(Envelope, what_is_sealed_opens_again_whatever_its_size) {
  for (std::size_t size = 0; size < 80; ++size) {
    const std::string text(size, 'x');
    const auto sealed = seal_wechat(wechat_secret, text, "corp");
    ASSERT_TRUE(sealed);
    const auto opened = open_envelope(Kind::wechat, wechat_secret, *sealed, {});
    ASSERT_TRUE(opened) << size;
    EXPECT_EQ(opened->text, text);
    EXPECT_EQ(opened->receiver, "corp");
  }
  EXPECT_NE(*seal_wechat(wechat_secret, "x", "y"), *seal_wechat(wechat_secret, "x", "y"));
  EXPECT_FALSE(seal_wechat("short", "x", "y"));
}

TEST(Envelope, a_key_of_43_letters_is_one_whatever_its_last_bits_are) {
  EXPECT_EQ(wechat_key(wechat_secret)->size(), 32U);
  EXPECT_EQ(wechat_key(std::string(42, 'A') + "D"), std::string(32, '\0'));
  for (const std::string& text : {std::string(42, 'A'), std::string(44, 'A'), std::string(42, 'A') + "=",
                                  "*" + std::string(42, 'A'), std::string()})
    EXPECT_EQ(wechat_key(text), std::nullopt) << text;
}

/// Sealed as Feishu does, but with a padding of our choice.
std::string feishu_sealed(const std::string& padded) {
  const std::string iv(16, 'i');
  return net::base64(iv + net::aes_256_cbc_encrypt(net::sha256("k"), iv, padded).value());
}

TEST(Envelope, padding_is_right_or_nothing_opens) {
  EXPECT_EQ(open(Kind::feishu, "k", feishu_sealed("0123456789abcde\1")), "0123456789abcde");
  EXPECT_EQ(open(Kind::feishu, "k", feishu_sealed(std::string(16, '\x10'))), "");
  EXPECT_EQ(open(Kind::feishu, "k", feishu_sealed("0123456789abcd\1\2")), "(malformed)");
  EXPECT_EQ(open(Kind::feishu, "k", feishu_sealed(std::string("0123456789abcde\0", 16))), "(malformed)");
  EXPECT_EQ(open(Kind::feishu, "k", feishu_sealed("0123456789abcde\x11")), "(malformed)");
  EXPECT_EQ(open(Kind::feishu, "k", feishu_sealed("0123456789abcde\xFF")), "(malformed)");
  EXPECT_EQ(open(Kind::feishu, "k", feishu_sealed("")), "(malformed)");
}

TEST(Envelope, a_frame_says_no_more_than_it_holds) {
  const std::string iv = wechat_key(wechat_secret)->substr(0, 16);
  const auto sealed = [&](std::string frame) {
    const std::size_t padding = 32 - frame.size() % 32;
    frame.append(padding, static_cast<char>(padding));
    return net::base64(net::aes_256_cbc_encrypt(*wechat_key(wechat_secret), iv, frame).value());
  };
  const std::string random(16, 'r');
  EXPECT_EQ(open(Kind::wechat, wechat_secret, sealed(random + std::string("\0\0\0\2hi", 6))), "hi");
  EXPECT_EQ(open(Kind::wechat, wechat_secret, sealed(random + std::string("\0\0\0\3hi", 6))), "(malformed)");
  EXPECT_EQ(open(Kind::wechat, wechat_secret, sealed(random + "\xFF\xFF\xFF\xFFhi")), "(malformed)");
  EXPECT_EQ(open(Kind::wechat, wechat_secret, sealed(random + "\1\1\1")), "(malformed)");
}

TEST(Envelope, foreign_bytes_do_not_open) {
  for (const Kind kind : {Kind::none, Kind::feishu, Kind::wechat, Kind::wechat_pay})
    for (const std::string& sealed : {std::string(), std::string("A"), std::string("*"), net::base64("short"),
                                      net::base64(std::string(33, 'x')), net::base64(std::string(64, 'x'))})
      EXPECT_EQ(open(kind, wechat_secret, sealed, {"abcdefghijkl", ""}), "(malformed)") << sealed;
}

}  // namespace
}  // namespace rockdove::providers
