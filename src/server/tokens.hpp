// Who may serve which tunnel: the tokens, kept in DATA/tokens.json without their secrets.
#pragma once

#include "base/files.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rockdove::server {

struct Token {
  std::string id;       ///< 8 hex digits; not secret
  std::string tunnel;   ///< the tunnel its bearer may serve
  std::string label;    ///< free text that tells people which one it is
  std::string created;  ///< RFC 3339, UTC

  bool operator==(const Token&) const = default;
};

/// The tokens of one data directory. `rockdove token` changes them beside a running server: changes are made
/// under a lock between processes, and a server sees them by reload_if_changed(). One thread per object.
/// Members that may throw do so with a std::runtime_error whose message is for the operator: what is wrong
/// with which file. A file that cannot be read or understood is such an error, never an empty list.
class TokenStore {
 public:
  /// Reads the tokens of `directory`; no such file means no tokens yet. May throw.
  explicit TokenStore(std::filesystem::path directory);

  /// Makes a token and, if need be, the directory (mode 0700). Returns the secret, which is not kept:
  /// "rd_<id>_<base64url of 32 random bytes>". `tunnel` is valid_tunnel_name(). May throw.
  std::string create(std::string_view tunnel, std::string_view label);
  /// Removes the token whose id begins with `prefix`; throws if there is none or more than one.
  Token revoke(std::string_view prefix);
  /// Removes all tokens of `tunnel`; throws if there is none.
  std::vector<Token> revoke_tunnel(std::string_view tunnel);

  /// All tokens, the oldest first.
  std::vector<Token> list() const;
  /// The token that `secret` belongs to. How long it takes does not tell how much of a secret is right.
  std::optional<Token> verify(std::string_view secret) const;

  struct Reload {
    bool changed = false;  ///< the tokens may be others than before
    std::string error;     ///< not empty: the file is no good, and the tokens stay as they were
  };
  /// Reads the file again if it is another one than last time. Costs one stat() if not.
  Reload reload_if_changed();

 private:
  struct Stored {
    Token token;
    std::string sha256;  // 64 hex digits, of the whole secret: 256 random bits need no slow hash
  };
  void load();
  void save() const;
  static std::vector<Stored> parse(std::string_view text);

  std::filesystem::path directory_;
  std::filesystem::path file_;
  std::vector<Stored> tokens_;
  std::optional<FileStamp> stamp_;  // of the file that tokens_ came from
};

}  // namespace rockdove::server
