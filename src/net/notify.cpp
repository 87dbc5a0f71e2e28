#include "net/notify.hpp"

#include "net/log.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#if defined(__linux__)
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#endif

namespace rockdove::net {
namespace {

using Microseconds = std::chrono::microseconds;

// Above that a sign of life would be as good as none, and numbers would not fit a timer.
constexpr Microseconds watchdog_max = std::chrono::hours(24);

std::optional<std::int64_t> positive_number(const std::optional<std::string>& text) {
  std::int64_t number = 0;
  if (!text) return std::nullopt;
  const char* end = text->data() + text->size();
  const auto [stopped, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc() || stopped != end || number <= 0) return std::nullopt;
  return number;
}

std::int64_t monotonic_microseconds() {
  return std::chrono::duration_cast<Microseconds>(Clock::now().time_since_epoch()).count();
}

#if defined(__linux__)
constexpr std::size_t path_max = sizeof(sockaddr_un::sun_path);

/// One datagram. 0, or errno.
int send_datagram(const std::string& socket, std::string_view message) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket.data(), socket.size());
  if (socket.front() == '@') address.sun_path[0] = '\0';  // abstract (unix(7)): the length ends it, no NUL
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket.size());
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return errno;
  const timeval limit{1, 0};  // of a manager that does not read
  int error = ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 ? 0 : errno;
  if (error == 0 && ::sendto(descriptor, message.data(), message.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address), size) < 0)
    error = errno;
  ::close(descriptor);
  return error;
}
#else
constexpr std::size_t path_max = 0;

int send_datagram(const std::string&, std::string_view) {
  return 0;
}
#endif

/// Room for the NUL that a path may end with. Other families, such as vsock, are for virtual machines.
bool is_usable(const std::string& socket) {
  return socket.size() > 1 && socket.size() < path_max && (socket[0] == '/' || socket[0] == '@');
}

}  // namespace

NotifySettings notify_settings(const Environment& environment, long process) {
  NotifySettings settings;
  const auto socket = environment("NOTIFY_SOCKET");
  if (!socket || !is_usable(*socket)) return settings;
  settings.socket = *socket;
  const auto interval = positive_number(environment("WATCHDOG_USEC"));
  const auto owner = environment("WATCHDOG_PID");
  const bool is_ours = !owner || positive_number(owner) == process;
  if (interval && is_ours) settings.watchdog = std::min(Microseconds(*interval), watchdog_max);
  return settings;
}

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nothing sets it
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
}

NotifySettings notify_settings() {
#if defined(__linux__)
  return notify_settings(process_environment(), ::getpid());
#else
  return {};
#endif
}

Notifier::Notifier(Executor executor, NotifySettings settings)
    : settings_(std::move(settings)), timer_(executor) {}

void Notifier::ready(std::string_view status) {
  send("READY=1\nSTATUS=" + std::string(status) + "\n");
}

void Notifier::reloading() {
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_microseconds()) + "\n");
}

void Notifier::stopping() {
  send("STOPPING=1\nSTATUS=Stopping: requests under way may end\n");
}

Awaitable<void> Notifier::beat() {
  if (settings_.watchdog == Duration::zero()) co_return;
  while (!stopped_) {
    send("WATCHDOG=1\n");
    timer_.expires_after(settings_.watchdog / 2);
    co_await timer_.async_wait(token);
  }
}

void Notifier::stop() {
  stopped_ = true;
  timer_.cancel();
}

void Notifier::send(std::string_view message) {
  if (settings_.socket.empty()) return;
  const int error = send_datagram(settings_.socket, message);
  if (error == 0 || std::exchange(has_failed_, true)) return;
  log::warn("net", "the service manager cannot be told how we are: {}",
            std::generic_category().message(error));
}

}  // namespace rockdove::net
