"""What is measured: each contender starts its processes on loopback ports of its own."""

import ctypes
import json
import os
import random
import shutil
import signal
import socket
import string
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
NGINX = "/usr/sbin/nginx"
PYTHON = "/usr/bin/python3"  # the distribution's, with the distribution's aiohttp and websockets
SMALL = "hello, world\\n"  # 13 bytes


class Unavailable(Exception):
    """The contender cannot run here; the others still can."""


@dataclass
class Endpoint:
    url: str
    processes: list  # Popen of what counts as the contender
    note: str = ""


class Stage:
    """Starts processes and ends every one of them; `folder` is theirs to write in."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.processes = []

    def start(self, name, command, env=None):
        log = (self.folder / f"{name}.log").open("wb")
        process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env={**os.environ, **(env or {})}, preexec_fn=die_with_parent)  # fmt: skip
        log.close()
        process.name = name
        self.processes.append(process)
        return process

    def log_tail(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")[-600:]

    def wait_until(self, ready, process, seconds=15):
        """Polls `ready` until it is true; Unavailable with the log's end when that does not come."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if process.poll() is not None:
                raise Unavailable(f"{process.name} ended: {self.log_tail(process.name)}")
            try:
                if ready():
                    return
            except (OSError, urllib.error.URLError, ValueError):
                pass
            time.sleep(0.05)
        raise Unavailable(f"{process.name} is not ready after {seconds} s: {self.log_tail(process.name)}")

    def end(self):
        for process in self.processes:
            process.terminate()
        for process in list(self.processes):
            self.end_one(process)

    def end_one(self, process):
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes.remove(process)


def die_with_parent():
    """Even when this program is killed, nothing stays behind. In a session of its own: Ctrl-C is ours."""
    os.setsid()
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def read_json(url):
    with urllib.request.urlopen(url, timeout=5) as response:
        return json.load(response)


def answers(url):
    with urllib.request.urlopen(url, timeout=5) as response:
        return response.status == 200


