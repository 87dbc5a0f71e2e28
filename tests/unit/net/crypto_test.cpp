#include "net/crypto.hpp"

#include <gtest/gtest.h>

#include <set>

namespace rockdove::net {
namespace {

TEST(Crypto, sha256_matches_the_standard_examples) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Crypto, sha1_matches_the_standard_example) {
  EXPECT_EQ(hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(Crypto, sha1_and_base64_give_the_accept_key_of_rfc_6455) {
  EXPECT_EQ(base64(sha1("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11")),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

struct Pair {
  std::string bytes;
  std::string padded;
  std::string url;
};

TEST(Crypto, base64_matches_rfc_4648) {
  const Pair cases[] = {{"", "", ""},
                        {"f", "Zg==", "Zg"},
                        {"fo", "Zm8=", "Zm8"},
                        {"foo", "Zm9v", "Zm9v"},
                        {"foob", "Zm9vYg==", "Zm9vYg"},
                        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
                        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
                        {"\xFB\xEF\xFF", "++//", "--__"},
                        {std::string(3, '\0'), "AAAA", "AAAA"}};
  for (const auto& [bytes, padded, url] : cases) {
    EXPECT_EQ(base64(bytes), padded);
    EXPECT_EQ(base64url(bytes), url);
    EXPECT_EQ(base64url_decode(url), bytes);
  }
}

TEST(Crypto, base64url_comes_back_for_every_size) {
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string bytes = random_bytes(size);
    EXPECT_EQ(base64url_decode(base64url(bytes)), bytes) << size;
  }
}

TEST(Crypto, base64url_decode_takes_one_spelling_only) {
  const std::string bad[] = {"A",
                             "AAAAA",
                             "Zg==",
                             "Zm8=",
                             "++//",
                             "Zm9v\n",
                             " Zm9v",
                             "Zm 9v",
                             "Z\x80",
                             "Zh",   // bits set past the end of one byte
                             "Zm9",  // and of two
                             std::string("Zg\0A", 4)};
  for (const auto& text : bad) EXPECT_EQ(base64url_decode(text), std::nullopt) << text;
}

TEST(Crypto, a_byte_outside_the_alphabet_is_found_wherever_it_stands) {
  for (std::size_t size = 1; size < 14; ++size) {
    const std::string bytes(size, 'x');
    const std::string padded = base64(bytes), bare = base64url(bytes);
    EXPECT_EQ(base64_decode(padded), bytes) << size;
    for (std::size_t at = 0; at < bare.size(); ++at)
      for (const char wrong : {'*', '=', '\0', '\x80', '\xFF', ' '}) {
        std::string changed = padded, changed_bare = bare;
        changed[at] = changed_bare[at] = wrong;
        EXPECT_EQ(base64url_decode(changed_bare), std::nullopt) << size << " " << at;
        if (changed != padded) { EXPECT_EQ(base64_decode(changed), std::nullopt) << size << " " << at; }
      }
  }
}

TEST(Crypto, hex_is_lower_case) {
  EXPECT_EQ(hex(std::string("\0\x0f\xa0\xff", 4)), "000fa0ff");
}

TEST(Crypto, random_values_have_the_size_asked_for_and_do_not_repeat) {
  EXPECT_EQ(random_bytes(0), "");
  EXPECT_EQ(random_bytes(33).size(), 33U);
  EXPECT_EQ(random_hex(16).size(), 32U);
  EXPECT_EQ(random_hex(5000).size(), 10'000U);  // more than the pool holds
  std::set<std::string> seen;
  for (int i = 0; i < 2000; ++i) seen.insert(random_hex(8));  // across several fills of the pool
  EXPECT_EQ(seen.size(), 2000U);
  std::set<std::uint32_t> numbers;
  for (int i = 0; i < 3000; ++i) numbers.insert(random_u32());
  EXPECT_GE(numbers.size(), 2990U);
}

TEST(Crypto, comparison_looks_at_every_byte_and_at_the_size) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_in_constant_time("Secret", "secret"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secre"));
  EXPECT_FALSE(equal_in_constant_time(std::string("a\0b", 3), std::string("a\0c", 3)));
}

}  // namespace
}  // namespace rockdove::net
