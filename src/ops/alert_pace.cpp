#include "ops/alert_pace.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rockdove::ops {

std::vector<AlertBatch> AlertPace::add(std::vector<Notice> notices,
                                       std::chrono::steady_clock::time_point now) {
  for (Notice& notice : notices) hold(std::move(notice));
  while (!sent_.empty() && now - sent_.front() >= span) sent_.pop_front();
  std::vector<AlertBatch> batches;
  std::size_t taken = 0;
  const auto has_more = [&] { return taken < held_.size(); };
  while (has_more() && (per_hour_ == 0 || sent_.size() + 1 < per_hour_)) {
    batches.push_back({{std::move(held_[taken++])}, false});
    if (per_hour_ > 0) sent_.push_back(now);
  }
  held_.erase(held_.begin(), std::next(held_.begin(), static_cast<std::ptrdiff_t>(taken)));
  if (held_.empty() || sent_.size() >= per_hour_) return batches;
  batches.push_back({std::exchange(held_, {}), true});
  sent_.push_back(now);
  return batches;
}

/// Takes it in, in place of what it makes needless.
void AlertPace::hold(Notice notice) {
  using What = Notice::What;
  const auto is_of_it = [&notice](const Notice& each) {
    return each.condition.kind == notice.condition.kind && each.condition.subject == notice.condition.subject;
  };
  if (notice.what != What::firing)
    std::erase_if(held_, [&](const Notice& each) { return is_of_it(each) && each.what == What::reminder; });
  const auto untold = std::ranges::find_if(
      held_, [&](const Notice& each) { return is_of_it(each) && each.what == What::firing; });
  if (untold == held_.end()) return held_.push_back(std::move(notice));
  if (notice.what == What::resolved) held_.erase(untold);
  else untold->condition = std::move(notice.condition);
}

}  // namespace rockdove::ops
