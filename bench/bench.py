#!/usr/bin/python3
"""Measures rockdove beside its yardsticks, all in one run. docs/benchmarks.md has the method.

    ./dev bench [live] [--quick] [--only NAME,...] [--tests NAME,...] [--json FILE]
    ./dev bench inbox [--quick] [--only NAME,...] [--json FILE]
    ./dev bench providers [--quick] [--only NAME,...] [--json FILE]
"""

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import contenders
import inbox
import providers
from measure import TESTS, MeasurementFailed, measure
from report import paired, table, verdict

ROUNDS = 3
YARDSTICK = "nginx-two-hops"
LOAD_BEFORE = os.getloadavg()[0]  # well above 0: somebody else was using the machine


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if "inbox" in sys.argv[1:]:
        return inbox.main(machine)
    if "providers" in sys.argv[1:]:
        return providers.main(machine)
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="rockdove-bench-") as folder:
        stage = contenders.Stage(folder)
        try:
            running, absent = contenders.start(stage, options.only, options.binary)
            samples, failures = run_rounds(running, options.tests, 2 if options.quick else 5)
        except KeyboardInterrupt:
            print("\ninterrupted", file=sys.stderr)
            return 130
        finally:
            stage.end()
    rows = summarise(samples, running)
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=2) + "\n")
    print(machine(options), end="\n\n")
    print(table(rows, failures, absent), end="\n\n")
    text, missed = verdict(samples)
    print(text)
    return 1 if failures or absent or missed else 0


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description="Rockdove beside its yardsticks.")
    parser.add_argument("what", nargs="?", choices=["live"], default="live", help="live: through a tunnel")
    parser.add_argument("--binary", default="build/release/rockdove", help="default: %(default)s")
    parser.add_argument("--json", metavar="FILE", help="write the rows there as well")
    parser.add_argument("--quick", action="store_true", help="2 s instead of 5 s per measurement")
    names = contenders.NAMES
    parser.add_argument("--only", type=names_of(names), default=names, metavar="NAME,...")
    tests = [test.name for test in TESTS]
    parser.add_argument("--tests", type=names_of(tests), default=tests, metavar="NAME,...")
    return parser.parse_args()


def names_of(known):
    def parse(text):
        wrong = set(text.split(",")) - set(known)
        if wrong:
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(wrong))}: known are {', '.join(known)}")
        return [name for name in known if name in text.split(",")]

    return parse


def run_rounds(running, names, seconds):
    """{(contender, test): [Sample per round]}; the contenders of a test run one after the other, so that
    whatever else the machine does meanwhile meets all of them alike. And {(contender, test): reason}."""
    tests = [test for test in TESTS if test.name in names]
    samples, failures = {}, {}
    for contender in running.values():  # a first second that is not counted: caches, connections, growth
        for test in tests:
            try:
                measure(contender.endpoint(test), test, 1)
            except MeasurementFailed as reason:
                fail(failures, (contender.name, test.name), reason)
    for round_number in range(1, ROUNDS + 1):
        for test in tests:
            for contender in running.values():
                key = (contender.name, test.name)
                if key in failures:
                    continue
                try:
                    sample = measure(contender.endpoint(test), test, seconds)
                except MeasurementFailed as reason:
                    fail(failures, key, reason)
                    continue
                samples.setdefault(key, []).append(sample)
                print(f"round {round_number} {test.name:11} {contender.name:15} {sample.rps:9.0f} req/s"
                      f"  p99 {sample.p99_us / 1000:8.2f} ms", file=sys.stderr, flush=True)  # fmt: skip
    return {key: found for key, found in samples.items() if key not in failures}, failures


def fail(failures, key, reason):
    failures[key] = str(reason)
    print(f"!!! {key[0]} failed {key[1]}: {reason}", file=sys.stderr, flush=True)


def summarise(samples, running):
    """One row per contender and test: medians over the rounds; `ratio` is the median of each round's own
    ratio to the yardstick in that round."""
    rows = []
    tests = {test.name: test for test in TESTS}
    for (name, test), found in samples.items():
        yardstick = samples.get((YARDSTICK, test))
        median = {field: statistics.median(getattr(sample, field) for sample in found)
                  for field in ("rps", "p50_us", "p99_us", "cpu_us_per_req")}  # fmt: skip
        rows.append({
            "name": name, "test": test,
            **{field: round(value, 2) for field, value in median.items()},
            "rss_mib": round(max(sample.rss_mib for sample in found), 1),
            "ratio": round(paired(found, yardstick, "rps"), 3) if yardstick else None,
            "note": running[name].endpoint(tests[test]).note,
        })  # fmt: skip
    return rows


def machine(options):
    """What the figures were measured on, in a line."""
    cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())  # fmt: skip
    nginx = subprocess.run([contenders.NGINX, "-v"], capture_output=True, text=True, check=False).stderr
    nginx = nginx.strip().rpartition("/")[2]
    rounds = getattr(options, "rounds", ROUNDS)
    seconds = getattr(options, "seconds", 2 if options.quick else 5)
    return (f"{os.cpu_count()} × {cpu}, Linux {platform.release()}, nginx {nginx}, "
            f"{rounds} rounds of {seconds} s, load average before {LOAD_BEFORE:.1f}")


if __name__ == "__main__":
    sys.exit(main())
