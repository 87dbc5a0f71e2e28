#include "inbox/event_rows.hpp"

#include "inbox/record.hpp"

namespace rockdove::inbox {

Event read_event(const sqlite::Statement& row) {
  Event event;
  int column = 0;
  event.id = static_cast<EventId>(row.integer(column++));
  event.route = row.text(column++);
  event.tunnel = row.text(column++);
  event.state = static_cast<State>(row.integer(column++));
  event.received_at = time_of(row.integer(column++));
  const auto due_at = row.integer(column++);
  event.due_at = due_at == due_at_once ? event.received_at : time_of(due_at);
  event.first_attempt_at = time_of(row.integer(column++));
  event.attempts = static_cast<int>(row.integer(column++));
  event.replay = row.integer(column++) != 0;
  event.ordered = row.integer(column++) != 0;
  event.order_key = row.text(column++);
  event.reason = row.text(column++);
  event.method = row.text(column++);
  event.target = row.text(column++);
  event.bytes = static_cast<std::uint64_t>(row.integer(column++));
  return event;
}

Attempt read_attempt(const sqlite::Statement& row) {
  Attempt attempt;
  int column = 0;
  attempt.number = static_cast<int>(row.integer(column++));
  attempt.started_at = time_of(row.integer(column++));
  attempt.took = std::chrono::milliseconds(row.integer(column++));
  attempt.agent = row.text(column++);
  attempt.status = static_cast<int>(row.integer(column++));
  attempt.error = row.text(column++);
  attempt.type = row.text(column++);
  attempt.body = row.text(column++);
  return attempt;
}

Result<StoredRequest> read_request(const sqlite::Statement& row, const Event& event) {
  const auto sum = static_cast<std::uint64_t>(row.integer(0));
  const auto head = row.bytes(1);
  const auto body = row.bytes(2);
  if (checksum({event.route, event.tunnel, head, body}) != sum) return Error::malformed;
  auto request = decode_head(head);
  if (request) request->body = body;
  return request;
}

}  // namespace rockdove::inbox