def start_nginx(stage, name, http):
    folder = stage.folder / name
    folder.mkdir()
    user = "user root;" if os.geteuid() == 0 else ""  # the files lie in a folder only we may read
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temp = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(f"""
{user} worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off; default_type text/plain; {temp}
  sendfile on; tcp_nopush on; tcp_nodelay on; server_tokens off;
  keepalive_timeout 75s; keepalive_requests 100000000;
  {http}
}}
""")
    command = [NGINX, "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]
    return stage.start(name, command)


class Direct:
    """The upstream itself: what the machine and wrk can do with nothing between them."""

    name = "direct"

    def __init__(self, stage):
        if not Path(NGINX).exists():
            raise Unavailable("nginx is not installed")
        files = stage.folder / "files"
        files.mkdir()
        letters = random.Random(1).choices(string.ascii_letters + string.digits, k=1 << 20)
        (files / "1m.txt").write_text("".join(letters))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = start_nginx(stage, "upstream", f"""
  server {{
    listen 127.0.0.1:{port} backlog=1024; root {files};
    location = /ok   {{ return 200 "{SMALL}"; }}
    location = /hook {{ return 200 "{SMALL}"; }}
  }}""")
        stage.wait_until(lambda: answers(self.url + "/ok"), self.process)

    def endpoint(self, test):
        return Endpoint(self.url, [self.process])


class NginxTwoHops:
    """Two chained reverse proxies: the same two hops a tunnel has, without being one."""

    name = "nginx-two-hops"

    def __init__(self, stage, upstream_url):
        self.urls, self.processes = {}, []
        nexts = {keepalive: upstream_url.removeprefix("http://") for keepalive in (64, 512)}
        for hop in ("hop2", "hop1"):
            http = 'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;'
            for keepalive, following in nexts.items():
                port = free_port()
                http += f"""
  upstream next{keepalive} {{
    server {following}; keepalive {keepalive}; keepalive_requests 100000000; keepalive_timeout 75s;
  }}
  server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ proxy_pass http://next{keepalive}; }} }}"""
                nexts[keepalive] = f"127.0.0.1:{port}"
            self.processes.append(start_nginx(stage, f"nginx-{hop}", http))
        self.urls = {keepalive: f"http://{address}" for keepalive, address in nexts.items()}
        stage.wait_until(lambda: all(answers(url + "/ok") for url in self.urls.values()), self.processes[-1])

    def endpoint(self, test):
        return Endpoint(self.urls[512 if test.connections > 64 else 64], self.processes)


class PythonDesign:
    """The two scripts rockdove replaces. With their defaults a 1 MiB answer closes the tunnel, so that
    one test runs against a pair with the limit lifted."""

    name = "python-design"

    def __init__(self, stage, upstream_url):
        probe = [PYTHON, "-c", "import aiohttp, websockets"]
        if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
            raise Unavailable("python3-aiohttp or python3-websockets is not installed")
        self.endpoints = {}
        for tuned in (False, True):
            url = f"http://127.0.0.1:{(http := free_port())}"
            tunnel = free_port()
            env = {
                "TWO_SCRIPT_HTTP": str(http),
                "TWO_SCRIPT_WS": str(tunnel),
                "TWO_SCRIPT_URI": f"ws://127.0.0.1:{tunnel}",
                "TWO_SCRIPT_LOCAL": upstream_url,
                "TWO_SCRIPT_TUNED": str(int(tuned)),
            }
            pair = []
            for script in ("server", "client"):
                name = f"python-{script}{'-tuned' if tuned else ''}"
                pair.append(stage.start(name, [PYTHON, str(HERE / "baseline" / f"{script}.py")], env))
            stage.wait_until(lambda url=url: answers(url + "/ok"), pair[0])
            self.endpoints[tuned] = Endpoint(url, pair, "tuned" if tuned else "")

    def endpoint(self, test):
        return self.endpoints[test.path == "/1m.txt"]


class RockdoveServer:
    """A server without an agent; `toml`: more of its configuration."""

    def __init__(self, stage, name, binary, tls, toml=""):
        self.stage, self.name = stage, name
        if not os.access(binary, os.X_OK):
            raise Unavailable(f"{binary} does not exist: ./dev build")
        self.binary = str(Path(binary).resolve())
        self.folder = stage.folder / name
        self.folder.mkdir()
        ingress, self.tunnel, self.admin = (f"127.0.0.1:{free_port()}" for _ in range(3))
        self.config, self.agent_config = self.folder / "server.toml", self.folder / "agent.toml"
        self.config.write_text(f"""[server]
ingress = "{ingress}"
tunnel = "{self.tunnel}"
admin = "{self.admin}"
data = "{self.folder / 'data'}"

[tunnel_tls]
mode = "{'pin' if tls else 'off'}"

[log]
requests = false  # as access_log off of the others

{toml}""")
        self.url = f"http://{ingress}"
        self.server = stage.start(f"{name}-server", [self.binary, "server", "--config", str(self.config)])
        stage.wait_until(lambda: self.health()["status"], self.server)
        self.processes = [self.server]

    def start_agent(self, upstream_url):
        """Returns when it is connected."""
        if not self.agent_config.exists():
            self.agent_config.write_text("[log]\nrequests = false\n")
            arguments = ["token", "create", "bench", "--config", str(self.config), "--address", self.tunnel]
            self.run(["join", "--config", str(self.agent_config), "-"], self.run(arguments))
        agent = self.stage.start(f"{self.name}-agent", [self.binary, "agent", "--config", str(self.agent_config),
                                                        "--upstream", upstream_url])  # fmt: skip
        self.stage.wait_until(lambda: self.health()["active_connections"] >= 1, agent)
        self.processes.append(agent)
        return agent

    def health(self):
        return read_json(self.url + "/health")

    def stats(self):
        return read_json(f"http://{self.admin}/stats")

    def run(self, arguments, text=""):
        run = subprocess.run([self.binary, *arguments], cwd=self.stage.folder, input=text, text=True,
                             capture_output=True, timeout=15, check=False)  # fmt: skip
        if run.returncode != 0:
            reason = (run.stderr or run.stdout).strip()[-400:]
            raise Unavailable(f"rockdove {' '.join(arguments[:2])}: {reason}")
        return run.stdout

    def endpoint(self, test):
        return Endpoint(self.url, self.processes)

    def end(self):
        """Before the stage does, and with all that it has written."""
        for process in self.processes:
            self.stage.end_one(process)
        shutil.rmtree(self.folder)


class Rockdove(RockdoveServer):
    """Server and agent over one tunnel; `tls` is the default, off the comparison with plain proxies."""

    def __init__(self, stage, upstream_url, binary, tls):
        super().__init__(stage, "rockdove-tls" if tls else "rockdove", binary, tls)
        agent = self.start_agent(upstream_url)
        stage.wait_until(lambda: answers(self.url + "/ok"), agent)


NAMES = ["direct", "nginx-two-hops", "rockdove", "rockdove-tls", "python-design"]


def start(stage, names, binary):
    """The contenders of `names` that can run, by name. The upstream always runs; without it nothing can."""
    direct = Direct(stage)
    makers = {
        "direct": lambda: direct,
        "nginx-two-hops": lambda: NginxTwoHops(stage, direct.url),
        "rockdove": lambda: Rockdove(stage, direct.url, binary, tls=False),
        "rockdove-tls": lambda: Rockdove(stage, direct.url, binary, tls=True),
        "python-design": lambda: PythonDesign(stage, direct.url),
    }
    running, absent = {}, {}
    for name in names:
        try:
            running[name] = makers[name]()
        except (Unavailable, subprocess.TimeoutExpired) as reason:
            absent[name] = str(reason)
            print(f"\n!!! {name} is not measured: {reason}\n", file=sys.stderr)
    return running, absent
