// From figures to states: the doctor's thresholds, without any measuring.
#pragma once

#include "doctor/finding.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace rockdove::doctor {

/// dns.slow from 1 s on: a reconnection waits for it.
Id judge_lookup(std::chrono::microseconds took);

/// The difference of two clocks, either way: 10 s is seen by people who compare logs, and from 5 min on
/// senders' signatures count as too old.
Id judge_skew(std::chrono::milliseconds difference);

/// The mode of a file with secrets, or of a directory of them: files.open, files.group or files.private.
/// `is_lent`: it is root's, and its group another than root's, so that the group is the service that root
/// lets read it (docs/install.md).
Id judge_mode(unsigned mode, bool is_lent);

/// Of a certificate: warn in its last 14 days, fail behind its end.
State judge_days(std::int64_t days_left);

/// Of a path that keeps a silence of `held` and cuts one of `cut`: idle.short if not even twice the time in
/// which links speak (5 s) is certain.
Id judge_idle(std::chrono::seconds held);

/// The middle and the 99th of a hundred, of at least one time.
struct Percentiles {
  std::chrono::microseconds median, p99;
};
Percentiles percentiles(std::vector<std::chrono::microseconds> times);

/// Of writing 4 KiB to the disk: slow above 10 ms at the 99th percentile, very slow above 100 ms.
Id judge_fsync(const Percentiles& times);

/// Low with less than 5 % and less than 1 GiB left, as /health has it; full with less than 100 MiB.
Id judge_disk(std::uint64_t size, std::uint64_t available);

/// Descriptors that this process may open, against those that the configuration may want.
Id judge_descriptors(std::uint64_t limit, std::uint64_t wanted);

/// 2026-01-01 is in the past of every copy of this program.
bool is_possible(std::chrono::system_clock::time_point now);

}  // namespace rockdove::doctor
