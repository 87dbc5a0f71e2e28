// The one holder of an app's access token: fetches and renews it, once however many calls wait for it.
#pragma once

#include "egress/lingxing_api.hpp"
#include "egress/lingxing_token.hpp"

#include <functional>
#include <list>
#include <memory>
#include <string>

namespace rockdove::egress {

using WallClock = std::function<WallTime()>;

/// Loop thread only; close() must have returned before it is destroyed.
class LingxingTokens {
 public:
  struct Options {
    std::string app_id;
    std::string app_secret;
    LingxingToken::Options token;
    net::Duration fetch_limit = std::chrono::seconds(30);  ///< for one answer of a token endpoint
  };
  struct Counters {
    std::uint64_t fetched = 0, refreshed = 0, failed = 0;
  };
  /// A token; or why there is none: what Lingxing said of it, else the error of the exchange.
  struct Given {
    std::string token;
    std::string refusal;
    boost::system::error_code error;
  };

  LingxingTokens(net::Executor executor, LingxingApi& api, Options options, WallClock clock);
  ~LingxingTokens();

  /// A token that lives: at once, also while it is being renewed; or, if there is none, within `limit`
  /// (Error::timed_out). Fetching goes on when a call is cancelled: a refresh token that was sent would be
  /// lost.
  Awaitable<Given> get(net::Duration limit);
  /// Lingxing does not take the token, it says so with `code`. True if the next get() brings another one;
  /// false within LingxingToken::Options::refusal_pause.
  bool refuse(std::string_view token, std::string_view code);
  /// With another secret than before the token is fetched anew.
  void set_secret(std::string app_secret);

  const Counters& counters() const { return counters_; }
  Awaitable<void> close();

 private:
  struct Waiter;
  static Awaitable<void> renew(LingxingTokens* self);
  Awaitable<bool> ask(http::Request request);
  void settle(bool has_worked);
  Given given() const;

  LingxingApi& api_;
  Options options_;
  const WallClock clock_;
  LingxingToken token_;
  Given failure_;  // of the last renewal
  Counters counters_;
  bool is_renewing_ = false;
  std::list<Waiter*> waiting_;
  net::TaskGroup tasks_;
};

}  // namespace rockdove::egress
