#!/usr/bin/python3
"""Libraries to link against, so that a program needs no newer glibc than a given one.

    old_glibc.py COMPILER VERSION DIRECTORY       for example: old_glibc.py g++ 2.28 build/old-glibc

glibc keeps every symbol that it ever had, under the version that it came with: pthread_create is there as of 2.2.5 and
as of 2.34. A linker takes the newest. The libraries made here have the names of glibc's and no code; of each symbol of
this machine's glibc they have the newest version that is not above VERSION, and where there is none, no symbol: what
needs it does not link. At run time the real glibc, the one of 2.28 or any later one, takes their place.

Until 2.34 threads, dlopen and timers were in libraries of their own; a program that has to run there names these.
"""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

SYMBOL = re.compile(r"^ *\d+: ([0-9a-f]+) +(\w+) (\w+) +(\w+) +\w+ +(\w+) (\w+)@@?(GLIBC_([\d.]+))$")

# Which library had the symbols that moved into libc.so.6 after 2.28.
MOVED = {
    "libdl.so.2": r"dl(addr1?|close|error|info|mopen|open|sym|vsym)",
    "librt.so.1": r"(aio|lio|mq|shm|timer)_\w+|__mq_open_2",
    "libutil.so.1": r"login(_tty)?|logout|logwtmp|openpty|forkpty",
    "libanl.so.1": r"gai_\w+|getaddrinfo_a",
    "libresolv.so.2": r"_*(dn|ns|res)_\w+",
    "libpthread.so.0": r"_*(pthread|sem|cnd|mtx|thrd|tss)_\w+|call_once",
    "libc.so.6": r".*",  # it was there before
}


def symbols(library):
    """(address, size, type, binding, name, version as a tuple, version's name) of all that a library offers."""
    listed = subprocess.run(["readelf", "--wide", "--dyn-syms", library], capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        found = SYMBOL.match(line)
        if found and found[5] not in ("UND", "ABS"):
            number = tuple(int(part) for part in found[8].split("."))
            yield found[1], int(found[2], 0), found[3], found[4], found[6], number, found[7]


def newest(library, limit):
    """Of each name its symbol with the newest version within `limit`, and whether a newer one is beside it."""
    chosen, newer = {}, set()
    for symbol in symbols(library):
        name, version = symbol[4], symbol[5]
        if version > limit:
            newer.add(name)
        elif name not in chosen or version > chosen[name][5]:
            chosen[name] = symbol
    return [(symbol, name in newer) for name, symbol in chosen.items()]


def home(soname, name, has_moved):
    if soname != "libc.so.6" or not has_moved:
        return soname
    return next(library for library, names in MOVED.items() if re.fullmatch(names, name))


def assembly(members):
    """A label for each function; variables in as much room as the real ones have, aliases at one place."""
    lines, variables = [".text"], defaultdict(list)
    for address, size, kind, binding, name, _, _ in members:
        scope = ".weak" if binding == "WEAK" else ".globl"
        if kind == "OBJECT":
            variables[address].append((scope, name, size))
        else:
            lines += [f"{scope} {name}", f".type {name}, %function", f"{name}:"]
    lines.append(".bss")
    for group in variables.values():
        lines.append(".balign 32")
        for scope, name, size in group:
            lines += [f"{scope} {name}", f".type {name}, %object", f".size {name}, {size}", f"{name}:"]
        lines.append(f".zero {max(size for _, _, size in group)}")
    return "\n".join([*lines, '.section .note.GNU-stack,"",%progbits', ""])


def versions(members):
    """The version script."""
    names = defaultdict(list)
    for symbol in members:
        names[symbol[6]].append(symbol[4])
    return "".join(f"{version} {{ {'; '.join(sorted(each))}; }};\n" for version, each in sorted(names.items()))


def make_library(compiler, directory, soname, members):
    source, script = directory / f"{soname}.s", directory / f"{soname}.map"
    source.write_text(assembly(members))
    script.write_text(versions(members))
    subprocess.run([compiler, "-shared", "-nostdlib", f"-Wl,-soname,{soname}", f"-Wl,--version-script={script}",
                    "-o", str(directory / soname), str(source)], check=True)


def main(compiler, version, directory):
    limit, directory = tuple(int(part) for part in version.split(".")), Path(directory).resolve()
    directory.mkdir(parents=True, exist_ok=True)

    def installed(name):
        found = subprocess.run([compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=True)
        return found.stdout.strip()

    libraries = defaultdict(list)
    for soname in ("libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"):
        path = installed(soname)
        if not Path(path).is_absolute():
            continue  # of another architecture
        for symbol, has_moved in newest(path, limit):
            libraries[home(soname, symbol[4], has_moved)].append(symbol)
    for soname, members in libraries.items():
        make_library(compiler, directory, soname, members)
    optional = " ".join(str(directory / soname) for soname in libraries if soname not in ("libc.so.6", "libm.so.6"))
    (directory / "libc.so").write_text(f"GROUP ( {directory}/libc.so.6 {installed('libc_nonshared.a')} "
                                       f"AS_NEEDED ( {optional} ) )\n")
    (directory / "libm.so").write_text(f"INPUT ( {directory}/libm.so.6 )\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
