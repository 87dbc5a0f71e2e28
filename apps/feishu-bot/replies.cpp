#include "feishu-bot/replies.hpp"

#include "net/crypto.hpp"
#include "net/deadline.hpp"
#include "net/log.hpp"

#include <utility>

namespace rockdove::feishu_bot {
namespace {

constexpr std::size_t lanes_kept = 256;  // more are looked through for quiet ones

Awaitable<void> sleep(net::Executor executor, net::Duration span) {
  net::Timer timer(executor);
  timer.expires_after(span);
  co_await timer.async_wait(net::token);
}

}  // namespace

Replies::Replies(net::Executor executor, FeishuApi& feishu, Options options)
    : feishu_(feishu),
      options_(std::move(options)),
      tasks_(executor, net::abort_on_error),
      all_sent_(executor) {}

Result<void> Replies::send(Reply reply) {
  if (counters_.waiting >= options_.queue_max) return Error::queue_full;
  if (lanes_.size() >= lanes_kept) forget_quiet_lanes();
  Lane& lane = lanes_[reply.chat_id];
  if (lane.waiting.size() >= options_.chat_queue_max) return Error::queue_full;
  if (!std::exchange(lane.is_running, true)) tasks_.spawn(run_lane(reply.chat_id));
  lane.waiting.push_back(std::move(reply));
  ++counters_.waiting;
  return {};
}

/// What a lane remembers counts for one window; one that is running stays.
void Replies::forget_quiet_lanes() {
  const auto oldest = net::Clock::now() - options_.window;
  std::erase_if(lanes_, [oldest](const auto& each) {
    const Lane& lane = each.second;
    return !lane.is_running && (lane.sent.empty() || lane.sent.back() < oldest);
  });
}

Awaitable<void> Replies::run_lane(std::string chat_id) {
  Lane& lane = lanes_.at(chat_id);  // stays while it is running
  while (!lane.waiting.empty()) {
    const Reply reply = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    co_await deliver(lane, reply);
    if (reply.on_end) reply.on_end();
    if (--counters_.waiting == 0) all_sent_.notify();
  }
  lane.is_running = false;
}

Awaitable<void> Replies::deliver(Lane& lane, const Reply& reply) {
  Backoff backoff(options_.backoff);
  for (int tries = 1;; ++tries) {
    co_await pace(lane);
    auto sent = co_await feishu_.reply(reply.message_id, reply.message, reply.uuid);
    // Counted from when Feishu has surely seen it, so that its count is never ahead of ours.
    lane.sent.push_back(net::Clock::now());
    if (sent) {
      ++counters_.sent;
      co_return;
    }
    const Failure& failure = sent.error();
    if (tries == options_.tries_max || !may_pass(failure)) {
      ++counters_.failed;
      log::warn("bot", "no reply to {} after {} tries: Feishu: {}", reply.message_id, tries,
                to_string(failure));
      co_return;
    }
    net::Duration pause = failure.retry_after;
    if (pause == net::Duration::zero()) pause = backoff.next(net::random_u32());
    co_await sleep(tasks_.executor(), pause);
  }
}

/// Waits until one more reply is within the chat's limit.
Awaitable<void> Replies::pace(Lane& lane) {
  while (lane.sent.size() >= options_.per_window) {
    const auto pause = lane.sent.front() + options_.window - net::Clock::now();
    if (pause > net::Duration::zero()) co_await sleep(tasks_.executor(), pause);
    lane.sent.pop_front();
  }
}

Awaitable<void> Replies::drain(net::Duration limit) {
  bool is_over = false;
  net::Deadline end(net::Deadlines::of(tasks_.executor().context()), [this, &is_over] {
    is_over = true;
    all_sent_.notify();
  });
  end.set(limit);
  while (counters_.waiting > 0 && !is_over) co_await all_sent_.wait();
}

Awaitable<void> Replies::cancel() {
  tasks_.cancel();
  co_await tasks_.join();
}

}  // namespace rockdove::feishu_bot
