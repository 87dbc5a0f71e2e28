#include "net/inherited.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#if defined(__linux__)
#include <fcntl.h>
#include <unistd.h>
#endif

namespace rockdove::net {
namespace {

constexpr int first_socket = 3;  // SD_LISTEN_FDS_START
constexpr long sockets_max = 64;

/// 0 for what is no number.
long number(const std::optional<std::string>& text) {
  long value = 0;
  if (!text) return 0;
  const char* end = text->data() + text->size();
  const auto [stopped, error] = std::from_chars(text->data(), end, value);
  return error == std::errc() && stopped == end ? value : 0;
}

std::string list(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

}  // namespace

InheritedSockets inherited_sockets(const Environment& environment, long process,
                                   std::span<const std::string_view> names) {
  InheritedSockets sockets;
  if (number(environment("LISTEN_PID")) != process) return sockets;
  const long count = number(environment("LISTEN_FDS"));
  if (count > sockets_max) throw std::runtime_error("LISTEN_FDS: too many sockets");
  std::string rest = environment("LISTEN_FDNAMES").value_or("");
  for (int socket = first_socket; socket < first_socket + count; ++socket) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string name = rest.substr(0, end);
    rest.erase(0, end + 1);
    if (std::ranges::find(names, name) == names.end())
      throw std::runtime_error("a socket that systemd hands over is called \"" + name +
                               "\": set FileDescriptorName= in its unit to one of " + list(names));
    if (!sockets.emplace(name, socket).second)
      throw std::runtime_error("systemd hands over two sockets called \"" + name + "\": one can be used");
  }
  return sockets;
}

InheritedSockets inherited_sockets(std::span<const std::string_view> names) {
#if defined(__linux__)
  InheritedSockets sockets = inherited_sockets(process_environment(), ::getpid(), names);
  for (const auto& [name, socket] : sockets) ::fcntl(socket, F_SETFD, FD_CLOEXEC);
  return sockets;
#else
  static_cast<void>(names);
  return {};
#endif
}

}  // namespace rockdove::net
