#include "inbox/sqlite_store.hpp"

#include "base/files.hpp"
#include "inbox/checkpoint_thread.hpp"
#include "inbox/commit_thread.hpp"
#include "inbox/read_thread.hpp"

#include <algorithm>

namespace rockdove::inbox {
namespace {

constexpr std::size_t ids_a_step = 1'000;

struct Append final : WriteOperation {
  Append(const net::Executor& executor, std::shared_ptr<SharedState> with, NewEvent from)
      : WriteOperation(executor), shared(std::move(with)), event(std::move(from)) {}
  void prepare() override { prepared = inbox::prepare(std::move(event)); }
  void apply(Changes& changes) override { answer.emplace(changes.append(prepared)); }
  void refuse(boost::system::error_code error) override { answer.emplace(error); }
  void abandon() override {
    if (answer && *answer && (*answer)->claimed) shared->claims.drop((*answer)->id);
  }
  bool is_unwanted() const override { return left; }
  std::size_t bytes() const override { return event.request.body.size() + event.request.fields.bytes(); }

  const std::shared_ptr<SharedState> shared;
  NewEvent event;
  PreparedEvent prepared;
  std::optional<Result<Appended>> answer;
};

/// Ends a claim by something that has to be recorded.
struct Settle final : WriteOperation {
  Settle(const net::Executor& executor, std::shared_ptr<SharedState> with, Settlement what)
      : WriteOperation(executor), shared(std::move(with)), settlement(std::move(what)) {}
  void apply(Changes& changes) override { changes.settle(settlement); }
  void refuse(boost::system::error_code) override { shared->claims.drop(settlement.id); }
  bool is_patient() const override { return true; }
  bool is_eager() const override { return settlement.eager; }
  EventId event_id() const override { return settlement.id; }
  std::size_t bytes() const override { return settlement.attempt ? settlement.attempt->body.size() : 0; }

  const std::shared_ptr<SharedState> shared;
  const Settlement settlement;
};

struct Quarantine final : WriteOperation {
  Quarantine(const net::Executor& executor, std::shared_ptr<SharedState> with, EventId of, std::string why,
             WallTime when)
      : WriteOperation(executor), shared(std::move(with)), id(of), reason(std::move(why)), now(when) {}
  void apply(Changes& changes) override { changes.quarantine(id, reason, now); }
  void refuse(boost::system::error_code) override { shared->claims.drop(id); }
  bool is_patient() const override { return true; }
  bool is_eager() const override { return true; }
  EventId event_id() const override { return id; }

  const std::shared_ptr<SharedState> shared;
  const EventId id;
  const std::string reason;
  const WallTime now;
};

class SqliteStore final : public Store {
 public:
  SqliteStore(net::Executor executor, SqliteOptions options);
  ~SqliteStore() override;

  Awaitable<Result<Appended>> append(NewEvent event) override;
  Awaitable<Result<Claimed>> claim(ClaimRequest request) override;
  Awaitable<void> settle(Settlement settlement) override;
  void settle_later(Settlement settlement) override;
  Awaitable<Result<EventDetail>> look_up(EventId id) override;
  Awaitable<Result<Attempt>> last_answer(EventId id) override;
  Awaitable<Result<Page>> list(PageRequest request) override;
  Awaitable<Result<std::size_t>> replay(std::vector<EventId> ids, WallTime now) override;
  Awaitable<Result<std::size_t>> purge(Filter filter) override;
  Awaitable<Result<std::size_t>> expire(WallTime now) override;
  Awaitable<Result<void>> set_paused(std::string route, std::string reason) override;
  Awaitable<Result<std::vector<std::pair<std::string, std::string>>>> paused() override;
  std::vector<Tally> tallies() const override { return shared_->tallies.list(); }
  Awaitable<Result<std::vector<Backlog>>> backlogs() override;
  StoreHealth health() const override { return shared_->health.look(shared_->tallies, shared_->retention()); }
  void set_retention(Retention retention) override { shared_->set_retention(retention); }

