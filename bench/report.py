"""The figures as a Markdown table, and what they are held against."""

import statistics

from measure import TESTS


def table(rows, failures, absent, tests=TESTS):
    lines = ["| test | contender | req/s | ratio | p50 ms | p99 ms | CPU µs/req | RSS MiB |",
             "|---|---|--:|--:|--:|--:|--:|--:|"]  # fmt: skip
    for test in (test.name for test in tests):
        for row in rows:
            if row["test"] == test:
                lines.append(line(row))
        for (name, failed_test), reason in failures.items():
            if failed_test == test:
                lines.append(f"| {test} | **{name}** | **FAILED** | {reason} | | | | |")
    for name, reason in absent.items():
        lines.append(f"| all | **{name}** | **not measured** | {' '.join(reason.split())[:80]} | | | | |")
    return "\n".join(lines)


def line(row):
    """What is not known is 0 in the row, and nothing here."""
    def known(value, digits):
        return f"{value:.{digits}f}" if value else ""
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
    name = row["name"] + (f" ({row['note']})" if row["note"] else "")
    p50, p99 = known(row["p50_us"] / 1000, 2), known(row["p99_us"] / 1000, 2)
    cpu, rss = known(row["cpu_us_per_req"], 1), known(row["rss_mib"], 1)
    return f"| {row['test']} | {name} | {row['rps']:.0f} | {ratio} | {p50} | {p99} | {cpu} | {rss} |"


def costs(rows):
    """What one request takes of one core."""
    lines = ["| what | CPU µs | a second, on one core | rounds differ by µs |", "|---|--:|--:|--:|"]
    for row in rows:
        spread = row["note"].removeprefix("spread ")
        lines.append(f"| {row['test']} | {row['cpu_us_per_req']:.1f} | {1e6 / row['cpu_us_per_req']:.0f} | {spread} |")
    return "\n".join(lines)


# (what, contender, test, field, against, comparison, factor): contender's field, as a multiple of
# against's, must be at least or at most the factor; against None: the plain value.
BARS = [
    ("small GET at c64", "rockdove", "get-c64", "rps", "nginx-two-hops", ">=", 1.0),
    ("small GET at c64", "rockdove", "get-c64", "rps", "python-design", ">=", 10.0),
    ("p99 at c64", "rockdove", "get-c64", "p99_us", "nginx-two-hops", "<=", 1.0),
    ("1 MiB download", "rockdove", "get1m-c8", "rps", "nginx-two-hops", ">=", 0.6),
    ("CPU per request at c64", "rockdove", "get-c64", "cpu_us_per_req", "nginx-two-hops", "<=", 0.9),
    ("TLS, small GET at c64", "rockdove-tls", "get-c64", "rps", "rockdove", ">=", 0.7),
    ("RSS per process at c256, MiB", "rockdove", "get-c256", "rss_mib", None, "<=", 20.0),
]


def paired(samples, others, field):
    """The median of the rounds' own ratios: what disturbed a round disturbed both sides of its ratio."""
    return statistics.median(getattr(a, field) / getattr(b, field) for a, b in zip(samples, others))


def verdict(samples, bars=BARS):
    """(text, number of bars missed)."""
    lines, missed = ["| bar | wanted | measured | |", "|---|---|---|---|"], 0
    for what, contender, test, field, against, comparison, factor in bars:
        own, other = samples.get((contender, test)), samples.get((against, test))
        wanted = {">=": "≥", "<=": "≤"}[comparison] + f" {factor:g}" + (f" × {against}" if against else "")
        if own is None or (against and other is None):
            lines.append(f"| {what} | {wanted} | | not measured |")
            continue
        typical = max if field == "rss_mib" else statistics.median
        value = paired(own, other, field) if against else typical([getattr(each, field) for each in own])
        held = value >= factor if comparison == ">=" else value <= factor
        missed += not held
        lines.append(f"| {what} | {wanted} | {value:.2f} | {'held' if held else '**MISSED**'} |")
    return "\n".join(lines), missed
