#include "egress/lingxing_token.hpp"

#include <algorithm>
#include <utility>

namespace rockdove::egress {

void LingxingToken::granted(LingxingGrant grant, WallTime now) {
  grant_ = std::move(grant);
  granted_at_ = now;
  failed_at_.reset();
}

LingxingToken::Refused LingxingToken::refused(std::string_view access_token, WallTime now) {
  if (!grant_ || grant_->access_token != access_token) return Refused::older;
  const bool is_soon = dropped_at_ && now >= *dropped_at_ && now < *dropped_at_ + options_.refusal_pause;
  if (is_soon) return Refused::kept;
  grant_.reset();
  dropped_at_ = now;
  return Refused::dropped;
}

void LingxingToken::replaced(std::string_view access_token) {
  if (grant_ && grant_->access_token == access_token) grant_.reset();
}

/// A clock that has been set back says nothing about the token's age, so the token counts as dead then.
bool LingxingToken::lives(WallTime now) const {
  return grant_ && now >= granted_at_ && now < granted_at_ + grant_->lifetime;
}

const std::string* LingxingToken::usable(WallTime now) const {
  return lives(now) ? &grant_->access_token : nullptr;
}

bool LingxingToken::wants_renewal(WallTime now) const {
  if (!lives(now)) return true;
  const std::chrono::milliseconds lifetime = grant_->lifetime;
  return now >= granted_at_ + std::max(lifetime / 2, lifetime - options_.renew_early);
}

bool LingxingToken::may_renew(WallTime now) const {
  return !failed_at_ || now < *failed_at_ || now >= *failed_at_ + options_.failure_pause;
}

std::string LingxingToken::take_refresh_token(WallTime now) {
  if (!lives(now)) return {};
  return std::exchange(grant_->refresh_token, {});
}

}  // namespace rockdove::egress
