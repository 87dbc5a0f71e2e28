"""Server, agent and upstream die in turn, as in a power cut, while callers go on calling.

Whatever a caller takes for an answer has to be the answer to its own request, whole and right. ROUNDS and SEED of
the environment change how long and in which order.
"""

import collections
import hashlib
import json
import os
import random
import socket
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "flow"))

from killable import UpstreamProcess, serve  # noqa: E402
from scene import SceneTest, request  # noqa: E402
from support import PATIENCE, Agent, Ended, eventually  # noqa: E402
from wire import Reader  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "21"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
CALLERS = 6
CAUSES = {("edge", "no_agent"), ("link", "link_lost"), ("link", "stream_reset"), ("upstream", "upstream_refused"),
          ("upstream", "upstream_reset"), ("upstream", "upstream_timeout")}


def expected_body(name, digest, size):
    """What the upstream answers to a request of that name whose body has that digest."""
    line = f"{name} {digest}\n".encode()
    return (line * (size // len(line) + 1))[:max(size, len(line))]


def echo(connection, message):
    """The upstream's handler: target /NAME/SIZE/FRAMING asks for an answer's size and how it is sent."""
    _, name, size, framing = message.target.decode().split("/")
    digest = hashlib.sha256(connection.read_body(message)).hexdigest()
    body = expected_body(name, digest, int(size))
    if framing == "length":
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    elif framing == "close":
        connection.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        connection.close()
    else:
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        step = max(1, len(body) // 7)
        for at in range(0, len(body), step):
            piece = body[at:at + step]
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            if framing == "slow":
                time.sleep(0.002)
        connection.send(b"0\r\n\r\n")


class Callers:
    """Threads that call without a pause until stop(); `counts` says how it went, `wrong` what must not happen."""

    def __init__(self, port, seed):
        self.port = port
        self.counts = collections.Counter()
        self.wrong = []
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number, random.Random(seed + number)), daemon=True)
                         for number in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def whole(self):
        return self.counts["whole"]

    def stop(self):
        self._ends.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, number, chance):
        caller = None
        for count in range(1 << 30):
            if self._ends.is_set():
                break
            if caller is None or chance.random() < 0.3:
                if caller:
                    caller.sock.close()
                caller = self._connect()
            outcome = self._call(caller, f"{number}-{count}", chance) if caller else "no connection"
            with self._lock:
                self.counts[outcome] += 1
            if outcome != "whole":
                if caller:
                    caller.sock.close()
                caller = None
                time.sleep(0.01)
        if caller:
            caller.sock.close()

    def _connect(self):
        try:
            return Reader(socket.create_connection(("127.0.0.1", self.port), PATIENCE))
        except OSError:
            return None

    def _call(self, caller, name, chance):
        """One exchange; returns what came of it in a word."""
        body = chance.randbytes(chance.choice((0, 10, 3000, 20_000, 200_000)))
        size = chance.choice((0, 100, 5000, 60_000, 500_000))
        framing = chance.choice(("length", "chunked", "slow", "close"))
        method = chance.choice(("GET", "POST", "PUT"))
        message = request(f"/{name}/{size}/{framing}", method=method, body=body if method != "GET" else None)
        digest = hashlib.sha256(body if method != "GET" else b"").hexdigest()
        try:
            response = self._exchange(caller, message, method)
        except (Ended, ConnectionError):
            return "connection lost"
        except TimeoutError:
            self.wrong.append(f"{name}: no answer and no end")
            return "wrong"
        if response.status == 200:
            if response.body == expected_body(name, digest, size):
                return "whole"
            self.wrong.append(f"{name}: {method} {framing} {size}: {len(response.body)} bytes: {response.body[:120]!r}")
            return "wrong"
        return self._error(name, response)

    @staticmethod
    def _exchange(caller, message, method):
        try:
            caller.sock.sendall(message)
        except ConnectionError:
            pass  # an answer may have come before the request's end
        return caller.response(method)

    def _error(self, name, response):
        try:
            error = json.loads(response.body)["error"]
            if response.status in (502, 503, 504) and (error["hop"], error["cause"]) in CAUSES:
                return f"{response.status} {error['cause']}"
        except (ValueError, KeyError):
            pass
        self.wrong.append(f"{name}: status {response.status}: {response.body[:200]!r}")
        return "wrong"


class KillNine(SceneTest):
    def test_no_caller_gets_a_wrong_or_shortened_answer_whatever_dies(self):
        print(f"\nSEED={SEED} ROUNDS={ROUNDS}", file=sys.stderr)
        chance = random.Random(SEED)
        upstream = UpstreamProcess(__file__)
        self.addCleanup(upstream.kill9)
        server = self.server(keys='agent_wait = "1s"\ndrain = "1s"')
        agents = [self.take_in(Agent(server, upstream, name)) for name in ("one", "two")]
        callers = Callers(server.ingress_port, SEED)
        self.addCleanup(callers.stop)
        killed = collections.Counter()
        victims = []
        for _ in range(ROUNDS):
            if not victims:
                victims = [("server", server), ("upstream", upstream), ("agent", agents[0]), ("agent", agents[1])]
                chance.shuffle(victims)
            self.wait_for_answers(callers, 5)
            time.sleep(chance.random() * 0.05)
            kind, victim = victims.pop()
            killed[kind] += 1
            victim.kill9()
            time.sleep(chance.random() * 0.05)
            victim.start()
        self.wait_for_answers(callers, 50)
        callers.stop()
        print(f"killed {dict(killed)}, calls {dict(callers.counts)}", file=sys.stderr)
        self.assertEqual(callers.wrong, [])
        self.assertGreater(callers.whole(), 5 * ROUNDS)
        self.assertTrue(all(process.is_running() for process in (server, *agents)))
        eventually(lambda: all(agent.is_connected() for agent in agents), 60, "all agents are back")

    def wait_for_answers(self, callers, count):
        """An agent may take up to half a minute to come back after the server has died again and again."""
        goal = callers.whole() + count
        eventually(lambda: callers.whole() >= goal or callers.wrong, 60, f"{count} more answers: {callers.counts}")
        self.assertEqual(callers.wrong, [])


if __name__ == "__main__":
    if sys.argv[1:2] == ["upstream"]:
        serve(echo, int(sys.argv[2]))
    unittest.main()
