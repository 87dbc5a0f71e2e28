#include "net/dial.hpp"

#include "net/deadline.hpp"
#include "net/event.hpp"
#include "net/lookups.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rockdove::net {
namespace {

constexpr Duration head_start = std::chrono::milliseconds(250);

/// RFC 8305 section 4: the first address's family first, then in turns, so that one broken family costs one
/// head start.
std::vector<Endpoint> interleave(const std::vector<Endpoint>& found) {
  if (found.empty()) return {};
  std::vector<Endpoint> first, second, result;
  for (const Endpoint& each : found)
    (each.protocol() == found.front().protocol() ? first : second).push_back(each);
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) result.push_back(first[i]);
    if (i < second.size()) result.push_back(second[i]);
  }
  return result;
}

/// One dial: the lookup, then attempts that run side by side. Their callbacks share it, because they come
/// even after a dial was given up.
class Attempts : public std::enable_shared_from_this<Attempts> {
 public:
  Attempts(Executor executor, std::function<bool(const Address&)> permits)
      : executor_(executor),
        permits_(std::move(permits)),
        news_(executor),
        limit_(Deadlines::of(executor.context()), [this] { finish(Error::timed_out); }),
        next_(Deadlines::of(executor.context()), [this] { connect_next(); }) {}

  void start(const HostPort& target, Duration timeout) {
    limit_.set(timeout);
    boost::system::error_code not_address;
    const Address address = asio::ip::make_address(target.host, not_address);
    if (!not_address) { return connect_to({Endpoint(address, target.port)}); }
    const auto port = target.port;
    auto lookup =
        Lookups::of(executor_.context()).find(target.host, [this, port](const Lookups::Found& found) {
          if (!found) return finish(found.error());
          std::vector<Endpoint> endpoints;
          for (const Address& each : *found) endpoints.emplace_back(each, port);
          connect_to(std::move(endpoints));
        });
    if (!lookup) return finish(lookup.error());
    lookup_ = std::move(*lookup);
  }

  Awaitable<void> wait() {
    while (!done_) co_await news_.wait();
  }

  Result<TcpSocket> take() {
    if (winner_) return std::move(*winner_);
    return error_;
  }

  /// Ends everything; the callbacks that are still to come find it done.
  void give_up() {
    done_ = true;
    limit_.clear();
    next_.clear();
    lookup_.reset();
    boost::system::error_code ignored;
    for (TcpSocket& each : running_) each.close(ignored);
  }

 private:
  /// What is connected to is what was asked about: no second lookup could come out differently.
  void connect_to(std::vector<Endpoint> endpoints) {
    if (permits_) {
      std::erase_if(endpoints, [this](const Endpoint& each) { return !permits_(each.address()); });
      if (endpoints.empty()) return finish(Error::address_denied);
    }
    untried_ = interleave(endpoints);
    connect_next();
  }

  using Attempt = std::list<TcpSocket>::iterator;

  void connect_next() {
    if (untried_.empty()) {
      if (running_.empty()) finish(error_ ? error_ : asio::error::host_not_found);
      return;
    }
    const Endpoint endpoint = untried_.front();
    untried_.erase(untried_.begin());
    if (!untried_.empty()) next_.set(head_start);
    const Attempt attempt = running_.emplace(running_.end(), executor_);
    attempt->async_connect(endpoint, [self = shared_from_this(), attempt](boost::system::error_code error) {
      self->ended(attempt, error);
    });
  }

  void ended(Attempt attempt, boost::system::error_code error) {
    TcpSocket socket = std::move(*attempt);
    running_.erase(attempt);
    if (done_) return;
    if (!error) {
      winner_ = std::move(socket);
      return finish({});
    }
    if (!error_) error_ = error;
    connect_next();
  }

  void finish(boost::system::error_code error) {
    error_ = error;
    give_up();
    news_.notify();
  }

  Executor executor_;
  const std::function<bool(const Address&)> permits_;
  std::unique_ptr<Lookups::Ticket> lookup_;
  Event news_;
  Deadline limit_;
  Deadline next_;
  std::vector<Endpoint> untried_;
  std::list<TcpSocket> running_;
  std::optional<TcpSocket> winner_;
  boost::system::error_code error_;
  bool done_ = false;
};

/// Also when the dial is cancelled in the middle.
struct GiveUp {
  void operator()(Attempts* attempts) const { attempts->give_up(); }
};

}  // namespace

Awaitable<Result<TcpSocket>> dial(HostPort target, DialOptions options) {
  const Executor executor = co_await asio::this_coro::executor;
  const auto attempts = std::make_shared<Attempts>(executor, std::move(options.permits));
  const std::unique_ptr<Attempts, GiveUp> guard(attempts.get());
  attempts->start(target, options.timeout);
  co_await attempts->wait();
  co_return attempts->take();
}

}  // namespace rockdove::net
