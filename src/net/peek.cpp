#include "net/peek.hpp"

#ifdef __linux__
#include <linux/sockios.h>
#include <sys/ioctl.h>
#endif

namespace rockdove::net {

bool is_readable(TcpSocket& socket) {
  boost::system::error_code error;
  if (!socket.non_blocking()) socket.non_blocking(true, error);
  if (error) return true;
  char byte = 0;
  socket.receive(asio::buffer(&byte, 1), TcpSocket::message_peek, error);
  return error != asio::error::would_block && error != asio::error::try_again;
}

std::size_t unacknowledged(TcpSocket& socket) {
#ifdef __linux__
  int count = 0;
  if (::ioctl(socket.native_handle(), SIOCOUTQ, &count) == 0 && count > 0)
    return static_cast<std::size_t>(count);
#endif
  return 0;
}

}  // namespace rockdove::net
