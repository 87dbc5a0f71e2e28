// Where calls come in: what brings them says whose they are.
#pragma once

#include "egress/basic_auth.hpp"
#include "egress/gate.hpp"
#include "net/log_pace.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>

namespace rockdove::egress {

/// The Handler of one link, whose agent has been authenticated.
class LinkEntrance final : public http::Handler {
 public:
  /// `gate` must outlive it.
  LinkEntrance(Gate& gate, Who who) : gate_(gate), who_(std::move(who)) {}
  Awaitable<Result<http::Response>> handle(http::Request&& request) override {
    return gate_.handle(who_, std::move(request));
  }

 private:
  Gate& gate_;
  const Who who_;
};

/// The Handler of one connection of the proxy port: asks for a user and a password (407 without).
class ProxyEntrance final : public http::Handler {
 public:
  /// The id of the token whose secret the password is, if the user is its tunnel.
  using Verify = std::function<std::optional<std::string>(const Credentials& credentials)>;

  /// What all connections of the port have turned away.
  struct Refusals {
    std::uint64_t unauthorized = 0;
    net::LogPace log;
  };

  /// All three must outlive it.
  ProxyEntrance(Gate& gate, const Verify& verify, Refusals& refusals)
      : gate_(gate), verify_(verify), refusals_(refusals) {}
  Awaitable<Result<http::Response>> handle(http::Request&& request) override;
  /// Of the tokens with which calls have come so far.
  const std::set<std::string>& token_ids() const { return token_ids_; }

 private:
  Gate& gate_;
  const Verify& verify_;
  Refusals& refusals_;
  std::set<std::string> token_ids_;
};

}  // namespace rockdove::egress
