// Addresses of names, by the system's lookup, which blocks: on threads of our own.
#pragma once

#include "net/asio.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rockdove::net {

/// A few threads that look names up, so that one name whose servers are silent (10 s and more each time) does
/// not hold up the others. A lookup can be given up but not interrupted: its thread stays in it, and nobody
/// waits for that, the end of the process neither. Loop thread only, but for what the threads do inside.
class Lookups {
 public:
  using Found = Result<std::vector<Address>>;
  /// Called on a thread of ours, several at a time; may block. Must not throw, nor refer to what may go away.
  using Function = std::function<Found(const std::string& host)>;
  struct Options {
    std::size_t threads = 4;    ///< made when they are needed; a name has half of them at most, at least one
    std::size_t waiting = 256;  ///< names that wait for a thread
  };

  Lookups(Executor executor, const Options& options, Function function);
  ~Lookups();
  Lookups(const Lookups&) = delete;
  Lookups& operator=(const Lookups&) = delete;

  /// Those of the loop that `context` runs, with the system's lookup; made at first use.
  static Lookups& of(asio::execution_context& context);

  class Ticket;
  /// Calls `on_found` later, once, unless the ticket is destroyed before. Who asks for a name that somebody
  /// else waits for gets the same answer. Error::unavailable if too many names wait for a thread.
  Result<std::unique_ptr<Ticket>> find(const std::string& host, std::function<void(const Found&)> on_found);

 private:
  struct Job;
  struct Shared;
  using JobPtr = std::shared_ptr<Job>;

  Result<JobPtr> job_for(const std::string& host);
  void drop(Ticket& ticket);
  void done(const JobPtr& job, const Found& found);
  void forget(const JobPtr& job);
  void start_thread();
  static void run(const std::shared_ptr<Shared>& shared);

  const Executor executor_;
  const Options options_;
  const std::shared_ptr<Shared> shared_;     // with the threads, which may outlive us
  std::multimap<std::string, JobPtr> jobs_;  // waiting for a thread or on one
  std::size_t threads_ = 0;
};

/// Somebody's wait for a name. Destroying it gives the wait up. It keeps the loop running.
class Lookups::Ticket {
 public:
  ~Ticket();
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;

 private:
  friend Lookups;
  Ticket(Lookups& owner, JobPtr job, std::function<void(const Found&)> on_found);
  void settle();
  Lookups* owner_;  // null: settled
  JobPtr job_;
  std::function<void(const Found&)> on_found_;
  std::optional<asio::executor_work_guard<Executor>> work_;
};

}  // namespace rockdove::net
