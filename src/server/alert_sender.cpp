#include "server/alert_sender.hpp"

#include "net/deadline.hpp"

#include <algorithm>
#include <optional>

namespace rockdove::server {
namespace {

egress::Outlet::Options outlet_options(const AlertReceiver& receiver) {
  egress::Outlet::Options options;
  options.address = {receiver.secrets.url.host, receiver.secrets.url.port};
  options.tls = receiver.secrets.url.is_tls();
  options.ca_file = receiver.target.ca_file;
  options.connect_timeout = AlertSender::attempt_limit;
  options.first_byte_timeout = AlertSender::attempt_limit;
  options.idle_timeout = AlertSender::attempt_limit;
  return options;
}

}  // namespace

/// One request and what became of it.
struct AlertSender::Exchange {
  Exchange(net::Executor executor, const AlertReceiver& receiver)
      : outlet(executor, outlet_options(receiver)) {}

  egress::Outlet outlet;
  std::optional<Result<http::Response>> result;
};

AlertSender::AlertSender(net::Executor executor, AlertReceiver receiver, AlertManner manner, Clock clock,
                         AlertQueue::OnSent on_sent)
    : executor_(executor),
      receiver_(std::move(receiver)),
      manner_(std::move(manner)),
      clock_(std::move(clock)),
      pace_(manner_.per_hour),
      queue_(
          executor, AlertQueue::Options{.name = receiver_.target.name},
          [this](AlertMessagePtr message) { return post(std::move(message)); }, std::move(on_sent)) {
  const egress::Outlet check(executor, outlet_options(receiver_));  // throws now and not at the first alert
}

bool AlertSender::wants(ops::AlertKind kind) const {
  const auto& events = receiver_.target.events;
  return events.empty() || std::ranges::find(events, ops::alert_kind_name(kind)) != events.end();
}

void AlertSender::offer(const std::vector<ops::Notice>& notices, net::Clock::time_point now) {
  std::vector<ops::Notice> wanted;
  for (const ops::Notice& each : notices)
    if (wants(each.condition.kind)) wanted.push_back(each);
  for (ops::AlertBatch& batch : pace_.add(std::move(wanted), now))
    queue_.push(make_alert_message(std::move(batch), manner_.per_hour, manner_.language, manner_.host));
}

Awaitable<void> AlertSender::run(std::shared_ptr<AlertSender> self) {
  co_await self->queue_.run();
}

Awaitable<AlertAnswer> AlertSender::test() {
  auto message = std::make_shared<const AlertMessage>(make_test_message(manner_.language, manner_.host));
  const AlertAnswer answer = co_await post(std::move(message));
  co_return answer;
}

Awaitable<AlertAnswer> AlertSender::post(AlertMessagePtr message) {
  http::Request request = make_alert_request(*message, receiver_, manner_.host, clock_());
  const auto response = co_await call(std::move(request));
  if (response) co_return judge_alert_answer(receiver_.target.form, *response);
  AlertAnswer answer;
  answer.words = response.error().message();
  co_return answer;
}

Awaitable<Result<http::Response>> AlertSender::call(http::Request request) {
  if (stopping_) co_return Error::cancelled;
  const auto exchange = std::make_shared<Exchange>(executor_, receiver_);
  request.fields.add("Host", exchange->outlet.authority());
  net::TaskGroup group(executor_, net::abort_on_error);
  struct UnderWay {
    std::list<net::TaskGroup*>& all;
    net::TaskGroup* group;
    ~UnderWay() { all.remove(group); }
  } under_way{under_way_, &group};
  under_way_.push_back(&group);
  net::Deadline limit(net::Deadlines::of(executor_.context()), [&group] { group.cancel(); });
  limit.set(attempt_limit);
  group.spawn(run_exchange(exchange, std::move(request)));
  co_await group.join();
  co_await exchange->outlet.close();
  if (exchange->result) co_return std::move(*exchange->result);
  co_return Error::destination_timeout;
}

Awaitable<void> AlertSender::run_exchange(std::shared_ptr<Exchange> exchange, http::Request request) {
  auto response = co_await exchange->outlet.handle(std::move(request));
  if (!response) {
    exchange->result.emplace(response.error());
    co_return;
  }
  // What cannot be read whole counts by its status: a message that was taken must not be sent again.
  (void)co_await http::read_all(*response, answer_bytes_max);
  response->body.reset();
  exchange->result.emplace(std::move(*response));
}

void AlertSender::stop() {
  stopping_ = true;
  queue_.stop();
  for (net::TaskGroup* each : under_way_) each->cancel();
}

void AlertSender::set_manner(AlertManner manner) {
  manner_ = std::move(manner);
  pace_.set_per_hour(manner_.per_hour);
}

boost::json::object AlertSender::to_json() const {
  const AlertQueue::Counters& counters = queue_.counters();
  boost::json::object json;
  json["name"] = receiver_.target.name;
  json["sent"] = counters.sent;
  json["rejected"] = counters.rejected;
  json["dropped"] = counters.dropped;
  json["waiting"] = queue_.waiting();
  json["held_back"] = pace_.held();
  json["trouble"] = queue_.trouble();
  return json;
}

}  // namespace rockdove::server
