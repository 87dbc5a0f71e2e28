// What a service manager that started us wants to hear: sd_notify(3), without its library.
#pragma once

#include "net/asio.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rockdove::net {

/// What a service manager has said in the environment.
struct NotifySettings {
  std::string socket;                    ///< a path, or '@' and an abstract name; empty: nobody listens
  Duration watchdog = Duration::zero();  ///< longest time between two signs of life; zero: none are wanted

  bool operator==(const NotifySettings&) const = default;
};

/// The value of a variable of the environment; nothing if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string&)>;

/// This process's own.
Environment process_environment();

/// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID (sd_notify(3), sd_watchdog_enabled(3)). A variable
/// that cannot be used counts as not set: the manager's mistakes must not keep a service from running.
/// `process` is our id; a watchdog that is meant for another process is not ours.
NotifySettings notify_settings(const Environment& environment, long process);

/// The same of this process. Nothing on systems without service managers of that kind.
NotifySettings notify_settings();

/// Tells a service manager how we are. Without one, and on other systems than Linux, every call does nothing.
/// A message that cannot be sent is a line in the log, once. Loop thread only; each message takes at most a
/// second.
class Notifier {
 public:
  Notifier(Executor executor, NotifySettings settings);

  /// READY=1: started, or done with reading the configuration again. `status` is one line for people, as
  /// `systemctl status` shows it.
  void ready(std::string_view status);
  /// RELOADING=1; ready() has to follow.
  void reloading();
  /// STOPPING=1: the end has begun, and may take as long as it has to.
  void stopping();

  /// WATCHDOG=1, twice in each of the intervals that the manager wants, until stop() or cancellation. Returns
  /// at once if it wants none. That the loop comes round to it is the sign of life.
  Awaitable<void> beat();
  void stop();

 private:
  void send(std::string_view message);

  const NotifySettings settings_;
  Timer timer_;
  bool stopped_ = false;
  bool has_failed_ = false;
};

}  // namespace rockdove::net
