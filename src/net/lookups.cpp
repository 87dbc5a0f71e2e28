#include "net/lookups.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace rockdove::net {
namespace {

/// The system's: files, DNS and whatever else it is set up to ask. Needs no loop, but Asio wants one.
Lookups::Found look_up(const std::string& host) {
  IoContext nowhere;
  using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;
  Resolver resolver(nowhere.get_executor());
  boost::system::error_code error;
  const auto found = resolver.resolve(host, "0", Resolver::numeric_service, error);
  if (error) return error;
  std::vector<Address> addresses;
  for (const auto& each : found) addresses.push_back(each.endpoint().address());
  return addresses;
}

/// Ties the threads to a loop, so that of() finds them and the loop's end lets go of them.
class Service : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;
  explicit Service(asio::execution_context& context)
      : service(context),
        lookups_(std::make_unique<Lookups>(static_cast<IoContext&>(context).get_executor(),
                                           Lookups::Options{}, &look_up)) {}
  Lookups& lookups() { return *lookups_; }

 private:
  void shutdown() override { lookups_.reset(); }
  std::unique_ptr<Lookups> lookups_;
};

}  // namespace

/// One call of the function.
struct Lookups::Job {
  const std::string host;
  std::list<Ticket*> tickets{};  // loop thread only
};

/// Where the loop and the threads meet.
struct Lookups::Shared {
  explicit Shared(Lookups& lookups, Function to_call) : function(std::move(to_call)), owner(&lookups) {}
  const Function function;
  std::mutex mutex;
  std::condition_variable news;
  std::deque<JobPtr> queue;
  std::size_t idle = 0;  // threads that wait for a job
  Lookups* owner;        // null: it is gone, and its loop may be; changed on the loop thread only
};

Lookups::Lookups(Executor executor, const Options& options, Function function)
    : executor_(std::move(executor)),
      options_(options),
      shared_(std::make_shared<Shared>(*this, std::move(function))) {}

Lookups::~Lookups() {
  for (const auto& [host, job] : jobs_)
    while (!job->tickets.empty()) job->tickets.front()->settle();
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->owner = nullptr;
    shared_->queue.clear();
  }
  shared_->news.notify_all();
}

Lookups& Lookups::of(asio::execution_context& context) {
  return asio::use_service<Service>(context).lookups();
}

Result<std::unique_ptr<Lookups::Ticket>> Lookups::find(const std::string& host,
                                                       std::function<void(const Found&)> on_found) {
  auto job = job_for(host);
  if (!job) return job.error();
  return std::unique_ptr<Ticket>(new Ticket(*this, std::move(*job), std::move(on_found)));
}

/// The lookup to wait for. One that everybody has given up is likely to be stuck (the network was another one
/// when it began), so the next to ask gets a new one, as far as the name's share of the threads goes.
Result<Lookups::JobPtr> Lookups::job_for(const std::string& host) {
  const auto [first, last] = jobs_.equal_range(host);
  for (auto each = first; each != last; ++each)
    if (!each->second->tickets.empty()) return each->second;
  const auto share = std::max<std::size_t>(options_.threads / 2, 1);
  if (static_cast<std::size_t>(std::distance(first, last)) >= share) return std::prev(last)->second;
  const auto job = std::make_shared<Job>(Job{host});
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->queue.size() >= options_.waiting) return Error::unavailable;
    shared_->queue.push_back(job);
    if (shared_->queue.size() > shared_->idle && threads_ < options_.threads) start_thread();
    if (threads_ == 0) {
      shared_->queue.pop_back();
      return Error::unavailable;
    }
  }
  shared_->news.notify_one();
  jobs_.emplace(host, job);
  return job;
}

void Lookups::start_thread() {
  try {
    std::thread([shared = shared_] { run(shared); }).detach();
    ++threads_;
  } catch (const std::system_error&) {}  // those that are there have to do
}

void Lookups::run(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  while (true) {
    ++shared->idle;
    shared->news.wait(lock, [&] { return !shared->owner || !shared->queue.empty(); });
    --shared->idle;
    if (!shared->owner) return;
    const JobPtr job = std::move(shared->queue.front());
    shared->queue.pop_front();
    lock.unlock();
    auto found = shared->function(job->host);
    lock.lock();
    if (!shared->owner) return;
    // The lock holds up the end of the loop until the answer is in its queue.
    asio::post(shared->owner->executor_, [shared, job, answer = std::move(found)] {
      if (shared->owner) shared->owner->done(job, answer);
    });
  }
}

void Lookups::done(const JobPtr& job, const Found& found) {
  forget(job);
  while (!job->tickets.empty()) {  // whoever is told may give up others
    Ticket& ticket = *job->tickets.front();
    const auto tell = std::move(ticket.on_found_);
    ticket.settle();
    tell(found);
  }
}

void Lookups::drop(Ticket& ticket) {
  const JobPtr job = ticket.job_;
  ticket.settle();
  if (!job->tickets.empty()) return;
  const std::lock_guard lock(shared_->mutex);
  const auto waits = std::ranges::find(shared_->queue, job);
  if (waits == shared_->queue.end()) return;
  shared_->queue.erase(waits);
  forget(job);
}

void Lookups::forget(const JobPtr& job) {
  const auto [first, last] = jobs_.equal_range(job->host);
  const auto found = std::find_if(first, last, [&](const auto& each) { return each.second == job; });
  if (found != last) jobs_.erase(found);
}

Lookups::Ticket::Ticket(Lookups& owner, JobPtr job, std::function<void(const Found&)> on_found)
    : owner_(&owner), job_(std::move(job)), on_found_(std::move(on_found)), work_(owner.executor_) {
  job_->tickets.push_back(this);
}

Lookups::Ticket::~Ticket() {
  if (owner_) owner_->drop(*this);
}

/// It waits no longer, whatever the reason.
void Lookups::Ticket::settle() {
  job_->tickets.remove(this);
  job_.reset();
  owner_ = nullptr;
  work_.reset();
}

}  // namespace rockdove::net
