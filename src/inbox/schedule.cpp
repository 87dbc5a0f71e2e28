#include "inbox/schedule.hpp"

#include "base/units.hpp"
#include "http/message.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace rockdove::inbox {
namespace {

using std::chrono::milliseconds;

constexpr std::array unseen_errors{Error::no_agent, Error::no_route, Error::stream_refused, Error::queue_full,
                                   Error::draining};
constexpr std::array retried_statuses{408, 425, 429};
// Before an event is given up, whatever the time: a clock that jumps ahead would end a line of failing events
// one by one otherwise.
constexpr int attempts_min = 5;
constexpr milliseconds longest_rest{300'000};

bool is_success(const Outcome& outcome, const RouteOptions& route) {
  if (outcome.status < 200 || outcome.status > 299) return false;
  return route.success == Success::status || outcome.has_body;
}

/// For people: "503 Service Unavailable", "upstream_refused".
std::string ending_of(const Outcome& outcome) {
  if (outcome.error) return std::string(error_name(outcome.error));
  std::string text = std::to_string(outcome.status);
  const std::string_view phrase = http::reason_phrase(outcome.status);
  if (!phrase.empty()) text.append(" ").append(phrase);
  return text;
}

/// How often the ceiling of the waits has doubled in this run of attempts. A replay begins a new run while
/// the attempts are counted on, so there the time that has passed tells: the waits so far add up to it.
int doublings(const Event& event, const RetryOptions& retry, milliseconds passed) {
  if (event.first_attempt_at == WallTime{}) return 0;
  if (!event.replay || retry.first.count() <= 0) return event.attempts;
  const auto waits = static_cast<std::uint64_t>(passed / retry.first);
  return std::min(event.attempts, static_cast<int>(std::bit_width(waits)));
}

milliseconds jittered(const RetryOptions& retry, int count, std::uint32_t random) {
  milliseconds ceiling = std::min(retry.first, retry.longest);
  for (; count > 0 && ceiling.count() > 0 && ceiling < retry.longest; --count)
    ceiling = std::min(ceiling * 2, retry.longest);
  // span * random / 2^32 in two parts: years of milliseconds times 32 bits are more than 64.
  const auto span = static_cast<std::uint64_t>(std::max<std::int64_t>(ceiling.count(), 0)) + 1;
  const std::uint64_t scaled = (span >> 32) * random + ((span & 0xffff'ffff) * random >> 32);
  return milliseconds(static_cast<std::int64_t>(scaled));
}

}  // namespace

Class classify(const Outcome& outcome, const RouteOptions& route) {
  if (outcome.error) {
    const auto is = [&](Error error) { return outcome.error == error; };
    return std::any_of(unseen_errors.begin(), unseen_errors.end(), is) ? Class::unseen : Class::retry;
  }
  if (is_success(outcome, route)) return Class::delivered;
  const int status = outcome.status;
  if (status == 410) return Class::gone;
  const bool is_passing =
      std::find(retried_statuses.begin(), retried_statuses.end(), status) != retried_statuses.end();
  return status == 0 || status >= 500 || is_passing ? Class::retry : Class::reject;
}

Settlement settle(const Event& event, const Outcome& outcome, const RouteOptions& route, WallTime now,
                  std::uint32_t random) {
  using Verdict = Settlement::Verdict;
  Settlement settlement;
  settlement.id = event.id;
  settlement.now = now;
  switch (classify(outcome, route)) {
    case Class::unseen:
      settlement.verdict = Verdict::release;
      settlement.due_at = now;
      return settlement;
    case Class::delivered: settlement.verdict = Verdict::done; return settlement;
    case Class::gone:
    case Class::reject:
      settlement.verdict = Verdict::dead;
      settlement.reason = "the upstream answered " + ending_of(outcome);
      if (outcome.status >= 200 && outcome.status <= 299) settlement.reason += " with an empty body";
      return settlement;
    case Class::retry: break;
  }
  const RetryOptions& retry = route.retry;
  const WallTime first = event.first_attempt_at == WallTime{} ? now : event.first_attempt_at;
  const milliseconds passed = std::max(now - first, milliseconds(0));  // the clock may have been put back
  const milliseconds left = retry.give_up - passed;
  // How many attempts a replay has had is not known; it has mostly had enough of them before.
  const bool has_tried = event.attempts + 1 >= attempts_min || retry.give_up.count() <= 0;
  if (left.count() <= 0 && has_tried) {
    settlement.verdict = Verdict::dead;
    settlement.reason = "given up after " + format_duration(retry.give_up) + ": " + ending_of(outcome);
    return settlement;
  }
  milliseconds wait = jittered(retry, doublings(event, retry, passed), random);
  if (outcome.retry_after) wait = std::max(wait, std::min(*outcome.retry_after, retry.longest));
  settlement.verdict = Verdict::retry;
  settlement.due_at = now + (left.count() > 0 ? std::min(wait, left) : wait);
  return settlement;
}

milliseconds longest_wait(const RouteOptions& route) {
  return std::max(route.retry.longest, milliseconds(0));
}

milliseconds rest_asked_for(const Outcome& outcome, const RouteOptions& route) {
  if (!outcome.retry_after || (outcome.status != 429 && outcome.status != 503)) return milliseconds(0);
  return std::min({*outcome.retry_after, longest_rest, longest_wait(route)});
}

}  // namespace rockdove::inbox
