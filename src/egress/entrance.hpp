// Where calls come in: what brings them says whose they are.
#pragma once

#include "egress/basic_auth.hpp"
#include "egress/gate.hpp"
#include "net/log_pace.hpp"

#include <functional>

namespace rockdove::egress {

/// The Handler of one link, whose agent has been authenticated.
class LinkEntrance final : public http::Handler {
 public:
  /// `gate` must outlive it.
  LinkEntrance(Gate& gate, Who who) : gate_(gate), who_(std::move(who)) {}
  Awaitable<Result<http::Response>> handle(http::Request request) override {
    return gate_.handle(who_, std::move(request));
  }

 private:
  Gate& gate_;
  const Who who_;
};

/// The Handler of the proxy port: asks for a user and a password (407 without). Counts those turned away.
class ProxyEntrance final : public http::Handler {
 public:
  /// True if the user is a tunnel and the password the secret of one of its tokens.
  using Verify = std::function<bool(const Credentials& credentials)>;

  ProxyEntrance(Gate& gate, Verify verify) : gate_(gate), verify_(std::move(verify)) {}
  Awaitable<Result<http::Response>> handle(http::Request request) override;
  std::uint64_t unauthorized() const { return unauthorized_; }

 private:
  Gate& gate_;
  const Verify verify_;
  std::uint64_t unauthorized_ = 0;
  net::LogPace wrong_;
};

}  // namespace rockdove::egress
