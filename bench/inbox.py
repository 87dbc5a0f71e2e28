"""Measures the inbox: what a caller waits for its acknowledgement, and how fast a backlog goes out.

    ./dev bench inbox [--quick] [--only NAME,...] [--json FILE]
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import contenders
from contenders import Endpoint, RockdoveServer, Unavailable, free_port
from measure import MeasurementFailed, Sample, Test, measure, run_generator, sample_of
from report import paired, table, verdict

ROUNDS = 3
BATCH_MAX = 64  # events a commit, at most
POSTS = [Test(f"post2k-c{number}", "/hook", number, post=True) for number in (1, 64, 256)]
RATE = Test("post2k-1000/s", "/hook", 64, post=True)  # 64 connections at most
DRAIN = Test("drain", "/hook", 64, post=True)
LIVE_P99 = Test("live-200/s", "/ok", 16, post=True)
PENDING = ("waiting", "queued")
NAMES = ["rockdove-inbox", "append-equal", "append-file", "nats-jetstream", "rockdove-live"]

# One route stores, the other one does not; the lanes of a backlog are as many as the callers it is compared with.
ROUTES = """
[inbox]
bytes_max = "64GiB"

[[route]]
name = "inbox"
path = "/hook"
mode = "inbox"
concurrency = 64

