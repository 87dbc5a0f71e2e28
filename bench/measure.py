"""One measurement: wrk against one endpoint, and what the processes behind it used meanwhile."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

LUA = Path(__file__).with_name("wrk.lua")
TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Test:
    name: str
    path: str
    connections: int
    post: bool = False


TESTS = [
    Test("get-c1", "/ok", 1),
    Test("get-c16", "/ok", 16),
    Test("get-c64", "/ok", 64),
    Test("get-c256", "/ok", 256),
    Test("post2k-c64", "/hook", 64, post=True),
    Test("get1m-c8", "/1m.txt", 8),
]


@dataclass
class Sample:
    """One round of one contender in one test."""

    rps: float
    p50_us: float
    p99_us: float
    cpu_us_per_req: float
    rss_mib: float

    @property
    def p99_ms(self):
        return self.p99_us / 1000


class MeasurementFailed(Exception):
    """The contender answered wrongly or not at all: a figure would mean nothing."""


def measure(endpoint, test, seconds):
    return sample_of(endpoint.processes, lambda: run_wrk(endpoint.url + test.path, test, seconds))


def sample_of(processes, run):
    """Calls `run`, which returns a result line's values, and adds what the processes used meanwhile."""
    before = cpu_us(processes)
    result = run()
    pids = with_children(processes)
    used = cpu_us(processes) - before
    requests = result["requests"]
    return Sample(
        rps=requests / result["seconds"],
        p50_us=result["p50_us"],
        p99_us=result["p99_us"],
        cpu_us_per_req=used / requests,
        rss_mib=max(rss_mib(pid) for pid in pids),
    )


def run_wrk(url, test, seconds):
    """wrk's result line; MeasurementFailed if a single answer was not 2xx or a socket failed."""
    command = ["wrk", "-t1", f"-c{test.connections}", f"-d{seconds}s", "--timeout", "10s"]
    command += ["-s", str(LUA), url]
    if test.post:
        command += ["--", "post2k"]
    return run_generator(command, seconds + 60)


def run_generator(command, patience):
    """The result line of wrk or of one of the programs beside this file."""
    run = subprocess.run(command, capture_output=True, text=True, timeout=patience, check=False)
    lines = [line for line in run.stdout.splitlines() if line.startswith("RESULT ")]
    if run.returncode != 0 or not lines:
        raise MeasurementFailed(f"{Path(command[0]).name}: {(run.stderr or run.stdout).strip()[-200:]}")
    result = json.loads(lines[-1][len("RESULT "):])
    wrong = {key: result[key] for key in ("not_2xx", "connect", "read", "write", "timeout") if result[key]}
    if wrong or not result["requests"]:
        raise MeasurementFailed(f"of {result['requests']} requests: {wrong or 'none was answered'}")
    return result


def with_children(processes):
    """The process ids of `processes` and all that descends from them (nginx works in a child)."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = stat_fields(int(entry.name))
            if fields:
                parents[int(entry.name)] = int(fields[1])
    found = {process.pid for process in processes}
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return sorted(found)
        found |= more


def stat_fields(pid):
    """/proc/PID/stat from the third field on; the second one may hold spaces."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def cpu_us(processes):
    """User and system time the processes have used so far, children that live included."""
    total = 0
    for pid in with_children(processes):
        fields = stat_fields(pid)
        if not fields or fields[0] == "Z":
            raise MeasurementFailed(f"process {pid} has ended")
        total += int(fields[11]) + int(fields[12])
    return total * TICK_US


def rss_mib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
