"""The real binary as server and agent: started, asked, stopped, and looked at afterwards."""

import atexit
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from wire import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("ROCKDOVE_BINARY", str(ROOT / "build" / "release" / "rockdove"))
REPORTS = re.compile(r"(Address|Thread|Leak|Memory|UndefinedBehavior)Sanitizer|runtime error:|terminate called")
_running = set()


def is_sanitized():
    """A sanitizer costs memory and time that say nothing about the program."""
    data = Path(BINARY).read_bytes()
    return b"__asan_init" in data or b"__tsan_init" in data


def fixed_port(address="127.0.0.1"):
    """A port that only this process uses until it ends, for what has to find or to be found on it again.

    It lies below those that the system gives to outgoing connections: one of these might have it just when its
    owner comes back. A UDP socket of the same number keeps other tests off.
    """
    while True:
        port = random.randrange(20000, 32000)
        mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            mark.bind((address, port))
            with socket.create_server((address, port)):
                mark.detach()  # open until the process ends
                return port
        except OSError:
            mark.close()


def eventually(condition, timeout=10, what=""):
    """Waits until condition() is true and returns what it gave."""
    until = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > until:
            raise AssertionError(f"did not happen within {timeout} s{': ' if what else ''}{what}")
        time.sleep(0.01)
    return value


@atexit.register
def _end_all():
    for process in list(_running):
        process.popen.kill()


class Process:
    """A running rockdove. Ends with the test run at the latest; its log is a file beside its configuration."""

    def __init__(self, name, arguments, env=None):
        self.name = name
        self.arguments = [BINARY, *arguments]
        self.env = env
        self.directory = Path(tempfile.mkdtemp(prefix=f"rockdove-{name}-"))
        atexit.register(shutil.rmtree, self.directory, ignore_errors=True)
        self.log_file = self.directory / "log"
        self.popen = None
        self.pass_fds = ()  # descriptors of ours that it gets under the same numbers

    def environment(self):
        clean = {key: value for key, value in os.environ.items()
                 if not key.startswith("ROCKDOVE_") and not key.lower().endswith("_proxy")}
        return {**clean, "HOME": str(self.directory), "XDG_CONFIG_HOME": str(self.directory), **(self.env or {})}

    def start(self):
        with self.log_file.open("ab") as log:
            self.popen = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          cwd=self.directory, env=self.environment(),
                                          pass_fds=self.pass_fds)
        _running.add(self)

    @property
    def pid(self):
        return self.popen.pid

    def is_running(self):
        return self.popen is not None and self.popen.poll() is None

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log_size(self):
        return len(self.log())

    def fail(self, what):
        raise AssertionError(f"{self.name}: {what}; its log:\n{self.log()[-20000:]}")

    def wait_for_log(self, pattern, timeout=30, after=0):
        """Waits until a line that fits comes, behind the first `after` characters; returns the match."""
        until = time.monotonic() + timeout
        while True:
            has_ended = not self.is_running()
            if found := re.search(pattern, self.log()[after:], re.MULTILINE):
                return found
            if has_ended:
                self.fail(f"ended with code {self.popen.returncode} before it said {pattern!r}")
            if time.monotonic() > until:
                self.fail(f"did not say {pattern!r} within {timeout} s")
            time.sleep(0.01)

    def run(self, *arguments, stdin=""):
        """Runs a command of the binary to its end; returns its standard output."""
        done = subprocess.run([BINARY, *arguments], input=stdin, capture_output=True, text=True, timeout=60,
                              cwd=self.directory, env=self.environment())
        if done.returncode != 0:
            raise AssertionError(f"rockdove {' '.join(arguments)} failed: {done.stderr}")
        return done.stdout

    def stop(self, timeout=20):
        """SIGTERM; the process has to end with code 0 and without a sanitizer's report."""
        if self.popen is None:
            return
        if self.is_running():
            self.popen.send_signal(signal.SIGTERM)
        try:
            self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill9()
            self.fail(f"still running {timeout} s after SIGTERM")
        code, self.popen = self.popen.returncode, None
        _running.discard(self)
        if code != 0:
            self.fail(f"ended with code {code}")
        if REPORTS.search(self.log()):
            self.fail("a sanitizer has something to say")

    def kill9(self):
        """Ends it as a power cut would."""
        if self.popen is not None:
            self.popen.kill()
            self.popen.wait()
            self.popen = None
            _running.discard(self)

    def signal(self, number):
        self.popen.send_signal(number)

    def memory_peak(self):
        """Bytes of the largest resident set so far."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))


class Server(Process):
    """rockdove server. `keys`: lines for [server]; `toml`: more tables."""

    def __init__(self, tls="pin", keys="", toml="", env=None, start=True):
        super().__init__("server", [], env)
        self.config = self.directory / "server.toml"
        self.arguments += ["server", "--config", str(self.config)]
        self.tls, self.keys, self.toml = tls, keys, toml
        self.ports = tuple(fixed_port() for _ in range(3))
        if start:
            self.start()

    def write_config(self):
        own = {key: value for key, value in (("drain", '"2s"'), ("data", f'"{self.directory}/data"'))
               if not re.search(rf"^{key}\s*=", self.keys, re.MULTILINE)}
        listens = zip(("ingress", "tunnel", "admin"), self.ports)
        lines = ["[server]", *(f'{name} = "127.0.0.1:{port}"' for name, port in listens),
                 *(f"{key} = {value}" for key, value in own.items()), self.keys,
                 "[tunnel_tls]", f'mode = "{self.tls}"', self.toml]
        self.config.write_text("\n".join(lines) + "\n")

    def start(self):
        self.write_config()
        before = self.log_size()
        super().start()
        said = self.wait_for_log(r"listens: callers \S+:(\d+), agents \S+:(\d+), admin \S+:(\d+)", after=before)
        self.ports = tuple(int(port) for port in said.groups())  # sockets that it was given have others
        return self

    @property
    def ingress_port(self):
        return self.ports[0]

    @property
    def tunnel_port(self):
        return self.ports[1]

    @property
    def admin_port(self):
        return self.ports[2]

    def token(self, tunnel="bot", address=None):
        """A new token's join string."""
        address = address or f"127.0.0.1:{self.tunnel_port}"
        return self.run("token", "create", tunnel, "--config", str(self.config), "--address", address).strip()

    def get_json(self, path="/stats", port=None):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.admin_port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def agent(self, name, tunnel="bot"):
        """What /stats says of an agent; None if it is not connected."""
        for each in self.get_json()["tunnels"]:
            for agent in each["agents"]:
                if each["name"] == tunnel and agent["name"] == name:
                    return agent
        return None

    def is_up(self, name="office"):
        """Whether the agent's first upstream is up; None before its first report."""
        upstreams = self.agent(name)["upstreams"]
        return upstreams[0]["up"] if upstreams else None

    def route(self, name="default"):
        return next(each for each in self.get_json()["routes"] if each["name"] == name)