[[route]]
name = "live"
mode = "live"
"""

# As report.BARS.
BARS = [
    ("acknowledged at c256", "rockdove-inbox", "post2k-c256", "rps", "rockdove-live", ">=", 0.5),
    ("acknowledged at c256", "rockdove-inbox", "post2k-c256", "rps", "append-equal", ">=", 0.25),
    ("p99 at c256, ms", "rockdove-inbox", "post2k-c256", "p99_ms", None, "<=", 50.0),
    ("p99 at 1000/s, ms", "rockdove-inbox", RATE.name, "p99_ms", None, "<=", 20.0),
    ("backlog going out", "rockdove-inbox", DRAIN.name, "rps", "rockdove-live", ">=", 0.5),
    ("live p99 while it does", "during the drain", LIVE_P99.name, "p99_us", "before the drain", "<=", 2.0),
]


def main(machine):
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="rockdove-bench-", dir=options.folder) as folder:
        bench = Bench(options, contenders.Stage(folder))
        try:
            bench.run()
        except KeyboardInterrupt:
            print("\ninterrupted", file=sys.stderr)
            return 130
        finally:
            bench.stage.end()
    rows = bench.rows()
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=2) + "\n")
    print(machine(options), end="\n\n")
    print(table(rows, bench.failures, bench.absent, [*POSTS, RATE, DRAIN, LIVE_P99]), end="\n\n")
    text, missed = verdict(bench.samples, BARS)
    print(text)
    return 1 if bench.failures or bench.absent or missed else 0


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench inbox", description="The inbox beside its yardsticks.")
    parser.add_argument("what", choices=["inbox"])
    parser.add_argument("--binary", default="build/release/rockdove", help="default: %(default)s")
    parser.add_argument("--tools", default="build/release/bench", help="folder of the load generators")
    parser.add_argument("--folder", help="where the stores are: it decides which disk is measured (default: TMPDIR)")
    parser.add_argument("--json", metavar="FILE", help="write the rows there as well")
    parser.add_argument("--quick", action="store_true", help="2 s instead of 5 s each, a backlog of 20,000")
    parser.add_argument("--only", default=",".join(NAMES), metavar="NAME,...", help=", ".join(NAMES))
    options = parser.parse_args()
    if wrong := set(options.only.split(",")) - set(NAMES):
        parser.error(f"{', '.join(sorted(wrong))}: known are {', '.join(NAMES)}")
    options.tools = Path(options.tools).resolve()
    return options


class Bench:
    def __init__(self, options, stage):
        self.options, self.stage = options, stage
        self.seconds = 2 if options.quick else 5
        self.backlog = 20_000 if options.quick else 100_000
        self.samples, self.failures, self.absent = {}, {}, {}
        self.batches = {}  # the inbox's events a commit, of the last round
        self.servers = 0
        self.upstream = contenders.Direct(stage)

    def run(self):
        measures = {"rockdove-inbox": self.inbox, "append-equal": self.append_equal, "append-file": self.append_file,
                    "nats-jetstream": self.nats, "rockdove-live": self.live}  # fmt: skip
        chosen = {name: run for name, run in measures.items() if name in self.options.only.split(",")}
        for _ in range(ROUNDS):
            for test in [*POSTS, RATE]:
                for name, run in chosen.items():
                    if test is not RATE or name.startswith("rockdove"):
                        self.note(name, test, run)
            if "rockdove-inbox" in chosen:
                self.drain()

    def note(self, name, test, run):
        """One measurement, if that contender can do it."""
        if name in self.absent or (name, test.name) in self.failures:
            return
        try:
            self.add(name, test, run(test))
        except Unavailable as reason:
            self.absent[name] = str(reason)
        except (MeasurementFailed, subprocess.TimeoutExpired) as reason:
            self.failures[(name, test.name)] = str(reason)
        else:
            return
        print(f"!!! {name} failed {test.name}: {reason}", file=sys.stderr, flush=True)

    def add(self, name, test, sample):
        self.samples.setdefault((name, test.name), []).append(sample)
        print(f"{test.name:14} {name:16} {sample.rps:9.0f} events/s  p99 {sample.p99_ms:8.2f} ms",
              file=sys.stderr, flush=True)  # fmt: skip

    def tool(self, name, *arguments, patience=60):
        path = self.options.tools / f"bench_{name}"
        if not path.exists():
            raise Unavailable(f"{path} does not exist: ./dev bench builds it")
        return run_generator([str(path), *map(str, arguments)], patience)

    def append_file(self, test, batch=BATCH_MAX):
        return plain(self.tool("append_file", self.stage.folder / "appended", test.connections, batch, self.seconds))

    def append_equal(self, test):
        """As many records a batch as the inbox has just had events a commit."""
        if test.name not in self.batches:
            raise Unavailable("rockdove-inbox was not measured before")
        return self.append_file(test, round(self.batches[test.name]))

    def nats(self, test):
        """A server and a store of its own for each measurement, as rockdove has."""
        port, folder = free_port(), self.stage.folder / f"nats-{test.name}"
        command = ["nats-server", "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder)]
        try:
            process = self.stage.start("nats", command)
        except OSError as reason:
            raise Unavailable("nats-server is not installed") from reason
        try:
            self.stage.wait_until(lambda: "Server is ready" in self.stage.log_tail("nats"), process)
            publish = "nats_publish", port, test.connections, self.seconds
            return sample_of([process], lambda: self.tool(*publish))
        finally:
            self.stage.end_one(process)
            subprocess.run(["rm", "-rf", str(folder)], check=True)

    def server(self):
        """A server with an empty store."""
        self.servers += 1
        return RockdoveServer(self.stage, f"rockdove-{self.servers}", self.options.binary, False, ROUTES)

    def live(self, test):
        server = self.server()
        try:
            server.start_agent(self.upstream.url)
            return self.posts(server, Test(test.name, "/ok", test.connections, post=True))
        finally:
            server.end()

    def inbox(self, test):
        server = self.server()
        try:
            sample = self.posts(server, test)
            stats = server.stats()["inbox"]
            self.batches[test.name] = sum(each["events"] for each in stats["events"]) / stats["commits"]["count"]
            return sample
        finally:
            server.end()

    def posts(self, server, test):
        """After a second that is not counted."""
        endpoint = Endpoint(server.url, server.processes)
        measure(endpoint, Test("warm", test.path, test.connections, post=True), 1)
        if test.name != RATE.name:
            return measure(endpoint, test, self.seconds)
        return sample_of(server.processes, lambda: self.rate(server, test, 1000, self.seconds))

    def rate(self, server, test, rate, seconds):
        port = server.url.rpartition(":")[2]
        return self.tool("load", port, test.path, test.connections, "rate", rate, seconds, patience=seconds + 60)

    def drain(self):
        """A backlog from an office that was closed, and what live callers notice of its going out."""
        server = self.server()
        try:
            agent = server.start_agent(self.upstream.url)
            self.posts(server, Test("warm", "/ok", 64, post=True))
            self.note("rockdove-live", DRAIN, lambda test: self.posts(server, Test(test.name, "/ok", 64, post=True)))
            seconds = max(1, self.backlog // 12_000)  # as long as the drain takes
            self.note("before the drain", LIVE_P99, lambda test: plain(self.rate(server, test, 200, seconds)))
            self.stage.end_one(agent)
            server.processes.remove(agent)
            port = server.url.rpartition(":")[2]
            self.tool("load", port, "/hook", 64, "count", self.backlog, patience=600)
            if (stored := depth(server)) != self.backlog:
                raise MeasurementFailed(f"{stored} of {self.backlog} are stored")
            self.note("rockdove-inbox", DRAIN, lambda _: self.watch(server, seconds))
        except (MeasurementFailed, Unavailable, subprocess.TimeoutExpired) as reason:
            self.failures[("rockdove-inbox", DRAIN.name)] = str(reason)
        finally:
            server.end()

    def watch(self, server, seconds):
        """From the agent's coming to the last event; live callers are there from the beginning."""
        load = [str(self.options.tools / "bench_load"), server.url.rpartition(":")[2], LIVE_P99.path,
                str(LIVE_P99.connections), "rate", "200", str(seconds)]  # fmt: skip
        server.start_agent(self.upstream.url)
        begin = time.monotonic()
        beside = subprocess.Popen(load, stdout=subprocess.PIPE, text=True)
        try:
            while (left := depth(server)) > 0:
                took = time.monotonic() - begin
                if took > 300:
                    raise MeasurementFailed(f"{left} events are left after 300 s")
                # To ask takes a processor away from what is measured: seldom, as long as the end is far.
                time.sleep(min(max(took * left / (self.backlog - left + 1) / 2, 0.02), 0.5))
            took = time.monotonic() - begin
            said, _ = beside.communicate(timeout=60)
        finally:
            beside.kill()
            beside.wait()
        if beside.returncode != 0 or not said.startswith("RESULT "):
            raise MeasurementFailed("live callers failed during the drain")
        self.add("during the drain", LIVE_P99, plain(json.loads(said.removeprefix("RESULT "))))
        return Sample(self.backlog / took, 0, 0, 0, 0)

    def rows(self):
        """One row per contender and test, as bench.summarise(); `ratio` is to the live path."""
        rows = []
        for (name, test), found in self.samples.items():
            yardstick = self.samples.get(("rockdove-live", test))
            whole = yardstick is not None and len(yardstick) == len(found)
            fields = {field: statistics.median(getattr(each, field) for each in found)
                      for field in ("rps", "p50_us", "p99_us", "cpu_us_per_req")}  # fmt: skip
            rows.append({"name": name, "test": test, **{field: round(value, 2) for field, value in fields.items()},
                         "rss_mib": round(max(each.rss_mib for each in found), 1),
                         "ratio": round(paired(found, yardstick, "rps"), 3) if whole else None,
                         "note": self.remark(name, test)})  # fmt: skip
        return rows

    def remark(self, name, test):
        if name == "nats-jetstream":
            return "answers before fsync"
        return f"{self.batches[test]:.0f} a batch" if name == "append-equal" else ""


def plain(result):
    """A sample of which only the callers' side is known."""
    return Sample(result["requests"] / result["seconds"], result["p50_us"], result["p99_us"], 0, 0)


def depth(server):
    """Events that have not ended."""
    return sum(each["events"] for each in server.stats()["inbox"]["events"] if each["status"] in PENDING)
