"""Server, agent and upstream die as in a power cut while callers send events: whatever was acknowledged arrives.

Every event has an id of its own. A caller sends it until it is acknowledged, as providers do; the upstream writes
down what it gets before it answers. ROUNDS and SEED of the environment change how often and in which order.
"""

import collections
import hashlib
import os
import random
import sqlite3
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "flow"))

from inbox_scene import InboxTest, route  # noqa: E402
from killable import UpstreamProcess, serve  # noqa: E402
from scene import request  # noqa: E402
from support import Caller, Ended, eventually  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "100"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
CALLERS = 6
WEIGHTS = {"server": 4, "server and agent": 3, "agent": 3, "upstream": 3, "everything": 1}
REFUSALS = {502, 503, 504}


class Effects:
    """What the upstream did, from the file it writes to."""

    def __init__(self, path):
        self.path = path
        self.deliveries = collections.Counter()  # by the caller's id
        self.effects = collections.defaultdict(set)  # the caller's id: Webhook-Ids
        self.digests = collections.defaultdict(set)
        self._size = 0

    def read(self):
        """Takes in what came since the last time."""
        with self.path.open("rb") as file:
            file.seek(self._size)
            data = file.read()
        data = data[:data.rfind(b"\n") + 1]
        self._size += len(data)
        for line in data.decode().splitlines():
            name, webhook, digest = line.split(" ")
            self.deliveries[name] += 1
            self.effects[name].add(webhook)
            self.digests[name].add(digest)
        return self


class Callers:
    """Threads that send one event after the other, each until it is acknowledged."""

    def __init__(self, port):
        self.port = port
        self.acked = {}  # id: digest of the body
        self.counts = collections.Counter()
        self.wrong = []
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def stop(self):
        """Lets each caller's last event be acknowledged."""
        self._ends.set()
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive(), "a caller gets no acknowledgement"

    def _run(self, number):
        chance = random.Random(SEED + number)
        caller = None
        for count in range(1 << 30):
            if self._ends.is_set():
                break
            name, body = f"{number}-{count}", chance.randbytes(chance.choice((0, 10, 2000, 2000, 60_000)))
            target = chance.choices(("/inbox", "/auto", "/fifo"), (4, 4, 1))[0]
            data = request(target, method="POST", body=body, fields=[f"X-Event: {name}"])
            while True:
                caller = caller or self._connect()
                outcome = self._send(caller, data, name) if caller else "no connection"
                with self._lock:
                    self.counts[outcome] += 1
                    if outcome == "acked":
                        self.acked[name] = hashlib.sha256(body).hexdigest()
                        break
                if caller and (outcome == "connection lost" or chance.random() < 0.2):
                    caller.close()
                    caller = None
                if outcome != "acked":
                    time.sleep(0.01)
        if caller:
            caller.close()

    def _connect(self):
        try:
            return Caller(self.port)
        except OSError:
            return None

    def _send(self, caller, data, name):
        try:
            response = caller.exchange(data, b"POST")
        except (Ended, ConnectionError):
            return "connection lost"
        except TimeoutError:
            self.wrong.append(f"{name}: no answer and no end")
            return "connection lost"
        if response.status == 200 and response.body in (b"kept", b"done"):
            return "acked"
        if response.status not in REFUSALS:
            self.wrong.append(f"{name}: status {response.status}: {response.body[:200]!r}")
        return str(response.status)


