"""Scenes that a test sets up for itself: servers, agents and upstreams of its own, calls that go on beside it."""

import base64
import hashlib
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import unittest

from support import Agent, Caller, Ended, Process, Server, Upstream, eventually, is_sanitized

SLOW = 5 if is_sanitized() else 1  # factor for what has to be quick


def request(target="/", host="example.test", method="GET", fields=(), body=None):
    """The bytes of a request."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def answer(body=b"ok", status="200 OK", fields=()):
    """The bytes of an upstream's answer."""
    lines = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Gate:
    """An upstream's handler that holds every answer back until open()."""

    def __init__(self, body=b"ok"):
        self.body = body
        self.inside = 0
        self._lock = threading.Lock()
        self._opened = threading.Event()

    def __call__(self, connection, message):
        if not message.body:  # or who calls this has read it
            connection.read_body(message)
        with self._lock:
            self.inside += 1
        self._opened.wait(60)
        connection.send(answer(self.body))

    def open(self):
        self._opened.set()

    def wait_inside(self, count=1):
        eventually(lambda: self.inside >= count, 20, f"{count} requests at the upstream")


class Beside:
    """A function that runs in a thread of its own; result() waits for what it returns or raises."""

    def __init__(self, function, *arguments, **options):
        self.value, self.error = None, None
        self.took = None
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._run, args=(function, arguments, options), daemon=True)
        self._thread.start()

    def _run(self, function, arguments, options):
        try:
            self.value = function(*arguments, **options)
        except Exception as error:  # pylint: disable=broad-except
            self.error = error
        self.took = time.monotonic() - self._started

    def is_done(self):
        return not self._thread.is_alive()

    def result(self, timeout=30):
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise AssertionError(f"still running after {timeout} s")
        if self.error:
            raise self.error
        return self.value


class Load:
    """Callers that send one GET after the other until stop(); `failures` is [(time, what)]."""

    def __init__(self, port, callers=4):
        self.port = port
        self.successes = 0
        self.failures = []
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(callers)]
        for thread in self._threads:
            thread.start()

    def _call(self):
        while not self._ends.is_set():
            began = time.monotonic()
            caller = Caller(self.port)
            try:
                response = caller.exchange(request())
                if response.status == 200:
                    self.successes += 1
                else:
                    self.failures.append((began, response.body))
            except (Ended, OSError) as error:
                self.failures.append((began, repr(error)))
            finally:
                caller.close()

    def wait_for(self, count):
        """Waits for so many more successes."""
        goal = self.successes + count
        eventually(lambda: self.successes >= goal, 30, f"{count} more successful requests")

    def stop(self):
        self._ends.set()
        for thread in self._threads:
            thread.join(30)


class SceneTest(unittest.TestCase):
    """What a test makes through its methods ends with it. The logs of a test that fails are printed."""

    def setUp(self):
        self.scene, self.gates = [], []

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for process in self.scene:
                print(f"\n--- {self.id()}: log of {process.name}\n{process.log()[-6000:]}", file=sys.stderr)
        return result

    def take_in(self, process):
        self.scene.append(process)
        self.addCleanup(process.stop)
        return process

    def process(self, name, *arguments, env=None):
        return self.take_in(Process(name, list(arguments), env))

    def server(self, **options):
        server = Server(start=False, **options)
        return self.take_in(server).start()

    def agent(self, server, upstream="http://127.0.0.1:9", name="office", start=True, **options):
        agent = self.take_in(Agent(server, upstream, name, start=False, **options))
        if start:
            agent.start()
            agent.wait_connected()
        return agent

    def upstream(self, handler=Upstream.OK, port=0):
        upstream = Upstream(handler, port)
        self.addCleanup(upstream.stop)
        self.addCleanup(self.open_gates)  # before that, or its threads would not end
        return upstream

    def gate(self, body=b"ok"):
        self.gates.append(Gate(body))
        return self.gates[-1]

    def open_gates(self):
        for gate in self.gates:
            gate.open()

    def caller(self, server):
        caller = Caller(server.ingress_port)
        self.addCleanup(caller.close)
        return caller

    def call(self, server, *arguments, **options):
        """One request on a connection of its own; see request()."""
        caller = Caller(server.ingress_port)
        try:
            return caller.exchange(request(*arguments, **options))
        finally:
            caller.close()

    def call_beside(self, server, *arguments, **options):
        return Beside(self.call, server, *arguments, **options)

    def assert_error(self, response, status, hop, cause):
        self.assertEqual(response.status, status, response.body)
        self.assertEqual(response.get(b"content-type"), b"application/json")
        error = json.loads(response.body)["error"]
        self.assertEqual((error["hop"], error["cause"]), (hop, cause))
        self.assertTrue(error["request_id"])

    def assert_ends(self, process, code=0, within=5.0):
        """The process ends by itself, with that code and in time."""
        began = time.monotonic()
        self.assertEqual(process.popen.wait(within * SLOW + 20), code, process.log())
        self.assertLess(time.monotonic() - began, within * SLOW)


def run_binary(process, *arguments, stdin=""):
    """Like process.run(), but for what may fail: the completed process."""
    return subprocess.run([process.arguments[0], *arguments], input=stdin, capture_output=True, text=True, timeout=60,
                          cwd=process.directory, env=process.environment(), check=False)


class Authority:
    """A certificate authority in `directory`; `file` is its certificate."""

    def __init__(self, directory, name="authority"):
        self.directory, self.name = directory, name
        self.file = directory / f"{name}.pem"
        self._key = directory / f"{name}.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.file)

    def issue(self, name, subject="IP:127.0.0.1"):
        """(certificate file, key file) for `subject`, an entry of subjectAltName."""
        key, asked, made = (self.directory / f"{name}.{kind}" for kind in ("key", "csr", "crt"))
        extension = self.directory / f"{name}.ext"
        extension.write_text(f"subjectAltName={subject}\n")
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", f"/CN={name}", "-keyout", key, "-out", asked)
        _openssl("x509", "-req", "-in", asked, "-CA", self.file, "-CAkey", self._key, "-CAcreateserial",
                 "-CAserial", self.directory / f"{self.name}.srl", "-days", "2", "-extfile", extension, "-out", made)
        return made, key


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


def tls_to(port):
    """A TLS connection to a port whatever its certificate is."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    caller = Caller(port)
    caller.sock = context.wrap_socket(caller.sock)
    return caller


def decode_join(text):
    """The values that a join string carries."""
    version, encoded, checksum = text.split(".")
    assert version == "rockdove1"
    assert hashlib.sha256(encoded.encode()).hexdigest()[:8] == checksum
    return json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))


def hello(join, **changes):
    """An agent's upgrade request with the tunnel and secret of a join string; `changes` replace fields."""
    fields = {"Host": "127.0.0.1", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
              "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "rockdove.1",
              "Authorization": f"Bearer {join['s']}", "Rockdove-Tunnel": join["t"], "Rockdove-Agent": "raw",
              "Rockdove-Instance": os.urandom(4).hex(), "Rockdove-Link": "0", "Rockdove-Version": "0.1.0"}
    fields.update({name.replace("_", "-"): value for name, value in changes.items()})
    lines = [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join(["GET /rockdove/v1/link HTTP/1.1", *lines, "", ""]).encode()
