#include "net/signing.hpp"

#include "net/crypto.hpp"
#include "support/provider_vectors.hpp"

#include <gtest/gtest.h>

namespace rockdove::net {
namespace {

std::string hmac_hex(Digest algorithm, const std::string& key, const std::string& text) {
  const std::string_view pieces[] = {std::string_view(text).substr(0, 3), "",
                                     std::string_view(text).substr(3)};
  return hex(hmac(algorithm, key, pieces));
}

std::string unhex(std::string_view text) {
  return hex_decode(text).value();
}

TEST(Signing, hmac_matches_rfc_2202_and_rfc_4231) {
  const std::string key = "Jefe", text = "what do ya want for nothing?";
  EXPECT_EQ(hmac_hex(Digest::md5, key, text), "750c783e6ab0b503eaa86e310a5db738");
  EXPECT_EQ(hmac_hex(Digest::sha1, key, text), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(hmac_hex(Digest::sha256, key, text),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac_hex(Digest::sha512, key, text),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

TEST(Signing, an_empty_key_is_an_empty_key_also_after_another_one) {
  const std::string empty = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  EXPECT_EQ(hex(hmac(Digest::sha256, "", {})), empty);
  hmac(Digest::sha256, "Jefe", {});
  EXPECT_EQ(hex(hmac(Digest::sha256, {}, {})), empty);
}

TEST(Signing, a_digest_of_pieces_is_that_of_the_whole) {
  const std::string_view pieces[] = {"a", "", "bc"};
  EXPECT_EQ(digest(Digest::sha1, pieces), sha1("abc"));
  EXPECT_EQ(digest(Digest::sha256, pieces), sha256("abc"));
  EXPECT_EQ(hex(digest(Digest::sha512, pieces)).substr(0, 16), "ddaf35a193617aba");
}

TEST(Signing, md5_matches_rfc_1321) {
  const std::string_view pieces[] = {"message ", "digest"};
  EXPECT_EQ(hex(digest(Digest::md5, pieces)), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(hex(digest(Digest::md5, {})), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST(Signing, aes_ecb_matches_sp_800_38a_and_pads) {
  const std::string block = unhex("6bc1bee22e409f96e93d7e117393172a");
  const std::string key = unhex("2b7e151628aed2a6abf7158809cf4f3c");
  const auto one = aes_ecb_encrypt(key, block);
  ASSERT_TRUE(one);
  EXPECT_EQ(hex(*one).substr(0, 32), "3ad77bb40d7a3660a89ecaf32466ef97");
  EXPECT_EQ(one->size(), 32U) << "a whole block of padding follows a whole block";
  EXPECT_EQ(one->substr(16), *aes_ecb_encrypt(key, ""));
  EXPECT_EQ(aes_ecb_encrypt(key, "15 bytes of text").value().size(), 32U);
  EXPECT_EQ(aes_ecb_encrypt(key, "15 bytes of tex").value().size(), 16U);
  const std::string long_key = unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  EXPECT_EQ(hex(aes_ecb_encrypt(long_key, block).value()).substr(0, 32), "f3eed1bdb5d2a03c064b5a7e3db181f8");
  const std::string middle_key = unhex("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b");
  EXPECT_EQ(hex(aes_ecb_encrypt(middle_key, block).value()).substr(0, 32),
            "bd334f1d6e45f25ff712a214571fa5cc");
  for (const std::size_t size : {0U, 15U, 17U, 33U})
    EXPECT_FALSE(aes_ecb_encrypt(std::string(size, 'k'), block));
}

TEST(Signing, ed25519_matches_rfc_8032) {
  const std::string key = unhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  std::string signature = unhex(
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_TRUE(ed25519_verify(key, "\x72", signature));
  EXPECT_FALSE(ed25519_verify(key, "\x73", signature));
  EXPECT_FALSE(ed25519_verify(key, "", signature));
  EXPECT_FALSE(ed25519_verify(key.substr(1), "\x72", signature));
  EXPECT_FALSE(ed25519_verify(key, "\x72", signature + "x"));
  EXPECT_FALSE(ed25519_verify(std::string(32, '\xFF'), "\x72", signature));
  signature[5] = static_cast<char>(signature[5] ^ 1);
  EXPECT_FALSE(ed25519_verify(key, "\x72", signature));
}

TEST(Signing, an_rsa_key_is_read_in_every_form_in_which_providers_hand_it_out) {
  const std::string pem = test::provider_text("rsa_public_key");
  std::string bare = pem.substr(pem.find('\n') + 1);
  bare.resize(bare.find("-----END"));
  const auto key = rsa_public_key(pem);
  ASSERT_TRUE(key);
  EXPECT_EQ(rsa_public_key(bare), key);
  std::string one_line = bare;
  std::erase(one_line, '\n');
  EXPECT_EQ(rsa_public_key(one_line), key);
  EXPECT_EQ(rsa_public_key(test::provider_text("rsa_certificate")), key);
  EXPECT_EQ(rsa_public_key(" \r\n" + pem), key);
}

TEST(Signing, what_is_no_rsa_key_is_none) {
  const std::string pem = test::provider_text("rsa_public_key");
  const std::string ed25519 = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
  for (const std::string& text :
       {std::string(), std::string("x"), pem.substr(0, 200), base64("not DER"), ed25519,
        std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        std::string(100'000, 'A')})
    EXPECT_EQ(rsa_public_key(text), std::nullopt) << text.substr(0, 40);
  EXPECT_FALSE(rsa_sha256_verify("", {}, ""));
  EXPECT_FALSE(rsa_sha256_verify(base64_decode(ed25519).value(), {}, std::string(256, 'x')));
}

TEST(Signing, aes_cbc_matches_nist_sp_800_38a) {
  const std::string key = unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  const std::string iv = unhex("000102030405060708090a0b0c0d0e0f");
  const std::string plain = unhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
  const std::string sealed = unhex("f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d");
  EXPECT_EQ(aes_256_cbc_encrypt(key, iv, plain), sealed);
  EXPECT_EQ(aes_256_cbc_decrypt(key, iv, sealed), plain);
  EXPECT_EQ(aes_256_cbc_decrypt(key, iv, ""), "");
  EXPECT_EQ(aes_256_cbc_decrypt(key, iv, sealed.substr(1)), std::nullopt);
  EXPECT_EQ(aes_256_cbc_decrypt(key.substr(1), iv, sealed), std::nullopt);
  EXPECT_EQ(aes_256_cbc_decrypt(key, iv + "x", sealed), std::nullopt);
}

TEST(Signing, aes_gcm_opens_what_was_sealed_and_nothing_else) {
  const std::string key = "0123456789abcdef0123456789abcdef", nonce = "abcdefghijkl";
  const std::string sealed = base64_decode("Eu6onfHUEIuHuUJ2U2443mIzhnIIlMg=").value();
  EXPECT_EQ(aes_256_gcm_decrypt(key, nonce, "transaction", sealed), R"({"a":1})");
  EXPECT_EQ(aes_256_gcm_decrypt(key, nonce, "", sealed), std::nullopt);
  EXPECT_EQ(aes_256_gcm_decrypt(key, nonce, "transactioN", sealed), std::nullopt);
  EXPECT_EQ(aes_256_gcm_decrypt(key, nonce + "x", "transaction", sealed), std::nullopt);
  EXPECT_EQ(aes_256_gcm_decrypt(key, nonce, "transaction", sealed.substr(0, 15)), std::nullopt);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 0x80);
    EXPECT_EQ(aes_256_gcm_decrypt(key, nonce, "transaction", changed), std::nullopt) << i;
  }
  // Test case 13 of the GCM specification: nothing encrypted, nothing associated, only a tag.
  EXPECT_EQ(aes_256_gcm_decrypt(std::string(32, '\0'), std::string(12, '\0'), "",
                                unhex("530f8afbc74536b9a963b4f1c4cb738b")),
            "");
}

TEST(Signing, hex_and_base64_take_one_spelling_only) {
  EXPECT_EQ(hex_decode("00fFA9"), std::string("\0\xFF\xA9", 3));
  EXPECT_EQ(hex_decode(""), "");
  for (const char* text : {"0", "0g", "0x00", " 00", "0\xC3"})
    EXPECT_EQ(hex_decode(text), std::nullopt) << text;
  EXPECT_EQ(base64_decode("Zm9vYg=="), "foob");
  EXPECT_EQ(base64_decode("Zm9vYmE="), "fooba");
  EXPECT_EQ(base64_decode("++//"), "\xFB\xEF\xFF");
  EXPECT_EQ(base64_decode(""), "");
  for (const char* text :
       {"Zm9vYg", "Zm9vYg=", "Zm9vYh==", "Zg===", "=", "====", "Z===", "--__", "Zm9v\n", "Zm=v"})
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
}

}  // namespace
}  // namespace rockdove::net
