"""Restarts without loss: under load, a held stream and two agents, everything restarts, and nobody is told no."""

import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import unittest
from collections import Counter

from scene import Authority, SceneTest, answer, request
from socket_activation_test import ActivatedServer
from support import Caller, Ended, eventually

CALLERS = 6
SLOW_TIME = 0.8  # seconds that a request takes which is under way when something restarts
DRAIN = 3  # seconds


class Client:
    """Connections to a TLS port that are checked against an authority, and what became of each."""

    def __init__(self, port, authority):
        self.port = port
        self.context = ssl.create_default_context(cafile=authority.file)

    def call(self, target, timeout=40):
        """What became of one request on a connection of its own: "ok", or what went wrong."""
        sock, received = None, b""
        try:
            sock = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
            sock = self.context.wrap_socket(sock, server_hostname="127.0.0.1")
            sock.sendall(request(target))
            while piece := sock.recv(65536):
                received += piece
                head, end, body = received.partition(b"\r\n\r\n")
                if end and len(body) >= 2:
                    break
        except ConnectionRefusedError:
            return "refused"
        except TimeoutError:
            return "timed out"
        except OSError:  # a reset, or an end in the middle of TLS
            return "cut short" if received else "broken before an answer"
        finally:
            if sock:
                sock.close()
        if not received:
            return "closed without an answer"
        status = received.split(b" ", 2)[1].decode()
        return "ok" if (status, received[-2:]) == ("200", b"ok") else f"status {status}"


class Load:
    """Callers that send one request after the other, each on a new connection, until stop()."""

    def __init__(self, client, target="/"):
        self.client, self.target = client, target
        self.outcomes, self.slowest = Counter(), Counter()  # how many; seconds
        self._lock, self._ends = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        while not self._ends.is_set():
            began = time.monotonic()
            outcome = self.client.call(self.target)
            with self._lock:
                self.outcomes[outcome] += 1
                self.slowest[outcome] = max(self.slowest[outcome], round(time.monotonic() - began, 1))

    def wait_for(self, count):
        """Waits for so many more that went well."""
        goal = self.outcomes["ok"] + count
        eventually(lambda: self.outcomes["ok"] >= goal, 60, f"{count} more answers, not {self.outcomes}")

    def stop(self):
        self._ends.set()
        for thread in self._threads:
            thread.join(60)
        return self.outcomes


