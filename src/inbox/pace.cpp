#include "inbox/pace.hpp"

namespace rockdove::inbox {

bool Pace::is_limited(net::Clock::time_point now) const {
  return last_caller_ != net::Clock::time_point::min() && now - last_caller_ < options_.memory;
}

std::size_t Pace::room(net::Clock::time_point now, std::size_t running, net::Duration typical) const {
  if (!is_limited(now)) return no_limit;
  const auto spaced = static_cast<std::size_t>(typical / options_.spacing);
  if (spaced > options_.together) return spaced > running ? spaced - running : 0;
  // What begins together shares messages of the link, wake-ups and reads: that is worth the wait for all of
  // them but one, which may be the odd slow one.
  return running <= 1 && running < options_.together ? options_.together - running : 0;
}

}  // namespace rockdove::inbox
