#!/usr/bin/python3
"""The house rules that can be checked by reading. STYLE.md says why each one is there.

    tests/tidy/tidy.py [ROOT]      prints PATH:LINE: what is wrong; exit code 1 if anything is
"""

import re
import sys
from pathlib import Path

from source import Source, functions, statement_around

COLUMNS_MAX = 110
SCRIPT_COLUMNS_MAX = 120  # scripts say in one line what a test table needs
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

# An include points to a lower rank or stays in its own layer: layers of one rank are blind to each
# other. config fills the Options of every layer below it, so it stands above all capabilities.
RANKS = {
    "base": 0, "net": 1, "http": 2,
    "tunnel": 3, "inbox": 3, "egress": 3, "providers": 3,
    "config": 4, "ops": 4,
    "server": 5, "agent": 5,
    "doctor": 6,
    "cli": 7, "main": 8,
    "apps": 9,
}  # fmt: skip

# Programs of apps/ are what users start their own from: they stand on the layers that know nothing of
# links and inboxes, and read their configuration and the providers' table as the program does.
APPS_MAY_KNOW = {"base", "net", "http", "providers", "config/toml_reader.hpp", "config/provider_config.hpp"}

# Names of third parties, and the layers that may know them.
THIRD_PARTIES = [
    ("nghttp2", r"^nghttp2/", r"\bnghttp2_", {"tunnel"}),
    ("SQLite", r"^sqlite3", r"\bsqlite3", {"inbox"}),
    ("toml++", r"^toml", r"\btoml::", {"config"}),
    ("CLI11", r"^CLI/", r"\bCLI::", {"cli", "main", "apps"}),
    ("xxHash", r"^xxhash\.h", r"\bXXH", {"inbox"}),
    ("prometheus", r"^prometheus/", r"\bprometheus::", {"ops"}),
    ("Asio", r"^boost/asio", r"\basio::", set(RANKS) - {"base"}),
    ("spdlog", r"^spdlog/", r"\bspdlog::", set(RANKS) - {"base"}),
]

BANNED_WORDS = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
BANNED = re.compile(r"\b(%s)\b" % "|".join(BANNED_WORDS))
DESIGNATED = re.compile(r"\{\s*\.[a-z_]")
BRACED_ARGUMENT = re.compile(r"[(,]\s*\{(?!\s*\})")
CAPTURING = re.compile(r"(?<![\w\])])\[\s*[\w=&*][^\[\]]*\]\s*[({]")


def includes_point_down(source):
    own = RANKS.get(source.layer)
    if source.layer not in RANKS and source.layer != "any":
        yield 1, f"the layer {source.layer} has no rank in tests/tidy"
    for line, name in source.includes():
        layer = name.split("/")[0]
        foreign = "/" in name and layer in RANKS and layer != source.layer
        if own is not None and foreign and RANKS[layer] >= own:
            yield line, f"{source.layer} may not include {name}: includes point down, siblings are blind"
        if name.startswith(".."):
            yield line, "includes start at src/, not at .."


def apps_stand_on_few_layers(source):
    if source.layer != "apps":
        return
    for line, name in source.includes():
        layer = name.split("/")[0]
        if "/" in name and layer in RANKS and not APPS_MAY_KNOW & {layer, name}:
            yield line, f"an app may not include {name}"


def third_parties_stay_home(source):
    for party, include, word, homes in THIRD_PARTIES:
        if source.layer == "any" or source.layer in homes:
            continue
        where = ", ".join(sorted(homes))
        for line, name in source.includes():
            if re.match(include, name):
                yield line, f"{party} is known to {where} only"
        for found in re.finditer(word, source.code):
            yield source.line_of(found.start()), f"{party} is known to {where} only"


def files_are_short(source):
    lines = source.text.count("\n")
    if lines > FILE_LINES_MAX:
        yield FILE_LINES_MAX, f"the file has {lines} lines, at most {FILE_LINES_MAX}"


def functions_are_short(source):
    for begin, end in functions(source.code):
        first, last = source.line_of(begin), source.line_of(end)
        if last - first + 1 > FUNCTION_LINES_MAX:
            yield first, f"the function has {last - first + 1} lines, at most {FUNCTION_LINES_MAX}"


