#include "ops/alerts.hpp"

#include <algorithm>
#include <set>

namespace rockdove::ops {

std::vector<Notice> Alerts::update(const std::vector<Condition>& wrong, Moment now, bool listens) {
  std::vector<Notice> notices;
  std::set<Key> seen;
  for (const Condition& condition : wrong) {
    const Key key{condition.kind, condition.subject};
    if (!alerts_.contains(key) && alerts_.size() >= options_.alerts_max) continue;
    Alert& alert = alerts_.try_emplace(key, Alert{condition, now, {}, false, {}, 0}).first->second;
    alert.condition = condition;
    alert.gone.reset();
    seen.insert(key);
    if (auto notice = look(alert, now, listens)) notices.push_back(std::move(*notice));
  }
  for (auto next = alerts_.begin(); next != alerts_.end();) {
    const auto at = next++;
    Alert& alert = at->second;
    if (seen.contains(at->first)) continue;
    if (!alert.gone) alert.gone = now.steady;
    if (alert.is_firing && now.steady - *alert.gone < options_.settle) continue;
    if (alert.is_firing && alert.told) {
      const auto lasted = std::chrono::floor<std::chrono::milliseconds>(*alert.gone - alert.began.steady);
      notices.push_back({Notice::What::resolved, alert.condition, alert.began.wall, lasted});
    }
    alerts_.erase(at);
  }
  return notices;
}

/// Of an alert whose condition is true now.
std::optional<Notice> Alerts::look(Alert& alert, Moment now, bool listens) const {
  if (now.steady - alert.began.steady >= hold(alert.condition.kind)) alert.is_firing = true;
  if (!alert.is_firing || !listens) return std::nullopt;
  if (alert.told && !is_due(alert, now.steady)) return std::nullopt;
  const auto what = alert.told ? Notice::What::reminder : Notice::What::firing;
  alert.told = now.steady;
  alert.told_amount = alert.condition.amount;
  return Notice{what, alert.condition, alert.began.wall, {}};
}

/// Whether it is to be told again.
bool Alerts::is_due(Alert& alert, Steady now) const {
  const auto passed = now - *alert.told;
  if (alert.condition.kind != AlertKind::dead_letters)
    return options_.repeat.count() > 0 && passed >= options_.repeat;
  // Some were replayed or removed: the next one that is given up is news again.
  alert.told_amount = std::min(alert.told_amount, alert.condition.amount);
  return alert.condition.amount > alert.told_amount && passed >= options_.growth_pause;
}

std::chrono::milliseconds Alerts::hold(AlertKind kind) const {
  return kind == AlertKind::agent_gone ? std::max(options_.agent_gone, options_.settle) : options_.settle;
}

bool Alerts::delivered(const Notice& notice, AlertTime now) {
  const Key key{notice.condition.kind, notice.condition.subject};
  if (notice.what == Notice::What::resolved) {
    if (over_.size() >= options_.alerts_max) over_.clear();
    over_[key] = notice.since;
    return records_.erase(key) > 0;
  }
  // One receiver may be told of the end before another one hears of the beginning.
  const auto over = over_.find(key);
  if (over != over_.end() && over->second == notice.since) return false;
  if (over != over_.end()) over_.erase(over);
  AlertRecord record{key.first, key.second, notice.condition.amount, notice.since, now};
  return std::exchange(records_[key], record) != record;
}

std::vector<AlertRecord> Alerts::records() const {
  std::vector<AlertRecord> all;
  for (const auto& [key, record] : records_) all.push_back(record);
  return all;
}

void Alerts::restore(const std::vector<AlertRecord>& records, Moment now) {
  const auto steady_of = [now](AlertTime wall) {
    return now.steady - std::max(now.wall - wall, std::chrono::milliseconds(0));
  };
  for (const AlertRecord& record : records) {
    if (alerts_.size() >= options_.alerts_max) return;
    const Key key{record.kind, record.subject};
    const Moment began{steady_of(record.since), record.since};
    alerts_[key] = {{record.kind, record.subject, record.amount, ""},
                    began,
                    {},
                    true,
                    steady_of(record.told),
                    record.amount};
    records_[key] = record;
  }
}

std::vector<Alerts::Firing> Alerts::firing() const {
  std::vector<Firing> all;
  for (const auto& [key, alert] : alerts_)
    if (alert.is_firing) all.push_back({alert.condition, alert.began.wall});
  return all;
}

}  // namespace rockdove::ops