class InboxKillNine(InboxTest):
    def test_every_acknowledged_event_arrives_whatever_dies(self):
        print(f"\nSEED={SEED} ROUNDS={ROUNDS}", file=sys.stderr)
        self.chance = random.Random(SEED)
        folder = tempfile.TemporaryDirectory(prefix="rockdove-effects-")
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "effects"
        path.touch()
        self.effects = Effects(path)
        self.upstream_process = UpstreamProcess(__file__, path)
        self.addCleanup(self.upstream_process.kill9)
        common = {"dedupe": "header:X-Event", "ack": '{status = 200, type = "text/plain", body = "kept"}'}
        self.rockdove = self.inbox_server(
            route("inbox", "inbox", "/inbox", **common), route("auto", "auto", "/auto", deadline="200ms", **common),
            route("inbox", "fifo", "/fifo", order="fifo", **common), keys='agent_wait = "100ms"\ndrain = "1s"')
        self.office = self.agent(self.rockdove, self.upstream_process)
        self.callers = Callers(self.rockdove.ingress_port)
        self.addCleanup(self.callers.stop)
        began, self.killed = time.monotonic(), collections.Counter()
        for number in range(ROUNDS):
            if number % 10 == 0:  # so that they die at work, and not while they start
                self.wait_for_deliveries(5)
            self.wait_for_acks(2)
            time.sleep(self.chance.random() * 0.1)
            self.kill(self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0])
        self.finish()
        duplicates = sum(self.effects.deliveries.values()) - sum(map(len, self.effects.effects.values()))
        print(f"killed {dict(self.killed)} in {time.monotonic() - began:.0f} s; acked {len(self.callers.acked)}, "
              f"delivered {sum(self.effects.deliveries.values())}, duplicates {duplicates}, "
              f"calls {dict(self.callers.counts)}", file=sys.stderr)
        self.check()

    def kill(self, what):
        victims = {"server": self.rockdove, "agent": self.office, "upstream": self.upstream_process}
        chosen = list(victims) if what == "everything" else what.split(" and ")
        for name in chosen:
            victims[name].kill9()
            self.killed[name] += 1
        time.sleep(self.chance.random() * 0.05)
        for name in self.chance.sample(chosen, len(chosen)):
            victims[name].start()

    def wait_for_acks(self, count):
        goal = len(self.callers.acked) + count
        eventually(lambda: len(self.callers.acked) >= goal or self.callers.wrong, 60, f"acks: {self.callers.counts}")
        self.assertEqual(self.callers.wrong, [])

    def wait_for_deliveries(self, count):
        """An agent takes up to half a minute to come back after the server has died again and again: a new one
        does not."""
        goal = len(self.effects.read().deliveries) + count
        try:
            eventually(lambda: len(self.effects.read().deliveries) >= goal, 1)
        except AssertionError:
            self.kill("agent")
            eventually(lambda: len(self.effects.read().deliveries) >= goal, 60, f"deliveries: {self.callers.counts}")

    def finish(self):
        """Everybody lives again, and all that was acknowledged gets the time to arrive."""
        self.callers.stop()
        self.office.kill9()
        self.office.start()
        # Attempts that were cut off are made again, beside those that are due anyway.
        self.wait_while_it_moves(lambda: self.rockdove.inbox.tally().keys() <= {"done"})
        missing = self.callers.acked.keys() - self.effects.read().deliveries.keys()
        self.assertEqual(sorted(missing), [], "acknowledged and never delivered")

    def wait_while_it_moves(self, is_over, patience=30):
        """How long it takes depends on the backlog: only standing still is wrong."""
        seen, since = 0, time.monotonic()
        while not is_over():
            if (count := sum(self.effects.read().deliveries.values())) != seen:
                seen, since = count, time.monotonic()
            if time.monotonic() - since > patience:
                self.fail(f"nothing is delivered any more; there are {self.rockdove.inbox.tally()}")
            time.sleep(0.2)

    def check(self):
        effects = self.effects.read()
        self.assertEqual(self.callers.wrong, [])
        wrong = {name for name, digest in self.callers.acked.items() if effects.digests[name] != {digest}}
        self.assertEqual(wrong, set(), "arrived with other bytes")
        # An upstream that knows the Webhook-Ids it has seen does everything once.
        self.assertEqual({name: found for name, found in effects.effects.items() if len(found) != 1}, {})
        self.assertGreater(len(self.callers.acked), 2 * ROUNDS)
        for process in (self.rockdove, self.office):
            self.assertTrue(process.is_running())
        self.rockdove.stop()
        for file in self.rockdove.data.rglob("*"):
            if file.is_file() and file.read_bytes()[:15] == b"SQLite format 3":
                with sqlite3.connect(file) as database:
                    self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])


def writer_to(path):
    """A handler that writes down what it gets before it answers."""
    written = os.open(path, os.O_WRONLY | os.O_APPEND)

    def write_down(connection, message):
        digest = hashlib.sha256(connection.read_body(message)).hexdigest()
        line = f"{message.get(b'x-event').decode()} {message.get(b'webhook-id').decode()} {digest}\n"
        os.write(written, line.encode())  # whole or not at all, and there when this process is killed
        return b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone"
    return write_down


if __name__ == "__main__":
    if sys.argv[1:2] == ["upstream"]:
        serve(writer_to(sys.argv[3]), int(sys.argv[2]))
    unittest.main()