class Wrk:
    """Kept connections that are never idle for long, by wrk."""

    def __init__(self, port):
        command = ["wrk", "-t1", "-c8", "-d600s", "--timeout", "40s", f"https://127.0.0.1:{port}/"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def stop(self):
        """What it says at the end: how many requests, and each kind of failure that there was."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        text = self.process.communicate(timeout=60)[0] if not self.process.stdout.closed else ""
        requests = re.search(r"(\d+) requests in", text)
        failures = re.findall(r"Socket errors.*|Non-2xx.*", text)
        return int(requests[1]) if requests else 0, failures


class Stream:
    """Server-sent events, read as a browser does it: when the connection ends it asks for what follows the last one."""

    def __init__(self, client):
        self.client = client
        self.numbers, self.connections = [], 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._ends.is_set():
            try:
                self._read()
            except (OSError, Ended):
                pass

    def _read(self):
        caller = Caller(self.client.port)
        try:
            caller.sock = self.client.context.wrap_socket(caller.sock, server_hostname="127.0.0.1")
            last = self.numbers[-1] if self.numbers else -1
            caller.send(request("/stream", fields=(f"Last-Event-ID: {last}",)))
            caller.until(b"\r\n\r\n")
            self.connections += 1
            while not self._ends.is_set():
                line = caller.until(b"\n\n")  # chunk sizes stand before it
                self.numbers.append(int(line.rsplit(b"id: ", 1)[1]))
        finally:
            caller.close()

    def stop(self):
        self._ends.set()
        self._thread.join(30)


def serve(connection, message):
    """The upstream: quick answers, slow ones, and a stream that never ends by itself."""
    if message.target == b"/slow":
        threading.Event().wait(SLOW_TIME)
    if message.target != b"/stream":
        return answer()
    connection.read_body(message)
    number = int(message.get(b"last-event-id"))
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        number += 1
        event = b"id: %d\n\n" % number
        connection.send(b"%x\r\n%s\r\n" % (len(event), event))
        threading.Event().wait(0.02)


class Restart(SceneTest):
    def setUp(self):
        super().setUp()
        sockets = {name: socket.create_server(("127.0.0.1", 0), backlog=256) for name in ("ingress", "tunnel", "admin")}
        for each in sockets.values():
            self.addCleanup(each.close)
        self.server = self.take_in(ActivatedServer(sockets))
        self.authority = Authority(self.server.directory)
        self.certificate = self.authority.issue("shown")
        self.server.keys = f'agent_wait = "20s"\ndrain = "{DRAIN}s"'
        self.server.toml = f'[ingress_tls]\ncertificate = "{self.certificate[0]}"\nkey = "{self.certificate[1]}"'
        self.server.start()
        upstream = self.upstream(serve)
        self.agents = [self.agent(self.server, upstream, name, keys=f'drain = "{DRAIN}s"') for name in ("one", "two")]
        self.client = Client(self.server.ingress_port, self.authority)

    def under_load(self, what, disturb):
        """Does `disturb` three times under load; nothing may fail. Returns the stream, which goes on."""
        load, stream, wrk = Load(self.client), Stream(self.client), Wrk(self.server.ingress_port)
        for each in (load, stream, wrk):
            self.addCleanup(each.stop)
        eventually(lambda: len(stream.numbers) > 5, 20, "the stream has begun")
        load.wait_for(50)
        slow = Counter()
        for _ in range(3):
            under_way = Load(self.client, "/slow")
            eventually(lambda: self.running() >= CALLERS, 20, "slow requests are under way")
            disturb()
            load.wait_for(50)
            slow += under_way.stop()
        self.wait_for_agents()
        before = len(stream.numbers)
        eventually(lambda: len(stream.numbers) > before + 5, 30, "the stream goes on")
        outcomes = load.stop()
        stream.stop()
        kept, failures = wrk.stop()
        print(f"\n{what}: new requests {dict(outcomes)}, the slowest {dict(load.slowest)} s; under way {dict(slow)}; "
              f"kept connections {kept}; stream: {len(stream.numbers)} events over {stream.connections} connections",
              flush=True)
        self.assertEqual(set(outcomes), {"ok"}, outcomes)
        self.assertEqual(set(slow), {"ok"}, slow)
        self.assertGreater(kept, 50)
        self.assertEqual(failures, [])
        self.assertEqual(stream.numbers, list(range(len(stream.numbers))))
        return stream

    def running(self):
        return sum(tunnel["running"] for tunnel in self.server.get_json()["tunnels"])

    def wait_for_agents(self):
        eventually(lambda: all(agent.is_connected() for agent in self.agents), 40, "both agents are back")

    def test_the_server_restarts(self):
        def restart():
            self.server.stop()
            self.server.start()
            self.wait_for_agents()
        self.under_load("server restarts", restart)

    def test_the_agents_restart_one_after_the_other(self):
        def restart():
            for agent in self.agents:
                agent.stop()
                agent.start()
                agent.wait_connected()
        self.under_load("agent restarts", restart)

    def reload(self, text):
        mark = self.server.log_size()
        self.server.config.write_text(text)
        self.server.signal(signal.SIGHUP)
        self.server.wait_for_log("the configuration has been read again", after=mark)

    def test_the_configuration_is_read_again(self):
        count = iter(range(100))

        def change():
            number = next(count)
            self.reload(self.server.config.read_text()
                        + f'[[route]]\nname = "r{number}"\npath = "/r{number}"\n'
                        + ('' if number else '[[route]]\nname = "default"\n'))
        stream = self.under_load("configuration changes", change)
        self.assertEqual(stream.connections, 1, "what is under way is not touched")

    def test_the_certificate_changes(self):
        seen = set()

        def shown():
            return ssl.get_server_certificate(("127.0.0.1", self.server.ingress_port), timeout=20)

        def change():
            seen.add(shown())
            for file, other in zip(self.certificate, self.authority.issue(f"renewed{len(seen)}")):
                file.write_bytes(other.read_bytes())
            self.reload(self.server.config.read_text())
            seen.add(shown())
        stream = self.under_load("certificate changes", change)
        self.assertEqual(len(seen), 4)
        self.assertEqual(stream.connections, 1, "what is under way is not touched")


if __name__ == "__main__":
    unittest.main()
