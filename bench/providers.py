"""Measures what it costs to judge a provider's request.

    ./dev bench providers [--quick] [--only NAME,...] [--json FILE]
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from measure import Sample
from report import costs, verdict

ROUNDS = 5
NAME = "rockdove"

# As report.BARS.
BARS = [("a Feishu event of 2 KiB, µs", NAME, "feishu-event", "cpu_us_per_req", None, "<=", 20.0)]


def main(machine):
    options = arguments()
    options.rounds, options.seconds = ROUNDS, 0.1 if options.quick else 0.5
    samples = measure(options)
    rows = [row(test, found) for (_, test), found in samples.items()]
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=2) + "\n")
    print(machine(options), end="\n\n")
    print(costs(rows), end="\n\n")
    text, missed = verdict(samples, BARS)
    print(text)
    return 1 if missed else 0


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench providers", description="The cost of judging a request.")
    parser.add_argument("what", choices=["providers"])
    parser.add_argument("--binary", help="not used: the benchmark is a program of its own")
    parser.add_argument("--tool", default="build/release/bench/bench_providers", help="default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="0.1 s instead of 0.5 s per measurement")
    parser.add_argument("--only", metavar="NAME,...", help="rows, such as feishu-event,github")
    parser.add_argument("--json", metavar="FILE", help="write the rows there as well")
    return parser.parse_args()


def measure(options):
    """{(contender, test): [Sample per round]}, rounds interleaved at random."""
    arguments_ = ["--benchmark_format=json", f"--benchmark_repetitions={options.rounds}",
                  f"--benchmark_min_time={options.seconds}", "--benchmark_enable_random_interleaving=true"]
    if options.only:
        arguments_.append(f"--benchmark_filter=^({options.only.replace(',', '|')})(/|$)")
    done = subprocess.run([options.tool, *arguments_], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0 or not done.stdout.strip():
        sys.exit(f"{options.tool} failed, or --only names no row; its rows: {options.tool} --benchmark_list_tests")
    samples = {}
    found_rows = json.loads(done.stdout)["benchmarks"]
    for each in sorted(found_rows, key=lambda one: one["family_index"]):
        if each["run_type"] == "iteration":
            wall, cpu = (each[key] / 1000 for key in ("real_time", "cpu_time"))  # it counts in ns
            found = samples.setdefault((NAME, each["run_name"].split("/")[0]), [])
            found.append(Sample(1_000_000 / wall, wall, 0.0, cpu, 0.0))
    return samples


def row(test, found):
    """As the other benchmarks' rows. There is no p99: a round is a mean over many thousand requests."""
    median = {field: round(statistics.median(getattr(sample, field) for sample in found), 3)
              for field in ("rps", "p50_us", "p99_us", "cpu_us_per_req", "rss_mib")}  # fmt: skip
    spread = max(sample.cpu_us_per_req for sample in found) - min(sample.cpu_us_per_req for sample in found)
    return {"name": NAME, "test": test, **median, "ratio": None, "note": f"spread {spread:.2f}"}
