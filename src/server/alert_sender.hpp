// One receiver of alerts: what it wants, how much of it, and the way there.
#pragma once

#include "egress/outlet.hpp"
#include "net/task_group.hpp"
#include "ops/alert_pace.hpp"
#include "server/alert_queue.hpp"

#include <boost/json/object.hpp>

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace rockdove::server {

/// How all receivers are spoken to.
struct AlertManner {
  std::size_t per_hour = 10;  ///< 0: no limit
  ops::Language language = ops::Language::en;
  std::string host;
};

/// Loop thread only. Each attempt has a connection of its own, to any address: the operator has set it, so
/// the rules of egress do not apply.
class AlertSender {
 public:
  using Clock = std::function<ops::AlertTime()>;
  static constexpr std::chrono::seconds attempt_limit{15};  ///< the lookup of the name included
  static constexpr std::size_t answer_bytes_max = 16 * 1024;

  /// `on_sent` hears of every message that has arrived, but for tests. Throws std::exception if the
  /// receiver's `ca_file` is no good.
  AlertSender(net::Executor executor, AlertReceiver receiver, AlertManner manner, Clock clock,
              AlertQueue::OnSent on_sent);

  /// Queues what of it the receiver wants and may have now. To be called every now and then without notices
  /// too.
  void offer(const std::vector<ops::Notice>& notices, net::Clock::time_point now);
  /// Sends what is queued, until stop(). Not to be cancelled.
  static Awaitable<void> run(std::shared_ptr<AlertSender> self);
  /// One test message, past the queue. Not to be cancelled.
  Awaitable<AlertAnswer> test();
  /// Ends attempts under way.
  void stop();

  void set_manner(AlertManner manner);
  const AlertReceiver& receiver() const { return receiver_; }
  const AlertQueue::Counters& counters() const { return queue_.counters(); }
  /// For /stats: no URL and no secret.
  boost::json::object to_json() const;

 private:
  struct Exchange;
  bool wants(ops::AlertKind kind) const;
  Awaitable<AlertAnswer> post(AlertMessagePtr message);
  Awaitable<Result<http::Response>> call(http::Request request);
  static Awaitable<void> run_exchange(std::shared_ptr<Exchange> exchange, http::Request request);

  const net::Executor executor_;
  const AlertReceiver receiver_;
  AlertManner manner_;
  const Clock clock_;
  ops::AlertPace pace_;
  AlertQueue queue_;
  std::list<net::TaskGroup*> under_way_;
  bool stopping_ = false;
};

}  // namespace rockdove::server
