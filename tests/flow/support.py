"""What the flow tests are made of: the real binary as server and agent, and raw sockets at both ends."""

import atexit
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from wire import PATIENCE, Ended, Message, NotHttp, Reader, reset  # noqa: F401: for the tests too

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("ROCKDOVE_BINARY", str(ROOT / "build" / "release" / "rockdove"))
REPORTS = re.compile(r"(Address|Thread|Leak|Memory|UndefinedBehavior)Sanitizer|runtime error:|terminate called")
_running = set()


def is_sanitized():
    """A sanitizer costs memory and time that say nothing about the program."""
    data = Path(BINARY).read_bytes()
    return b"__asan_init" in data or b"__tsan_init" in data


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

    def environment(self):
        clean = {key: value for key, value in os.environ.items()
                 if not key.startswith("ROCKDOVE_") and not key.lower().endswith("_proxy")}
        return {**clean, "HOME": str(self.directory), "XDG_CONFIG_HOME": str(self.directory), **(self.env or {})}

    def start(self):
        with self.log_file.open("ab") as log:
            self.popen = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          cwd=self.directory, env=self.environment())
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
            self.popen.wait(float(os.environ.get("QUICK", timeout)))
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
    """rockdove server. `keys`: lines for [server]; `toml`: more tables. Started again, it has the same ports."""

    def __init__(self, tls="pin", keys="", toml="", env=None, start=True):
        super().__init__("server", [], env)
        self.config = self.directory / "server.toml"
        self.arguments += ["server", "--config", str(self.config)]
        self.tls, self.keys, self.toml = tls, keys, toml
        self.ports = (0, 0, 0)
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
        self.ports = tuple(int(port) for port in said.groups())
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

    def route(self, name="default"):
        return next(each for each in self.get_json()["routes"] if each["name"] == name)


class Agent(Process):
    """rockdove agent, joined by standard input. `upstream`: an Upstream, a URL, or a dict of either by name.

    `keys`: lines for [agent]; `upstream_keys`: lines for every [[upstream]]; `join`: another server's join
    string or another way to it. Health checks are off unless upstream_keys turns them on.
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


class Connection(Reader):
    """One connection that the upstream has accepted."""

    def __init__(self, sock):
        super().__init__(sock, keep=8 << 20)
        sock.settimeout(None)  # the agent keeps it for as long as it likes; stop() ends every wait
        self.ended = None  # when the other side's end was seen, by time.monotonic()
        self.how = None

    def send(self, data):
        self.sock.sendall(data)

    def close(self):
        """FIN to the other side, and no more reading."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def reset(self):
        reset(self.sock)

    def wait_end(self):
        """Waits for the other side's end and remembers when that was."""
        _, self.how = self.until_end()
        self.ended = time.monotonic()
        return self.how


class Upstream:
    """A local service whose every answer a test scripts.

    `handler` is bytes to send, or a function (connection, request) called when a request's head is there. What
    the function returns is sent, once the request's body has been read; if it returns None it has done all
    that itself: connection.read_body(request), connection.send(...), connection.close().
    """

    OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    def __init__(self, handler=OK, port=0):
        self.handler = handler
        self.requests = []
        self.connections = []
        self.errors = []
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._spawn(self._accept)
        atexit.register(self.stop)

    def _spawn(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(sock)
            self.connections.append(connection)
            self._spawn(self._serve, connection)

    def _serve(self, connection):
        try:
            while connection.sock.fileno() >= 0:
                request = connection.request()
                self.requests.append(request)
                self._answer(connection, request)
        except Ended as end:
            connection.how, connection.ended = end.how, time.monotonic()
            connection.close()
        except OSError:
            connection.close()  # or the test has done so already
        except Exception as error:  # pylint: disable=broad-except
            self.errors.append(error)
            connection.close()

    def _answer(self, connection, request):
        handler = self.handler
        answer = handler(connection, request) if callable(handler) else handler
        if answer is None:
            return
        if not request.body:
            connection.read_body(request)
        connection.send(answer)

    def clear(self, handler=OK):
        """Forgets what was seen; `handler` answers from now on."""
        self.handler = handler
        self.requests.clear()
        self.connections = [each for each in self.connections if each.ended is None and each.sock.fileno() >= 0]
        self.errors.clear()

    def last(self):
        """The request that came last, once there is one."""
        return eventually(lambda: self.requests and self.requests[-1], what="a request at the upstream")

    def bytes_seen(self):
        return sum(each.size for each in self.connections)

    def stop(self):
        atexit.unregister(self.stop)
        for shut in (lambda: self.listener.shutdown(socket.SHUT_RDWR), self.listener.close):
            try:
                shut()
            except OSError:
                pass
        for connection in self.connections:
            connection.close()
        for thread in self.threads:
            thread.join(2)


class Caller(Reader):
    """A public HTTP client that sends exactly the bytes it is given."""

    def __init__(self, port, receive_buffer=None):
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(PATIENCE)
        sock.connect(("127.0.0.1", port))
        super().__init__(sock)

    def send(self, data):
        self.sock.sendall(data)

    def exchange(self, data, method=None):
        """Sends a request and reads its answer."""
        self.send(data)
        return self.response((method or data.split(b" ")[0]).decode("latin-1"))

    def end_sending(self):
        self.sock.shutdown(socket.SHUT_WR)

    def is_quiet(self, seconds=0.2):
        """True if nothing comes for so long."""
        if self.buffer:
            return False
        self.sock.settimeout(seconds)
        try:
            return self.sock.recv(1, socket.MSG_PEEK) is None
        except TimeoutError:
            return True
        except ConnectionResetError:
            return False
        finally:
            self.sock.settimeout(PATIENCE)

    def reset(self):
        reset(self.sock)

    def close(self):
        self.sock.close()


class FlowTest(unittest.TestCase):
    """Tests that share one server, agent and upstream. The logs of a test that fails are printed."""

    tls = "pin"
    server_keys = ""
    server_toml = ""
    upstream_keys = ""
    agent_links = 2

    @classmethod
    def setUpClass(cls):
        cls.upstream = Upstream()
        cls.addClassCleanup(cls.upstream.stop)
        cls.server = Server(cls.tls, cls.server_keys, cls.server_toml)
        cls.addClassCleanup(cls.server.stop)
        cls.agent = Agent(cls.server, cls.upstream, links=cls.agent_links, upstream_keys=cls.upstream_keys)
        cls.addClassCleanup(cls.agent.stop)

    def setUp(self):
        self.upstream.clear()

    def tearDown(self):
        self.assertEqual([repr(error) for error in self.upstream.errors], [])
        self.assertTrue(self.server.is_running(), "the server has ended")
        self.assertTrue(self.agent.is_running(), "the agent has ended")

    def run(self, result=None):
        marks = [(each, each.log_size()) for each in (self.server, self.agent)]
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for process, mark in marks:
                print(f"\n--- {self.id()}: log of {process.name}\n{process.log()[mark:]}", file=sys.stderr)
        return result

    def caller(self, **options):
        caller = Caller(self.server.ingress_port, **options)
        self.addCleanup(caller.close)
        return caller

    def call(self, data, method=None):
        """One request on a connection of its own."""
        return self.caller().exchange(data, method)

    def assert_error(self, response, status, hop, cause):
        """The answer is the error body that names hop and cause."""
        self.assertEqual(response.status, status)
        self.assertEqual(response.get(b"content-type"), b"application/json")
        error = json.loads(response.body)["error"]
        self.assertEqual((error["hop"], error["cause"]), (hop, cause))
        self.assertTrue(error["request_id"])
