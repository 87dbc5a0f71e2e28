// The least that durability costs here: records of 2 KiB go to the end of a growing file, and a batch of them
// is safe when fdatasync returns. No HTTP, no database, no index, no second thread: whoever acknowledges
// events by this disk cannot be faster with batches of that size.
//
//   bench_append_file FILE WAITING BATCH SECONDS
//
// WAITING records are outstanding at any time, as with so many connections: when a batch is safe, as many new
// ones arrive. A record's latency is from its arrival to the end of its fdatasync.
#include "result.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <string>

namespace {

constexpr std::size_t record_bytes = 2048;

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return std::fprintf(stderr, "usage: %s FILE WAITING BATCH SECONDS\n", argv[0]), 2;
  const int file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return std::perror(argv[1]), 1;
  const auto begin = Clock::now();
  const auto batch_max = static_cast<std::size_t>(std::max(1, std::atoi(argv[3])));
  const auto end = begin + std::chrono::seconds(std::atoi(argv[4]));
  std::deque<Clock::time_point> waiting(static_cast<std::size_t>(std::atoi(argv[2])), begin);
  const std::string records(record_bytes * batch_max, 'r');
  Latencies latencies;
  while (Clock::now() < end && !waiting.empty()) {
    const auto batch = std::min(batch_max, waiting.size());
    const auto bytes = batch * record_bytes;
    if (write(file, records.data(), bytes) != static_cast<ssize_t>(bytes)) return std::perror("write"), 1;
    if (fdatasync(file) != 0) return std::perror("fdatasync"), 1;
    const auto now = Clock::now();
    for (std::size_t i = 0; i < batch; ++i) {
      latencies.add(now - waiting.front());
      waiting.pop_front();
      waiting.push_back(now);
    }
  }
  const auto ran = Clock::now() - begin;
  close(file);
  unlink(argv[1]);
  latencies.print(ran, 0, 0);
}
