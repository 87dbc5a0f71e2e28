"""What the demo is made of: the processes it starts, and ends, and the requests it makes."""

import http.client
import json
import os
import queue
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PATIENCE = 10  # seconds that anything may take before it counts as failed


class Failure(Exception):
    """A step that went wrong: its message is for the person in front of the screen."""


def expect(is_right, message):
    if not is_right:
        raise Failure(message)


class Answer:
    def __init__(self, status, fields, body, seconds):
        self.status, self.fields, self.body, self.seconds = status, fields, body, seconds

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Failure(f"this is not JSON: {self.body[:200]!r}") from error


class Parts:
    """Ends what it has started, and only that, in stop()."""

    def __init__(self, binary):
        self.binary = str(Path(binary).resolve())
        self.home = Path(tempfile.mkdtemp(prefix="rockdove-demo-"))
        self.bot_binary = str(Path(self.binary).with_name("rockdove-feishu-bot"))
        self.server_toml, self.agent_toml, self.bot_toml = (
            self.home / f"{name}.toml" for name in ("server", "agent", "feishu-bot")
        )
        self.processes = {}  # name -> Popen, those that run
        self.seen = queue.Queue()  # what the sample service answered
        self.service, self.stand_ins = None, []
        self.public_port = 0
        # The user's own configuration and proxy must not reach into the demo.
        self.environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("ROCKDOVE_", "FEISHU_")) and not name.lower().endswith("_proxy")
        }  # fmt: skip

    def start(self, name, *arguments, binary=None):
        with open(self.home / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                [binary or self.binary, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment, cwd=self.home, start_new_session=True,
            )  # fmt: skip

    def run(self, *arguments, text=None):
        done = subprocess.run(
            [self.binary, *arguments], input=text, text=True, capture_output=True, check=False,
            env=self.environment, cwd=self.home, timeout=PATIENCE,
        )  # fmt: skip
        expect(done.returncode == 0, f"rockdove {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout.strip()

    def stop(self):
        for name in ("agent", "bot", "server"):  # in this order nobody is surprised
            process = self.processes.pop(name, None)
            if process is None:
                continue
            process.terminate()
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.service:
            self.service.shutdown()
        for each in self.stand_ins:
            each.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def until(self, what, is_done):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for name, process in self.processes.items():
                expect(process.poll() is None, f"the {name} ended with exit code {process.returncode}")
            result = is_done()
            if result:
                return result
            time.sleep(0.005)
        raise Failure(f"{what} took longer than {PATIENCE} s")

    def ask(self, method, target, body=None, fields=None):
        """One request of a caller, over a connection of its own as webhook senders make them."""
        begun = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.public_port, timeout=PATIENCE)
        try:
            connection.request(method, target, body, fields or {})
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"{method} {target} got no answer: {error!r}") from error
        finally:
            connection.close()
        return Answer(response.status, response.headers, content, time.monotonic() - begun)

    def ok(self, method, target, body=None, fields=None):
        answer = self.ask(method, target, body, fields)
        text = answer.body[:300].decode(errors="replace")
        expect(answer.status == 200, f"{method} {target} got {answer.status} instead of 200: {text}")
        return answer

    def health(self):
        return self.ok("GET", "/health").json()

    def exchange(self):
        """What the service says of the request that has just been answered."""
        try:
            return self.seen.get(timeout=PATIENCE)
        except queue.Empty:
            raise Failure("the local service has not seen the request") from None

    def server_time(self, request_id):
        """The seconds a request spent in and behind the server, as its log says; None if it does not."""
        wanted = re.compile(rf"in ([\d.]+) ms.* id {re.escape(request_id)}")
        deadline = time.monotonic() + 1
        while request_id and time.monotonic() < deadline:
            found = wanted.search((self.home / "server.log").read_text(errors="replace"))
            if found:
                return float(found[1]) / 1000
            time.sleep(0.005)
        return None


def can_connect(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port(wanted, taken):
    """`wanted` if nothing listens there, else another port; never one of `taken`."""
    for port in (wanted, 0, 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                probe.listen()  # two sockets may share an address until one of them listens
            except OSError:
                continue
            found = probe.getsockname()[1]
        if found not in taken:
            return found
    raise Failure("there is no free port on 127.0.0.1")
