// Listening sockets that a service manager has opened for us: sd_listen_fds(3), without its library. They
// outlive the process, so that connections wait during a restart instead of being refused.
#pragma once

#include "net/notify.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>

namespace rockdove::net {

/// Descriptors by their names (FileDescriptorName= of systemd.socket(5)).
using InheritedSockets = std::map<std::string, int>;

/// Reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES. Empty if they are not set, or meant for another process
/// than `process`. Throws std::runtime_error if a name is none of `names`, or comes twice: who has given us a
/// socket would wait in vain for us to use it.
InheritedSockets inherited_sockets(const Environment& environment, long process,
                                   std::span<const std::string_view> names);

/// The same of this process; programs that we start do not get them. Empty on systems without service
/// managers of that kind.
InheritedSockets inherited_sockets(std::span<const std::string_view> names);

}  // namespace rockdove::net
