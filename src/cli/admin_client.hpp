// Asks a running server's admin address, one question at a time.
#pragma once

#include "base/host_port.hpp"

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace rockdove::cli {

/// Why there is no good answer, in words for whoever typed the command.
class AdminError : public std::runtime_error {
 public:
  AdminError(int status_, const std::string& message) : std::runtime_error(message), status(status_) {}
  int status;  ///< of the server's answer; 0: there was none
};

/// The secret of the admin API, and where it was found, for messages.
struct AdminToken {
  std::string value;
  std::string source;
};

/// $ROCKDOVE_ADMIN_TOKEN, else the file in the server's data directory. Throws std::runtime_error that says
/// what to do if there is none or it cannot be read.
AdminToken find_admin_token(const std::filesystem::path& data);

/// Each call blocks, on a connection of its own.
class AdminClient {
 public:
  /// Pages need no token: leave its value empty.
  AdminClient(HostPort admin, AdminToken token, std::chrono::seconds limit = std::chrono::seconds(30));

  /// The body of a 2xx answer. All of these throw AdminError.
  std::string get(const std::string& target) const { return ask("GET", target, ""); }
  std::string post(const std::string& target, const std::string& json) const {
    return ask("POST", target, json);
  }
  std::string put(const std::string& target, const std::string& json) const {
    return ask("PUT", target, json);
  }

 private:
  std::string ask(const std::string& method, const std::string& target, const std::string& body) const;
  [[noreturn]] void fail(int status, const std::string& target, const std::string& body) const;

  HostPort admin_;
  AdminToken token_;
  std::chrono::seconds limit_;
};

/// The body of the answer to GET `target`, a page. Blocks for at most 5 s. Throws AdminError that says what
/// to do if nobody answers, or not with 2xx.
std::string admin_get(HostPort admin, const std::string& target);

}  // namespace rockdove::cli
