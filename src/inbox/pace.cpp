#include "inbox/pace.hpp"

#include <algorithm>

namespace rockdove::inbox {
namespace {

constexpr double growth = 0.25, shrinkage = 0.75;

}  // namespace

bool Pace::is_limited(net::Clock::time_point now) const {
  return last_caller_ != net::Clock::time_point::min() && now - last_caller_ < options_.memory;
}

void Pace::measured(net::Duration lag, std::size_t running) {
  if (lag > options_.lag_max) allowed_ = std::max(options_.least, allowed_ * shrinkage);
  // A limit that nothing comes near to says nothing about what the loop could take.
  else if (static_cast<double>(running) * 2 >= allowed_) allowed_ += growth;
}

std::size_t Pace::limit(net::Clock::time_point now) const {
  return is_limited(now) ? static_cast<std::size_t>(allowed_) : no_limit;
}

}  // namespace rockdove::inbox
