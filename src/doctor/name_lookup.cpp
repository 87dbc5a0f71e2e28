#include "doctor/name_lookup.hpp"

#include "net/deadline.hpp"
#include "net/event.hpp"
#include "net/lookups.hpp"

#include <optional>

namespace rockdove::doctor {

Awaitable<Result<std::vector<net::Address>>> look_up(std::string host, net::Duration limit) {
  const net::Executor executor = co_await net::asio::this_coro::executor;
  net::Event news(executor);
  std::optional<net::Lookups::Found> found;
  net::Deadline deadline(net::Deadlines::of(executor.context()), [&] {
    found = make_error_code(Error::timed_out);
    news.notify();
  });
  deadline.set(limit);
  auto ticket = net::Lookups::of(executor.context()).find(host, [&](const net::Lookups::Found& answer) {
    found = answer;
    news.notify();
  });
  if (!ticket) co_return ticket.error();
  while (!found) co_await news.wait();
  co_return *found;
}

}  // namespace rockdove::doctor
