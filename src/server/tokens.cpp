#include "server/tokens.hpp"

#include "net/crypto.hpp"
#include "tunnel/handshake.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <stdexcept>
#include <utility>

namespace rockdove::server {
namespace {

namespace json = boost::json;

constexpr std::string_view secret_prefix = "rd_";
constexpr std::size_t id_bytes = 4;
constexpr std::size_t secret_bytes = 32;
constexpr std::size_t hash_size = 64;
constexpr std::int64_t format_version = 1;

bool is_hex(std::string_view text, std::size_t size) {
  return text.size() == size && text.find_first_not_of("0123456789abcdef") == text.npos;
}

std::string utc_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string member(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (!value || !value->is_string())
    throw std::runtime_error("a token without a string \"" + std::string(key) + "\"");
  return std::string(value->get_string());
}

}  // namespace

TokenStore::TokenStore(std::filesystem::path directory)
    : directory_(std::move(directory)), file_(directory_ / "tokens.json") {
  load();
}

std::vector<TokenStore::Stored> TokenStore::parse(std::string_view text) {
  boost::system::error_code error;
  const json::value document = json::parse(text, error);
  if (error) throw std::runtime_error("it is not valid JSON");
  const json::object* root = document.if_object();
  const json::value* version = root ? root->if_contains("version") : nullptr;
  if (!version || !version->is_int64()) throw std::runtime_error("it has no version");
  if (version->get_int64() != format_version)
    throw std::runtime_error("it is of a version this program does not know");
  const json::value* list = root->if_contains("tokens");
  if (!list || !list->is_array()) throw std::runtime_error("it has no list of tokens");
  std::vector<Stored> tokens;
  for (const json::value& entry : list->get_array()) {
    if (!entry.is_object()) throw std::runtime_error("a token is not an object");
    const json::object& object = entry.get_object();
    Stored stored{
        {member(object, "id"), member(object, "tunnel"), member(object, "label"), member(object, "created")},
        member(object, "sha256")};
    if (!is_hex(stored.token.id, 2 * id_bytes)) throw std::runtime_error("a token has a bad id");
    if (!is_hex(stored.sha256, hash_size)) throw std::runtime_error("a token has a bad sha256");
    if (!tunnel::valid_tunnel_name(stored.token.tunnel)) throw std::runtime_error("a token has a bad tunnel");
    if (std::ranges::any_of(tokens, [&](const Stored& other) { return other.token.id == stored.token.id; }))
      throw std::runtime_error("two tokens have the same id");
    tokens.push_back(std::move(stored));
  }
  return tokens;
}

void TokenStore::load() {
  // The stamp is taken first: if the file changes right after, the next look finds another stamp.
  const auto stamp = file_stamp(file_);
  std::error_code missing;
  if (!stamp && !std::filesystem::exists(file_, missing) && !missing) {
    tokens_.clear();
    stamp_.reset();
    return;
  }
  const std::string text = read_file(file_);
  try {
    tokens_ = parse(text);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error("the token list " + file_.string() + " is damaged: " + error.what() +
                             ". Restore it from a backup, or move it away and make new tokens");
  }
  stamp_ = stamp;
}

void TokenStore::save() const {
  json::array list;
  for (const Stored& stored : tokens_)
    list.push_back({{"id", stored.token.id},
                    {"tunnel", stored.token.tunnel},
                    {"label", stored.token.label},
                    {"created", stored.token.created},
                    {"sha256", stored.sha256}});
  const json::value document = {{"version", format_version}, {"tokens", std::move(list)}};
  write_private_file(file_, json::serialize(document) + "\n");
}

std::string TokenStore::create(std::string_view tunnel, std::string_view label) {
  make_private_directory(directory_);
  const FileLock lock(directory_ / "tokens.lock");
  load();
  std::string id;
  do {
    id = net::hex(net::random_bytes(id_bytes));
  } while (std::ranges::any_of(tokens_, [&](const Stored& stored) { return stored.token.id == id; }));
  std::string secret =
      std::string(secret_prefix) + id + "_" + net::base64url(net::random_bytes(secret_bytes));
  tokens_.push_back(
      {{id, std::string(tunnel), std::string(label), utc_now()}, net::hex(net::sha256(secret))});
  save();
  stamp_ = file_stamp(file_);
  return secret;
}

Token TokenStore::revoke(std::string_view prefix) {
  if (!std::filesystem::exists(directory_))
    throw std::runtime_error("there are no tokens in " + directory_.string());
  const FileLock lock(directory_ / "tokens.lock");
  load();
  const auto matches = [&](const Stored& stored) { return stored.token.id.starts_with(prefix); };
  const auto found = std::ranges::find_if(tokens_, matches);
  if (prefix.empty() || found == tokens_.end())
    throw std::runtime_error("there is no token \"" + std::string(prefix) + "\"; see rockdove token list");
  if (std::ranges::count_if(tokens_, matches) > 1)
    throw std::runtime_error("several tokens begin with \"" + std::string(prefix) +
                             "\"; give more of the id");
  Token token = std::move(found->token);
  tokens_.erase(found);
  save();
  stamp_ = file_stamp(file_);
  return token;
}

std::vector<Token> TokenStore::revoke_tunnel(std::string_view tunnel) {
  if (!std::filesystem::exists(directory_))
    throw std::runtime_error("there are no tokens in " + directory_.string());
  const FileLock lock(directory_ / "tokens.lock");
  load();
  std::vector<Token> gone;
  for (const Stored& stored : tokens_)
    if (stored.token.tunnel == tunnel) gone.push_back(stored.token);
  if (gone.empty())
    throw std::runtime_error("tunnel \"" + std::string(tunnel) + "\" has no tokens; see rockdove token list");
  std::erase_if(tokens_, [&](const Stored& stored) { return stored.token.tunnel == tunnel; });
  save();
  stamp_ = file_stamp(file_);
  return gone;
}

std::vector<Token> TokenStore::list() const {
  std::vector<Token> tokens;
  for (const Stored& stored : tokens_) tokens.push_back(stored.token);
  return tokens;
}

std::optional<Token> TokenStore::verify(std::string_view secret) const {
  // Hashes are compared, and every one: neither the secret's bytes nor the token's place show in the time.
  const std::string hash = net::hex(net::sha256(secret));
  const Stored* found = nullptr;
  for (const Stored& stored : tokens_)
    if (net::equal_in_constant_time(stored.sha256, hash)) found = &stored;
  if (!found) return std::nullopt;
  return found->token;
}

TokenStore::Reload TokenStore::reload_if_changed() {
  if (file_stamp(file_) == stamp_) return {};
  try {
    load();
    return {true, {}};
  } catch (const std::exception& error) { return {false, error.what()}; }
}

}  // namespace rockdove::server
