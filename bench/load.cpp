// Sends webhooks of 2 KiB to 127.0.0.1, at a fixed rate or so many of them.
//
//   bench_load PORT PATH CONNECTIONS rate PER_SECOND SECONDS
//   bench_load PORT PATH CONNECTIONS count EVENTS
//
// At a fixed rate the clock decides when a request is due, not the answer before it, and its latency counts
// from then on: a server that stands still for a second is a second late for all that was due meanwhile. A
// request for which no connection is free waits for one, and the wait is part of its latency.
#include "result.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>

namespace {

constexpr std::size_t body_bytes = 2048;

struct Connection {
  int socket = -1;
  bool busy = false;
  Clock::time_point due{};
  std::string received;
};

struct Plan {
  std::uint64_t events = 0;         // to send in all
  std::chrono::nanoseconds gap{0};  // between two of them; 0: as fast as answers come
};

int connect_to(int port) {
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (made < 0 || connect(made, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  const int on = 1;
  setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return made;
}

std::string make_request(const char* path) {
  std::string body = R"({"event":"payment.succeeded","id":"evt_0123456789abcdef","data":")";
  body.append(body_bytes - body.size() - 2, 'd').append("\"}");
  return std::string("POST ") + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// The status of a whole answer at the start of `text`, 0 if it is not whole yet, -1 if it is not understood.
int take_answer(std::string& text) {
  const auto end = text.find("\r\n\r\n");
  if (end == std::string::npos) return 0;
  const auto field = text.find("\r\nContent-Length: ");
  if (field == std::string::npos || field > end) return -1;
  const auto size = end + 4 + std::strtoull(text.c_str() + field + 18, nullptr, 10);
  if (text.size() < size) return 0;
  const int status = std::atoi(text.c_str() + 9);
  text.erase(0, size);
  return status;
}

class Load {
 public:
  Load(int port, const char* path, std::size_t connections, Plan plan)
      : plan_(plan), request_(make_request(path)), connections_(connections), polls_(connections) {
    for (std::size_t i = 0; i < connections; ++i) {
      connections_[i].socket = connect_to(port);
      polls_[i] = pollfd{connections_[i].socket, POLLIN, 0};
    }
  }

  int run() {
    const auto begin = Clock::now();
    while (answered_ < plan_.events) {
      const auto now = Clock::now();
      while (made_ < plan_.events && is_due(begin, now)) {
        queue_.push_back(plan_.gap.count() > 0 ? begin + plan_.gap * static_cast<std::int64_t>(made_) : now);
        ++made_;
      }
      for (auto& each : connections_)
        if (!each.busy && !queue_.empty() && !send_on(each)) return 1;
      if (!wait_for_answers(begin)) return 1;
    }
    latencies_.print(Clock::now() - begin, not_2xx_, 0);
    return 0;
  }

 private:
  bool is_due(Clock::time_point begin, Clock::time_point now) const {
    if (plan_.gap.count() == 0) return queue_.size() < connections_.size();
    return begin + plan_.gap * static_cast<std::int64_t>(made_) <= now;
  }

  bool send_on(Connection& connection) {
    // The request fits into an empty socket buffer.
    if (send(connection.socket, request_.data(), request_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request_.size()))
      return std::perror("send"), false;
    connection.due = queue_.front();
    queue_.pop_front();
    connection.busy = true;
    return true;
  }

  bool wait_for_answers(Clock::time_point begin) {
    timespec patience{10, 0};
    if (plan_.gap.count() > 0 && made_ < plan_.events) {
      const auto next = begin + plan_.gap * static_cast<std::int64_t>(made_) - Clock::now();
      const auto left = std::max<long long>(0, std::chrono::nanoseconds(next).count());
      patience = {left / 1'000'000'000, left % 1'000'000'000};
    }
    const int ready = ppoll(polls_.data(), polls_.size(), &patience, nullptr);
    if (ready < 0) return std::perror("ppoll"), false;
    if (ready == 0 && made_ == plan_.events) return std::fprintf(stderr, "no answer for 10 s\n"), false;
    for (std::size_t i = 0; ready > 0 && i < polls_.size(); ++i)
      if (polls_[i].revents != 0 && !read_from(connections_[i])) return false;
    return true;
  }

  bool read_from(Connection& connection) {
    char buffer[16 * 1024];
    const auto size = recv(connection.socket, buffer, sizeof buffer, 0);
    if (size <= 0) return std::fprintf(stderr, "a connection ended\n"), false;
    connection.received.append(buffer, static_cast<std::size_t>(size));
    const int status = take_answer(connection.received);
    if (status < 0) return std::fprintf(stderr, "an answer without Content-Length\n"), false;
    if (status == 0) return true;
    latencies_.add(Clock::now() - connection.due);
    not_2xx_ += status / 100 != 2;
    ++answered_;
    connection.busy = false;
    return true;
  }

  const Plan plan_;
  const std::string request_;
  std::vector<Connection> connections_;
  std::vector<pollfd> polls_;
  std::deque<Clock::time_point> queue_;  // when those that wait for a connection were due
  Latencies latencies_;
  std::uint64_t made_ = 0, answered_ = 0, not_2xx_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  if (argc == 7 && std::strcmp(argv[4], "rate") == 0) {
    const auto rate = std::strtoull(argv[5], nullptr, 10);
    plan.events = rate * std::strtoull(argv[6], nullptr, 10);
    if (rate > 0) plan.gap = std::chrono::nanoseconds(1'000'000'000 / rate);
  } else if (argc == 6 && std::strcmp(argv[4], "count") == 0) {
    plan.events = std::strtoull(argv[5], nullptr, 10);
  }
  if (plan.events == 0)
    return std::fprintf(stderr, "usage: %s PORT PATH CONNECTIONS rate N SECONDS | count N\n", argv[0]), 2;
  Load load(std::atoi(argv[1]), argv[2], std::strtoull(argv[3], nullptr, 10), plan);
  return load.run();
}
