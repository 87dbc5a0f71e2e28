// Publishes records of 2 KiB to a JetStream stream with WAITING of them outstanding, over one connection, and
// waits for each one's acknowledgement: what a caller of a webhook inbox does. Speaks the client protocol of
// nats-server itself, which is lines of text.
//
//   bench_nats_publish PORT WAITING SECONDS
#include "result.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr std::size_t record_bytes = 2048;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

class Client {
 public:
  explicit Client(int port) {
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("cannot connect");
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    read_line();  // INFO
    out_ = "CONNECT {\"verbose\":false}\r\nSUB reply.* 1\r\n";
  }
  ~Client() { close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void publish(const std::string& subject, std::size_t slot, const std::string& payload) {
    out_ +=
        "PUB " + subject + " reply." + std::to_string(slot) + " " + std::to_string(payload.size()) + "\r\n";
    out_ += payload;
    out_ += "\r\n";
  }

  void flush() {
    for (std::size_t sent = 0; sent < out_.size();) {
      const auto size = send(socket_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
      if (size <= 0) fail("the connection is gone");
      sent += static_cast<std::size_t>(size);
    }
    out_.clear();
  }

  bool has_line() const { return in_.find("\r\n") != std::string::npos; }

  // The slot that the next message answers, and the message.
  std::size_t reply(std::string& payload) {
    for (;;) {
      const auto line = read_line();
      if (line.starts_with("PING")) {
        out_ += "PONG\r\n";
        flush();
      } else if (line.starts_with("MSG reply.")) {
        const auto size = std::strtoull(line.c_str() + line.rfind(' '), nullptr, 10);
        while (in_.size() < size + 2) fill();
        payload = in_.substr(0, size);
        in_.erase(0, size + 2);
        return std::strtoull(line.c_str() + 10, nullptr, 10);
      } else {
        fail("nats-server: " + line);
      }
    }
  }

 private:
  std::string read_line() {
    std::size_t end;
    while ((end = in_.find("\r\n")) == std::string::npos) fill();
    auto line = in_.substr(0, end);
    in_.erase(0, end + 2);
    return line;
  }

  void fill() {
    char buffer[64 * 1024];
    const auto size = recv(socket_, buffer, sizeof buffer, 0);
    if (size <= 0) fail("the connection is gone");
    in_.append(buffer, static_cast<std::size_t>(size));
  }

  int socket_ = -1;
  std::string in_, out_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail("usage: bench_nats_publish PORT WAITING SECONDS");
  Client client(std::atoi(argv[1]));
  const auto slots = std::strtoull(argv[2], nullptr, 10);
  std::string answer;
  client.publish("$JS.API.STREAM.CREATE.EVENTS", 0,
                 R"({"name":"EVENTS","subjects":["events"],"storage":"file","retention":"limits"})");
  client.flush();
  client.reply(answer);
  if (answer.find("\"error\"") != std::string::npos && answer.find("already in use") == std::string::npos)
    fail(answer);

  const std::string record(record_bytes, 'r');
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::seconds(std::atoi(argv[3]));
  std::vector<Clock::time_point> sent(slots, begin);
  for (std::size_t slot = 0; slot < slots; ++slot) client.publish("events", slot, record);
  client.flush();
  Latencies latencies;
  std::uint64_t refused = 0;
  while (Clock::now() < end) {
    do {
      const auto slot = client.reply(answer);
      refused += answer.find("\"seq\"") == std::string::npos;
      const auto now = Clock::now();
      latencies.add(now - sent.at(slot));
      sent[slot] = now;
      client.publish("events", slot, record);
    } while (client.has_line());
    client.flush();
  }
  latencies.print(Clock::now() - begin, refused, 0);
}
