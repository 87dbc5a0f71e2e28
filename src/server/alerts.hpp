// Alerts as a part of the server: what is wrong goes in, messages go out; what the admin API says of it.
#pragma once

#include "config/alerts_config.hpp"
#include "http/handler.hpp"
#include "net/task_group.hpp"
#include "ops/agent_watch.hpp"
#include "server/alert_file.hpp"
#include "server/alert_sender.hpp"

#include <boost/json/object.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace rockdove::server {

/// As a Handler it answers /api/v1/alerts and /api/v1/alerts/test of the admin API. Loop thread only.
class Alerts final : public http::Handler {
 public:
  struct Sight {
    std::vector<ops::Condition> wrong;  ///< all that is wrong just now
    ops::AgentWatch::Connected agents;
  };
  using Look = std::function<Sight()>;

  /// `data`: the data directory. Throws std::exception with a message for the operator.
  Alerts(net::Executor executor, const config::AlertsConfig& config, const std::filesystem::path& data,
         AlertSender::Clock clock, Look look);

  /// Looks and sends until stop() or cancellation, which leaves the sending to stop(). Call it once.
  Awaitable<void> run();
  /// No more messages: what stops is not gone. Those under way are broken off.
  void stop();
  /// After stop().
  Awaitable<void> close() { co_await tasks_.join(); }

  Awaitable<Result<http::Response>> handle(http::Request&& request) override;
  /// What a new configuration takes that may fail: secrets and files are read. Throws std::exception.
  using Senders = std::vector<std::shared_ptr<AlertSender>>;
  Senders make_senders(const config::AlertsConfig& config);
  /// `senders` as make_senders() has made them of `config`.
  void set_options(const config::AlertsConfig& config, Senders senders);
  /// For operators: subjects and reasons are of the inside.
  boost::json::object to_json() const;

 private:
  using SenderPtr = Senders::value_type;
  struct Test;

  void restore();
  void use(Senders senders);
  void look();
  void has_been_sent(const AlertMessage& message);
  ops::Moment now() const;
  Awaitable<http::Response> test();
  static Awaitable<void> test_one(std::shared_ptr<Test> test, SenderPtr sender, std::size_t index);

  const net::Executor executor_;
  config::AlertsConfig config_;
  const AlertSender::Clock clock_;
  const Look look_;
  AlertFile file_;
  ops::Alerts alerts_;
  ops::AgentWatch watch_;
  Senders senders_;
  AlertQueue::Counters past_;  // of receivers that are not in the configuration any more
  bool is_running_ = false, stopping_ = false;
  net::TaskGroup tasks_;
};

}  // namespace rockdove::server
