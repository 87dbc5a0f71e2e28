"""A fresh system of the distribution in a directory, and commands and processes in it."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Stands in for systemd, which a system in a directory does not run: says what it was told to do.
RECORDER = '#!/bin/sh\necho "${0##*/} $*" >>/run/said\n'


def distribution():
    """(code name, address of the mirror), as apt of this machine knows them."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    name = release["VERSION_CODENAME"].strip('"')
    known = subprocess.run(["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"],
                           capture_output=True, text=True, check=True).stdout
    mirrors = [line.split()[1] for line in known.splitlines() if line.split()[0] == name]
    if not mirrors:
        raise RuntimeError(f"apt knows no mirror of {name}: apt-get update")
    return name, mirrors[0]


def dependencies(package):
    """Names of what a .deb depends on; of alternatives the first."""
    depends = subprocess.run(["dpkg-deb", "--field", package, "Depends"], capture_output=True, text=True, check=True)
    return [real_package(each.split("|")[0].split("(")[0].strip()) for each in depends.stdout.split(",")]


def real_package(name):
    """The package that provides a virtual one: debootstrap knows only real ones."""
    known = subprocess.run(["apt-cache", "showpkg", name], capture_output=True, text=True, check=True).stdout
    versions, _, provides = known.partition("Reverse Provides:")
    is_real = re.search(r"^\S+ \(/", versions, re.MULTILINE)
    return name if is_real or not provides.split() else provides.split()[0]


def bootstrap(directory, packages=(), release=None):
    """A system of this machine's release, or of another that the mirror has."""
    name, mirror = distribution()
    included = [f"--include={','.join(packages)}"] if packages else []
    done = subprocess.run(["debootstrap", "--variant=minbase", *included, release or name, directory, mirror],
                          capture_output=True, text=True, timeout=1200)
    if done.returncode != 0:
        raise RuntimeError(f"debootstrap failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")


class System:
    """A copy of `base` that goes away with close(), unless KEEP is set."""

    def __init__(self, base):
        self.root = Path(tempfile.mkdtemp(prefix="rockdove-system-"))
        subprocess.run(["cp", "-a", "--reflink=auto", f"{base}/.", str(self.root)], check=True)
        self.root.chmod(0o755)  # a directory for temporary files is closed to others, "/" is not
        self.running = []

    def close(self):
        for process in self.running:
            if process.poll() is None:  # the first process of a namespace takes all of it along
                for child in self.children(process):
                    os.kill(child, signal.SIGKILL)
                process.kill()
            process.wait(30)
        if os.environ.get("KEEP"):
            print(f"kept: {self.root}")
        else:
            shutil.rmtree(self.root)

    def inside(self, *command, user=None):
        """A command line of this machine that runs one there, in a process namespace of its own."""
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={self.root}/proc",
                "chroot", str(self.root), *become, *command]

    def run(self, *command, user=None, stdin="", check=True):
        done = subprocess.run(self.inside(*command, user=user), input=stdin, capture_output=True, text=True,
                              timeout=120, env={"PATH": PATH, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"})
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)} ended with code {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def start(self, *command, user, env):
        """A process that goes on. Its output is the file `log` of the system."""
        with (self.root / "log").open("ab") as log:
            process = subprocess.Popen(self.inside(*command, user=user), stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, env={"PATH": PATH, **env})
        self.running.append(process)
        return process

    def stop(self, process):
        """SIGTERM for what `process` has started in its namespace; returns the exit code."""
        os.kill(self.children(process)[0], signal.SIGTERM)
        return process.wait(30)

    @staticmethod
    def children(process):
        return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]

    def log(self):
        return (self.root / "log").read_text(errors="replace")

    def pretend_systemd(self):
        (self.root / "run" / "systemd" / "system").mkdir(parents=True, exist_ok=True)
        for name in ("systemctl", "deb-systemd-invoke"):
            program = self.root / "usr" / "local" / "bin" / name
            program.write_text(RECORDER)
            program.chmod(0o755)

    def said(self):
        """What systemd was told since the last call."""
        path = self.root / "run" / "said"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def files(self):
        """Every path but what dpkg and the tools for accounts keep for themselves."""
        own = ("/var/lib/dpkg/", "/var/cache/", "/var/log/", "/proc/", "/run/", "/etc/passwd", "/etc/group",
               "/etc/shadow", "/etc/gshadow", "/etc/subuid", "/etc/subgid", "/log", "/root/")
        paths = {"/" + str(path.relative_to(self.root)) for path in self.root.rglob("*")}
        return {path for path in paths if not path.startswith(own)}
