#include "egress/call.hpp"

#include "net/address.hpp"
#include "net/crypto.hpp"
#include "net/log.hpp"

namespace rockdove::egress {
namespace {

// Patterns may allow any number of hosts: those beyond are counted together.
constexpr std::size_t destinations_max = 256;
constexpr std::string_view others = "(others)";

/// What the rules of the log want: nothing that a caller could hide a secret in, so no target of a request.
void log_call(const Call& call) {
  const http::Record& record = call.record;
  const std::chrono::duration<double, std::milli> time = record.ended - record.started;
  log::info("egress", "{} {} {} {} {} -> {} in {:.1f} ms, {} B out, {} B in, id {}, {}", call.who.tunnel,
            call.who.agent, record.method, call.destination.empty() ? "-" : call.destination,
            record.reached.is_unspecified() ? "-" : net::to_string(record.reached), record.status,
            time.count(), call.sent, call.received, record.request_id,
            record.error ? error_name(record.error) : std::string_view("ok"));
}

boost::json::object counts_json(const Counts& counts) {
  boost::json::object failures;
  for (const auto& [name, count] : counts.failures) failures[name] = count;
  boost::json::object json;
  json["calls"] = counts.calls;
  json["running"] = counts.running;
  json["waiting"] = counts.waiting;
  json["bytes_out"] = counts.sent;
  json["bytes_in"] = counts.received;
  json["failures"] = std::move(failures);
  return json;
}

}  // namespace

Call::Call(Ledger& ledger, Who caller, const http::Request& request)
    : who(std::move(caller)), ledger_(ledger) {
  record.method = request.method;
  record.request_id = request.context.request_id.empty() ? net::random_hex(12) : request.context.request_id;
  record.started = net::Clock::now();
  ++ledger_.total_.running;
  ++ledger_.tunnels_[who.tunnel];
}

Call::~Call() {
  if (record.status == 0 && !record.error) record.error = Error::cancelled;  // nobody waited for an answer
  record.ended = net::Clock::now();
  ledger_.ended(*this);
}

void Call::allowed() {
  counts = &ledger_.counts_of(destination);
  ++counts->running;
}

void Call::hold_places_for(net::Duration limit) {
  hold_.emplace(net::Deadlines::of(ledger_.executor_.context()), [this] { places.clear(); });
  hold_->set(limit);
}

std::size_t Ledger::running(const std::string& tunnel) const {
  const auto found = tunnels_.find(tunnel);
  return found == tunnels_.end() ? 0 : found->second;
}

Counts& Ledger::counts_of(const std::string& destination) {
  const bool has_room = destinations_.contains(destination) || destinations_.size() < destinations_max;
  return destinations_[has_room ? destination : std::string(others)];
}

void Ledger::ended(const Call& call) {
  for (Counts* counts : {&total_, call.counts}) {
    if (!counts) continue;
    --counts->running;
    ++counts->calls;
    counts->sent += call.sent;
    counts->received += call.received;
    if (call.record.error) ++counts->failures[std::string(error_name(call.record.error))];
  }
  const auto tunnel = tunnels_.find(call.who.tunnel);
  if (--tunnel->second == 0) tunnels_.erase(tunnel);
  if (audit_) log_call(call);
  if (total_.running == 0) idle_.notify();
}

Awaitable<void> Ledger::idle() {
  while (total_.running > 0) co_await idle_.wait();
}

Awaitable<bool> Ledger::idle_for(net::Duration limit) {
  if (limit <= net::Duration::zero()) co_return total_.running == 0;
  bool is_late = false;
  net::Deadline deadline(net::Deadlines::of(executor_.context()), [this, &is_late] {
    is_late = true;
    idle_.notify();
  });
  deadline.set(limit);
  while (total_.running > 0 && !is_late) co_await idle_.wait();
  co_return total_.running == 0;
}

boost::json::object Ledger::to_json(bool with_destinations) const {
  boost::json::object json = counts_json(total_);
  if (!with_destinations) return json;
  boost::json::array list;
  for (const auto& [name, counts] : destinations_) {
    boost::json::object one = counts_json(counts);
    one["name"] = name;
    list.push_back(std::move(one));
  }
  json["destinations"] = std::move(list);
  return json;
}

CallBody::CallBody(CallPtr call, Direction direction, std::unique_ptr<http::Body> body)
    : call_(std::move(call)), direction_(direction), body_(std::move(body)) {}

CallBody::~CallBody() {
  const bool is_given_up = direction_ == Direction::received && !is_over_ && !call_->record.error;
  if (is_given_up) call_->record.error = Error::cancelled;
}

Awaitable<Result<std::string_view>> CallBody::read() {
  auto piece = co_await body_->read();
  std::uint64_t& count = direction_ == Direction::sent ? call_->sent : call_->received;
  if (piece) count += piece->size();
  if (piece && call_->bytes_max > 0 && count > call_->bytes_max) piece = Error::body_too_large;
  if (!piece && !call_->record.error) call_->record.error = piece.error();
  if (!piece || piece->empty()) is_over_ = true;
  co_return piece;
}

}  // namespace rockdove::egress
