#include "cli/admin_client.hpp"

#include "base/text.hpp"
#include "http/parser.hpp"
#include "server/admin_token.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/json.hpp>

#include <cstdlib>
#include <iterator>

namespace rockdove::cli {
namespace {

constexpr const char* token_variable = "ROCKDOVE_ADMIN_TOKEN";

/// The owner of a file, or of the nearest directory above that one may look into; "" if that is us.
std::string other_owner(std::filesystem::path path) {
  struct stat found {};
  while (::stat(path.c_str(), &found) != 0) {
    if (!path.has_relative_path()) return "";
    path = path.parent_path();
  }
  if (found.st_uid == ::geteuid()) return "";
  const passwd* user = ::getpwuid(found.st_uid);
  return user ? user->pw_name : std::to_string(found.st_uid);
}

/// "text" of {"error":{"message":"text"}}.
std::string message_of(const std::string& body) {
  boost::system::error_code failed;
  const auto value = boost::json::parse(body, failed);
  const auto* root = failed ? nullptr : value.if_object();
  const auto* error = root ? root->if_contains("error") : nullptr;
  const auto* message = error && error->is_object() ? error->get_object().if_contains("message") : nullptr;
  return message && message->is_string() ? printable(message->get_string(), Lines::escape) : "";
}

}  // namespace

AdminToken find_admin_token(const std::filesystem::path& data) {
  if (const char* value = std::getenv(token_variable); value && *value) {
    if (!server::valid_admin_token(value))
      throw std::runtime_error(std::string("what $") + token_variable + " holds cannot be an admin token");
    return {value, std::string("$") + token_variable};
  }
  const auto file = server::admin_token_file(data);
  try {
    return {server::read_admin_token(data), file.string()};
  } catch (const std::runtime_error& error) {
    std::error_code unknown;
    const bool is_missing = !std::filesystem::exists(file, unknown) && !unknown;
    if (is_missing)
      throw std::runtime_error(std::string(error.what()) +
                               ". The server makes this file at its start: name its data directory with "
                               "--data, its configuration with --config, or set $" +
                               token_variable);
    const std::string owner = other_owner(std::filesystem::absolute(file));
    if (owner.empty()) throw;
    throw std::runtime_error(std::string(error.what()) + ". It belongs to the user " + owner +
                             ": run this command as that user (sudo -u " + owner +
                             " rockdove ...), or set $" + token_variable);
  }
}

AdminClient::AdminClient(HostPort admin, AdminToken token, std::chrono::seconds limit)
    : admin_(std::move(admin)), token_(std::move(token)), limit_(limit) {
  // What a server listens on need not be an address that one can connect to.
  if (admin_.host == "0.0.0.0") admin_.host = "127.0.0.1";
  if (admin_.host == "::") admin_.host = "::1";
}

std::string AdminClient::ask(const std::string& method, const std::string& target,
                             const std::string& body) const {
  const std::string where = "http://" + to_string(admin_) + target.substr(0, target.find('?'));
  boost::asio::ip::tcp::iostream stream;
  stream.expires_after(limit_);
  stream.connect(admin_.host, std::to_string(admin_.port));
  if (!stream)
    throw AdminError(0, "no answer from " + where + " (" + stream.error().message() +
                            "): is \"rockdove server\" running here, with the same configuration?");
  std::string head =
      method + " " + target + " HTTP/1.1\r\nHost: " + to_string(admin_) + "\r\nConnection: close\r\n";
  if (!token_.value.empty()) head += "Authorization: Bearer " + token_.value + "\r\n";
  if (method != "GET")
    head += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  stream << head << "\r\n" << body << std::flush;
  const std::string answer{std::istreambuf_iterator<char>(stream), {}};

  const http::HeadLimits limits;
  std::size_t scanned = 0;
  const auto size = http::find_head(answer, limits, scanned);
  if (!size || *size == 0) throw AdminError(0, "no complete answer from " + where);
  const auto parsed = http::parse_response_head(std::string_view(answer).substr(0, *size), limits, method);
  if (!parsed) throw AdminError(0, "the answer from " + where + " is not HTTP/1.1");
  std::string content = answer.substr(*size);
  if (parsed->framing == http::Framing::length && content.size() != parsed->content_length)
    throw AdminError(0, "the answer from " + where + " is cut short");
  if (parsed->status / 100 != 2) fail(parsed->status, where, content);
  return content;
}

void AdminClient::fail(int status, const std::string& where, const std::string& body) const {
  if (status == 401)
    throw AdminError(status, "the server at " + to_string(admin_) + " refuses the admin token of " +
                                 token_.source +
                                 ": it belongs to another server or data directory. The right one is in the "
                                 "file admin-token of that server's data directory (--data)");
  const std::string message = message_of(body);
  // No error of the API: then it is no server of ours, or one without it.
  if (message.empty()) throw AdminError(status, where + " answers " + std::to_string(status));
  throw AdminError(status,
                   status < 500 ? message : "the server at " + to_string(admin_) + " says: " + message);
}

std::string admin_get(HostPort admin, const std::string& target) {
  return AdminClient(std::move(admin), {}, std::chrono::seconds(5)).get(target);
}

}  // namespace rockdove::cli