def awaits_are_plain(source):
    """GCC 12 destroys some temporaries of a statement with co_await twice."""
    seen = set()
    for found in re.finditer(r"\bco_await\b", source.code):
        begin, end = statement_around(source.code, found.start())
        if begin in seen:
            continue
        seen.add(begin)
        statement = source.code[begin:end]
        line = source.line_of(found.start())
        if len(re.findall(r"\bco_await\b", statement)) > 1:
            yield line, "more than one co_await in a statement"
        if DESIGNATED.search(statement):
            yield line, "an aggregate {.x = …} in a statement with co_await: name it, then move it"
        elif BRACED_ARGUMENT.search(statement):
            yield line, "a braced argument in a statement with co_await: name it, then move it"
        if CAPTURING.search(statement):
            yield line, "a capturing lambda in a statement with co_await: name it, then move it"
        if "?" in statement:
            yield line, "?: in a statement with co_await: name its result"


def coroutines_are_owned(source):
    for found in re.finditer(r"\basio::detached\b", source.code):
        yield source.line_of(found.start()), "asio::detached: a TaskGroup owns every coroutine"
    for line, name in source.includes():
        if "awaitable_operators" in name:
            yield line, "|| and && on awaitables: they wait for success, and lose the failure"


def headers_begin_well(source):
    if not source.path.endswith(".hpp"):
        return
    if not source.lines[0].startswith("// "):
        yield 1, "a header starts with a comment that says what it is"
    if not re.search(r"^#pragma once$", source.text, re.MULTILINE):
        yield 1, "a header has #pragma once"


def text_is_clean(source):
    columns = SCRIPT_COLUMNS_MAX if source.path.endswith((".py", ".mjs")) else COLUMNS_MAX
    for number, line in enumerate(source.lines, 1):
        if len(line) > columns:
            yield number, f"{len(line)} columns, at most {columns}"
        if line != line.rstrip():
            yield number, "white space at the end of the line"
        if "\t" in line:
            yield number, "a tab"
        banned = BANNED.search(line)
        if banned:
            yield number, f"{banned[0]}: do it, or leave it out"
    if source.text and not source.text.endswith("\n"):
        yield len(source.lines), "no line end at the end of the file"


CPP_RULES = [includes_point_down, apps_stand_on_few_layers, third_parties_stay_home, files_are_short,
             functions_are_short, awaits_are_plain, coroutines_are_owned, headers_begin_well]  # fmt: skip
TEXT_RULES = [text_is_clean]


def corpora_are_complete(root):
    """Every fuzz harness has inputs to start from, and no corpus is left without its harness."""
    fuzz = root / "tests" / "fuzz"
    harnesses = {path.stem: path for path in fuzz.glob("*/*_fuzz.cpp")}
    corpora = {path.name: path for path in fuzz.glob("corpus/*") if path.is_dir()}
    for name, path in sorted(harnesses.items()):
        if not any(file.is_file() for file in corpora.get(name, fuzz / "none").glob("*")):
            yield path, f"no inputs in tests/fuzz/corpus/{name}"
    for name, path in sorted(corpora.items()):
        if name not in harnesses:
            yield path, "a corpus without its harness"


def files_of(root):
    for folder in ("src", "apps", "tests", "bench", "tools"):
        for path in sorted((root / folder).rglob("*")):
            foreign = {"corpus", "node_modules"} & set(path.parts)
            if path.suffix in (".hpp", ".cpp", ".py", ".sh", ".txt", ".mjs") and not foreign:
                yield path
    if (root / "dev").exists():
        yield root / "dev"


def check(root):
    """(findings, number of files read); a finding is PATH:LINE: message."""
    findings, count = [], 0
    for path in files_of(root):
        source, count = Source(root, path), count + 1
        for rule in (CPP_RULES if source.is_cpp else []) + TEXT_RULES:
            findings += [f"{source.path}:{line}: {message}" for line, message in rule(source)]
    for path, message in corpora_are_complete(root):
        findings.append(f"{path.relative_to(root).as_posix()}:1: {message}")
    return findings, count


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
    findings, count = check(root)
    print("\n".join(findings) if findings else "", end="\n" if findings else "")
    print(f"== {count} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