 private:
  template <class T>
  Awaitable<Result<T>> write(typename WriteCall<T>::Work work) {
    auto call = std::make_shared<WriteCall<T>>(executor_, std::move(work));
    commits_.submit(call);
    co_await completion(call);
    co_return std::move(*call->answer);
  }
  template <class T>
  Awaitable<Result<T>> read(typename ReadCall<T>::Work work, typename ReadCall<T>::Abandoned abandoned = {}) {
    auto call = std::make_shared<ReadCall<T>>(executor_, std::move(work), std::move(abandoned));
    reads_.submit(call);
    co_await completion(call);
    co_return std::move(*call->answer);
  }
  /// Nothing for a release that concerns nobody but the claims.
  std::shared_ptr<Settle> hand_in(Settlement settlement);

  const net::Executor executor_;
  const net::Duration page_time_;
  const FileLock only_one_;  // one server for one inbox
  const std::shared_ptr<SharedState> shared_ = std::make_shared<SharedState>();
  Turnstile turnstile_;
  CheckpointThread checkpoints_;
  CommitThread commits_;
  ReadThread reads_;
};

FileLock lock(std::filesystem::path file) {
  file += ".lock";
  try {
    return FileLock(file, FileLock::IfHeld::fail);
  } catch (const LockHeld&) {
    throw std::runtime_error("another server uses the inbox (it holds " + file.string() +
                             "): stop it, or give this one another data directory");
  }
}

SqliteStore::SqliteStore(net::Executor executor, SqliteOptions options)
    : executor_(executor),
      page_time_(options.page_time),
      only_one_(lock(options.file)),
      checkpoints_({options.file, options.vfs, options.cache_bytes}, shared_, turnstile_,
                   [this] { commits_.reopen(); }),
      commits_(executor, {options.file, options.vfs, options.cache_bytes}, shared_, turnstile_,
               {[this](std::int64_t log_pages) { checkpoints_.committed(log_pages); },
                [this] {
                  checkpoints_.close();
                  reads_.close();
                }},
               {options.batch_max, options.linger, options.queue_bytes}),
      reads_(executor, {options.file, options.vfs, options.cache_bytes}, shared_,
             {[this](EventId id, std::string reason, WallTime now) {
                commits_.submit(std::make_shared<Quarantine>(executor_, shared_, id, std::move(reason), now));
              },
              [this] { commits_.report_damage(); }}) {
  shared_->set_retention(options.retention);
  commits_.start();
  checkpoints_.start();
  reads_.start();
}

SqliteStore::~SqliteStore() {
  reads_.stop();  // may have something for the committing thread, as that has for the last one
  commits_.stop();
  checkpoints_.stop();
}

Awaitable<Result<Appended>> SqliteStore::append(NewEvent event) {
  auto operation = std::make_shared<Append>(executor_, shared_, std::move(event));
  if (!commits_.submit_if_room(operation)) co_return Error::unavailable;
  co_await completion(operation);
  co_return *operation->answer;
}

Awaitable<Result<Claimed>> SqliteStore::claim(ClaimRequest request) {
  const auto give_back = [shared = shared_](Claimed& claimed) {
    for (const DueEvent& due : claimed.events) shared->claims.drop(due.event.id);
  };
  auto work = [asked = std::move(request)](Lookups& lookups) -> Result<Claimed> {
    return lookups.claim(asked);
  };
  return read<Claimed>(std::move(work), give_back);
}

std::shared_ptr<Settle> SqliteStore::hand_in(Settlement settlement) {
  if (settlement.verdict == Settlement::Verdict::release && settlement.due_at == WallTime{}) {
    shared_->claims.drop(settlement.id);
    return nullptr;
  }
  auto operation = std::make_shared<Settle>(executor_, shared_, std::move(settlement));
  commits_.submit(operation);
  return operation;
}

Awaitable<void> SqliteStore::settle(Settlement settlement) {
  const auto operation = hand_in(std::move(settlement));
  if (operation) co_await completion(operation);
}

void SqliteStore::settle_later(Settlement settlement) {
  hand_in(std::move(settlement));
}

Awaitable<Result<EventDetail>> SqliteStore::look_up(EventId id) {
  return read<EventDetail>([id](Lookups& lookups) { return lookups.look_up(id); });
}

Awaitable<Result<Attempt>> SqliteStore::last_answer(EventId id) {
  return read<Attempt>([id](Lookups& lookups) { return lookups.last_answer(id); });
}

Awaitable<Result<Page>> SqliteStore::list(PageRequest request) {
  auto work = [asked = std::move(request), time = page_time_](Lookups& lookups) -> Result<Page> {
    return lookups.search().page(asked, time);
  };
  return read<Page>(std::move(work));
}

Awaitable<Result<std::size_t>> SqliteStore::replay(std::vector<EventId> ids, WallTime now) {
  std::size_t due = 0;
  for (std::size_t at = 0; at < ids.size(); at += ids_a_step) {
    const auto from = ids.begin() + static_cast<std::ptrdiff_t>(at);
    const auto to = ids.begin() + static_cast<std::ptrdiff_t>(std::min(at + ids_a_step, ids.size()));
    auto work = [some = std::vector<EventId>(from, to), now](Changes& changes) -> Result<std::size_t> {
      return changes.replay(some, now);
    };
    const auto done = co_await write<std::size_t>(std::move(work));
    if (!done) co_return done.error();
    due += *done;
  }
  co_return due;
}

Awaitable<Result<std::size_t>> SqliteStore::purge(Filter filter) {
  const auto shared_filter = std::make_shared<const Filter>(std::move(filter));
  EventId cursor = 0;
  std::size_t gone = 0;
  do {
    auto search = [shared_filter, cursor, time = page_time_](Lookups& lookups) -> Result<Search::Found> {
      return lookups.search().ids(*shared_filter, cursor, ids_a_step, time);
    };
    const auto found = co_await read<Search::Found>(std::move(search));
    if (!found) co_return found.error();
    const auto ids = std::make_shared<std::vector<EventId>>(found->ids);
    while (!ids->empty()) {
      auto work = [shared_filter, ids](Changes& changes) -> Result<std::size_t> {
        return changes.purge(*ids, *shared_filter);
      };
      const auto removed = co_await write<std::size_t>(std::move(work));
      if (!removed) co_return removed.error();
      gone += *removed;
    }
    cursor = found->next;
  } while (gone == 0 && cursor != 0);
  co_return gone;
}

Awaitable<Result<std::size_t>> SqliteStore::expire(WallTime now) {
  std::optional<std::pair<std::int64_t, std::string>> above(std::in_place);
  while (above) {
    auto search = [now, from = *above](Lookups& lookups) -> Result<Lookups::OldKeys> {
      return lookups.old_keys(now, from);
    };
    const auto found = co_await read<Lookups::OldKeys>(std::move(search));
    if (!found) co_return found.error();
    above = found->next;
    if (found->keys.empty()) continue;
    auto work = [keys = found->keys, now](Changes& changes) -> Result<std::size_t> {
      return changes.expire_keys(keys, now);
    };
    const auto removed = co_await write<std::size_t>(std::move(work));
    if (!removed) co_return removed.error();
  }
  auto work = [now](Changes& changes) -> Result<std::size_t> { return changes.expire(now); };
  co_return co_await write<std::size_t>(std::move(work));
}

Awaitable<Result<void>> SqliteStore::set_paused(std::string route, std::string reason) {
  auto work = [name = std::move(route), why = std::move(reason)](Changes& changes) -> Result<void> {
    changes.set_paused(name, why);
    return {};
  };
  return write<void>(std::move(work));
}

Awaitable<Result<std::vector<std::pair<std::string, std::string>>>> SqliteStore::paused() {
  using Paused = std::vector<std::pair<std::string, std::string>>;
  return read<Paused>([](Lookups& lookups) -> Result<Paused> { return lookups.paused(); });
}

Awaitable<Result<std::vector<Backlog>>> SqliteStore::backlogs() {
  return read<std::vector<Backlog>>(
      [](Lookups& lookups) -> Result<std::vector<Backlog>> { return lookups.backlogs(); });
}

}  // namespace

std::unique_ptr<Store> open_sqlite_store(net::Executor executor, SqliteOptions options) {
  return std::make_unique<SqliteStore>(executor, std::move(options));
}

}  // namespace rockdove::inbox