class Agent(Process):
    """rockdove agent, joined by standard input. `upstream`: an Upstream, a URL, or a dict of either by name.

    `keys`: lines for [agent]; `upstream_keys`: lines for every [[upstream]]; `join`: another server's join
    string or another way to it. Health checks are off unless upstream_keys turns them on, egress unless `toml` does.
    """

    def __init__(self, server, upstream="http://127.0.0.1:9", name="office", tunnel="bot", links=2, keys="",
                 upstream_keys="", toml="", env=None, join=None, start=True):
        super().__init__(f"agent-{name}", [], env)
        self.server, self.agent_name, self.tunnel, self.links = server, name, tunnel, links
        self.config = self.directory / "agent.toml"
        self.arguments += ["agent", "--config", str(self.config)]
        if "health_interval" not in upstream_keys:
            upstream_keys += '\nhealth_interval = "0s"'
        drain = "" if re.search(r"^drain\s*=", keys, re.MULTILINE) else 'drain = "2s"'
        lines = ["[agent]", f'name = "{name}"', f"links = {links}", drain, keys]
        for key, each in (upstream if isinstance(upstream, dict) else {"default": upstream}).items():
            lines += ["[[upstream]]", f'name = "{key}"', f'url = "{getattr(each, "url", each)}"', upstream_keys]
        if "[egress]" not in toml:
            toml += '\n[egress]\nlisten = ""'
        self.config.write_text("\n".join([*lines, toml]) + "\n")
        self.run("join", "--config", str(self.config), "-", stdin=(join or server.token(tunnel)) + "\n")
        if start:
            self.start()
            self.wait_connected()

    def is_connected(self):
        agent = self.server.agent(self.agent_name, self.tunnel)
        return agent is not None and not agent["draining"] and len(agent["links"]) == self.links

    def wait_connected(self, timeout=30):
        until = time.monotonic() + timeout
        while not self.is_connected():
            if not self.is_running() or time.monotonic() > until:
                self.fail("is not connected")
            time.sleep(0.01)
