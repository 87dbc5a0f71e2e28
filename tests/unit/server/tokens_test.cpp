#include "server/tokens.hpp"

#include "net/crypto.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

namespace rockdove::server {
namespace {

namespace fs = std::filesystem;

/// `text` with an 'h' for each lower-case hex digit.
std::string shape(std::string text) {
  for (char& c : text)
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) c = 'h';
  return text;
}

class Tokens : public testing::Test {
 protected:
  Tokens() {
    auto name = (fs::temp_directory_path() / "rockdove-tokens-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    data_ = root_ / "data";
  }
  ~Tokens() override { fs::remove_all(root_); }

  void write(std::string_view text) const {
    fs::create_directories(data_);
    std::ofstream(data_ / "tokens.json") << text;
  }

  fs::path root_, data_;
};

TEST_F(Tokens, a_secret_is_accepted_and_any_other_is_not) {
  TokenStore store(data_);
  const std::string secret = store.create("bot", "office");
  EXPECT_EQ(secret.substr(0, 3) + shape(secret.substr(3, 9)), "rd_hhhhhhhh_") << secret;
  EXPECT_EQ(net::base64url_decode(secret.substr(12)).value_or("").size(), 32U) << secret;
  const auto token = store.verify(secret);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->tunnel, "bot");
  EXPECT_EQ(token->label, "office");
  EXPECT_EQ(token->id, secret.substr(3, 8));
  EXPECT_EQ(shape(token->created), "hhhh-hh-hhThh:hh:hhZ") << token->created;
  for (std::size_t i = 0; i < secret.size(); ++i) {
    std::string other = secret;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_FALSE(store.verify(other)) << i;
  }
  EXPECT_FALSE(store.verify(""));
  EXPECT_FALSE(store.verify(secret + "A"));
}

TEST_F(Tokens, the_file_has_no_secret_and_only_its_owner_may_read_it) {
  const std::string secret = TokenStore(data_).create("bot", "");
  const std::string text = read_file(data_ / "tokens.json");
  EXPECT_EQ(text.find(secret.substr(12)), text.npos);
  EXPECT_NE(text.find(net::hex(net::sha256(secret))), text.npos);
  struct stat found {};
  ::stat((data_ / "tokens.json").c_str(), &found);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
  ::stat(data_.c_str(), &found);
  EXPECT_EQ(found.st_mode & 0777, 0700U);
}

TEST_F(Tokens, a_running_server_sees_what_others_change) {
  TokenStore server(data_), command(data_);
  EXPECT_FALSE(server.reload_if_changed().changed);
  const std::string secret = command.create("bot", "");
  EXPECT_FALSE(server.verify(secret));
  EXPECT_TRUE(server.reload_if_changed().changed);
  EXPECT_TRUE(server.verify(secret));
  EXPECT_FALSE(server.reload_if_changed().changed);
  command.revoke(secret.substr(3, 8));
  EXPECT_TRUE(server.reload_if_changed().changed);
  EXPECT_FALSE(server.verify(secret));
  fs::remove(data_ / "tokens.json");
  EXPECT_TRUE(server.reload_if_changed().changed);
}

TEST_F(Tokens, a_token_survives_a_restart) {
  const std::string secret = TokenStore(data_).create("bot", "a \"label\" with\nodd bytes \xe5\x8e\x9f");
  const TokenStore store(data_);
  ASSERT_TRUE(store.verify(secret));
  EXPECT_EQ(store.list().at(0).label, "a \"label\" with\nodd bytes \xe5\x8e\x9f");
}

TEST_F(Tokens, two_that_create_at_once_both_survive) {
  constexpr int each = 25;
  std::vector<std::string> secrets(2 * each);
  const auto work = [&](int first) {
    TokenStore store(data_);
    for (int i = first; i < first + each; ++i) secrets[static_cast<std::size_t>(i)] = store.create("bot", "");
  };
  std::thread other(work, each);
  work(0);
  other.join();
  const TokenStore store(data_);
  EXPECT_EQ(store.list().size(), secrets.size());
  for (const std::string& secret : secrets) EXPECT_TRUE(store.verify(secret));
}

TEST_F(Tokens, revoking_takes_one_token_by_the_beginning_of_its_id) {
  write(R"({"version":1,"tokens":[)"
        R"({"id":"aaaa0001","tunnel":"a","label":"","created":"2024-01-01T00:00:00Z","sha256":")" +
        std::string(64, '0') +
        R"("},)"
        R"({"id":"aaaa0002","tunnel":"a","label":"","created":"2024-01-01T00:00:00Z","sha256":")" +
        std::string(64, '1') +
        R"("},)"
        R"({"id":"bbbb0003","tunnel":"b","label":"","created":"2024-01-01T00:00:00Z","sha256":")" +
        std::string(64, '2') + R"("}]})");
  TokenStore store(data_);
  EXPECT_THROW(store.revoke("aaaa"), std::runtime_error) << "ambiguous";
  EXPECT_THROW(store.revoke("cccc"), std::runtime_error);
  EXPECT_THROW(store.revoke(""), std::runtime_error);
  EXPECT_EQ(store.list().size(), 3U);
  EXPECT_EQ(store.revoke("bb").id, "bbbb0003");
  EXPECT_THROW(store.revoke_tunnel("b"), std::runtime_error);
  EXPECT_EQ(store.revoke_tunnel("a").size(), 2U);
  EXPECT_TRUE(TokenStore(data_).list().empty());
}

TEST_F(Tokens, a_damaged_file_is_an_error_and_never_an_empty_list) {
  const std::string hash(64, '0');
  const auto token = [&](const std::string& id, const std::string& tunnel, const std::string& sha) {
    return R"({"id":")" + id + R"(","tunnel":")" + tunnel + R"(","label":"","created":"","sha256":")" + sha +
           R"("})";
  };
  const std::string good = token("aaaa0001", "a", hash);
  const std::string cases[] = {
      "",
      "{",
      "[]",
      "null",
      R"({"tokens":[]})",
      R"({"version":2,"tokens":[]})",
      R"({"version":1})",
      R"({"version":1,"tokens":{}})",
      R"({"version":1,"tokens":[1]})",
      R"({"version":1,"tokens":[{}]})",
      R"({"version":1,"tokens":[)" + good + "," + good + "]}",
      R"({"version":1,"tokens":[)" + token("AAAA0001", "a", hash) + "]}",
      R"({"version":1,"tokens":[)" + token("aaaa0001", "A", hash) + "]}",
      R"({"version":1,"tokens":[)" + token("aaaa0001", "a", "00") + "]}",
  };
  for (const std::string& text : cases) {
    write(text);
    EXPECT_THROW(TokenStore{data_}, std::runtime_error) << text;
  }
  write(R"({"version":1,"tokens":[)" + good + "]}");
  EXPECT_EQ(TokenStore(data_).list().size(), 1U);
}

TEST_F(Tokens, a_file_damaged_while_the_server_runs_leaves_the_tokens_in_force) {
  TokenStore store(data_);
  const std::string secret = store.create("bot", "");
  write("{");
  const auto reload = store.reload_if_changed();
  EXPECT_FALSE(reload.changed);
  EXPECT_NE(reload.error.find("tokens.json"), reload.error.npos) << reload.error;
  EXPECT_TRUE(store.verify(secret));
  EXPECT_THROW(store.create("bot", ""), std::runtime_error) << "it must not overwrite what it cannot read";
  EXPECT_EQ(read_file(data_ / "tokens.json"), "{");
}

}  // namespace
}  // namespace rockdove::server
