// What is known of an app's access token: when it may be used, and when to get the next. Without I/O; time is
// a parameter.
#pragma once

#include "egress/lingxing_answer.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace rockdove::egress {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

class LingxingToken {
 public:
  struct Options {
    /// A token is renewed so long before its end, so that no call meets the end; but not before half of its
    /// life has passed.
    std::chrono::milliseconds renew_early = std::chrono::minutes(5);
    /// After a failed renewal nobody tries again for so long: a wrong secret must not be sent with each call.
    std::chrono::milliseconds failure_pause = std::chrono::seconds(5);
    /// A token that is refused is given up for another at most once in so long: whoever else fetches tokens
    /// for the app, the two must not end each other's with every call.
    std::chrono::milliseconds refusal_pause = std::chrono::seconds(5);
  };

  explicit LingxingToken(Options options) : options_(options) {}

  void granted(LingxingGrant grant, WallTime now);
  enum class Refused {
    older,    ///< a newer token is here already
    dropped,  ///< it was ours; it is gone, with its refresh token: somebody has fetched another pair
    kept,     ///< the same, but within refusal_pause: there is no other one for the time being
  };
  /// Lingxing does not take `access_token`.
  Refused refused(std::string_view access_token, WallTime now);
  /// The next one is on its way, and has ended `access_token` already.
  void replaced(std::string_view access_token);
  void renewal_failed(WallTime now) { failed_at_ = now; }

  /// The access token, or null if there is none that lives.
  const std::string* usable(WallTime now) const;
  bool wants_renewal(WallTime now) const;
  /// False within the pause after a failure.
  bool may_renew(WallTime now) const;
  /// Hands the refresh token out, once, since Lingxing takes it once; "" if there is none that lives.
  std::string take_refresh_token(WallTime now);

 private:
  bool lives(WallTime now) const;

  Options options_;
  std::optional<LingxingGrant> grant_;
  WallTime granted_at_{};
  std::optional<WallTime> failed_at_, dropped_at_;
};

}  // namespace rockdove::egress
