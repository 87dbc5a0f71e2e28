#include "server/admin_token.hpp"

#include "base/files.hpp"
#include "net/crypto.hpp"

#include <stdexcept>

namespace rockdove::server {
namespace {

constexpr std::size_t random_size = 32;
constexpr std::size_t size_min = 32;  // characters; ours has 43
constexpr std::size_t size_max = 512;
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";

}  // namespace

std::filesystem::path admin_token_file(const std::filesystem::path& data) {
  return data / "admin-token";
}

bool valid_admin_token(std::string_view token) noexcept {
  return token.size() >= size_min && token.size() <= size_max &&
         token.find_first_not_of(alphabet) == token.npos;
}

std::string read_admin_token(const std::filesystem::path& data) {
  const auto file = admin_token_file(data);
  std::string token = read_file(file);
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  if (!valid_admin_token(token))
    throw std::runtime_error("the admin token in " + file.string() +
                             " is no good: remove the file, and the server makes a new one at its start");
  return token;
}

std::string ensure_admin_token(const std::filesystem::path& data) {
  make_private_directory(data);
  const auto file = admin_token_file(data);
  if (!std::filesystem::exists(file))
    write_private_file(file, net::base64url(net::random_bytes(random_size)) + "\n");
  return read_admin_token(data);
}

}  // namespace rockdove::server
