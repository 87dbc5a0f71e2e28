#include "feishu-bot/replies.hpp"

#include "net/crypto.hpp"
#include "net/log.hpp"

namespace rockdove::feishu_bot {
namespace {

Awaitable<void> sleep(net::Executor executor, net::Duration span) {
  net::Timer timer(executor);
  timer.expires_after(span);
  co_await timer.async_wait(net::token);
}

}  // namespace

Result<void> Replies::send(Reply reply) {
  if (counters_.waiting >= options_.queue_max) return Error::queue_full;
  const auto [place, is_new] = lanes_.try_emplace(reply.chat_id);
  Lane& lane = place->second;
  if (lane.waiting.size() >= options_.chat_queue_max) return Error::queue_full;
  if (is_new) lanes_group_.spawn(run_lane(reply.chat_id));
  lane.waiting.push_back(std::move(reply));
  ++counters_.waiting;
  return {};
}

/// Ends once its chat has been quiet for a window: then nothing is left to remember.
Awaitable<void> Replies::run_lane(std::string chat_id) {
  Lane& lane = lanes_.at(chat_id);  // nobody else removes it
  while (true) {
    while (!lane.waiting.empty()) {
      const Reply reply = std::move(lane.waiting.front());
      lane.waiting.pop_front();
      co_await deliver(lane, reply);
      --counters_.waiting;
    }
    co_await sleep(lanes_group_.executor(), options_.window);
    if (lane.waiting.empty()) break;
  }
  lanes_.erase(chat_id);
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
    co_await sleep(lanes_group_.executor(), pause);
  }
}

/// Waits until one more reply is within the chat's limit.
Awaitable<void> Replies::pace(Lane& lane) {
  while (lane.sent.size() >= options_.per_window) {
    const auto pause = lane.sent.front() + options_.window - net::Clock::now();
    if (pause > net::Duration::zero()) co_await sleep(lanes_group_.executor(), pause);
    lane.sent.pop_front();
  }
}

Awaitable<void> Replies::drain(net::Duration limit) {
  co_await lanes_group_.join_for(limit);
}

Awaitable<void> Replies::cancel() {
  lanes_group_.cancel();
  co_await lanes_group_.join();
}

}  // namespace rockdove::feishu_bot
