"""Disks that are full, fail or rot: no caller hears yes for what is not safe, /health says why, and it mends itself."""

import json
import os
import random
import re
import resource
import signal
import sqlite3
import subprocess
import unittest
from pathlib import Path

from inbox_scene import InboxServer, InboxTest, route
from processes import BINARY
from scene import answer, request
from support import eventually

BODY = 32 * 1024
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)


def may_mount():
    """Whether this process may have a mount namespace of its own and mount something in it."""
    command = ["unshare", "-m", "--propagation", "private", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    except OSError:
        return False


class SmallDiskServer(InboxServer):
    """A server whose data directory is a disk of its own, in a mount namespace that ends with the process."""

    size = 6 << 20

    def start(self):
        (self.directory / "data").mkdir(exist_ok=True)
        script = f'mount -t tmpfs -o size={self.size} tmpfs "$0" && exec "$@"'
        self.arguments = ["unshare", "-m", "--propagation", "private", "sh", "-c", script,
                          str(self.directory / "data"), BINARY, "server", "--config", str(self.config)]
        return super().start()

    @property
    def data(self):
        return Path(f"/proc/{self.pid}/root{self.directory}/data")

    def run(self, *arguments, stdin=""):
        command = ["nsenter", "-t", str(self.pid), "-m", BINARY, *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=True,
                              env=self.environment()).stdout


class LimitedServer(InboxServer):
    """A server that cannot make a file longer than `limit` bytes until widen()."""

    limit = 2 << 20

    def start(self):
        script = f"trap '' XFSZ; ulimit -S -f {self.limit // 512}; exec \"$@\""
        self.arguments = ["sh", "-c", script, "sh", BINARY, "server", "--config", str(self.config)]
        return super().start()

    def widen(self):
        _, hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (hard, hard))


class DiskTest(InboxTest):
    def setUp(self):
        super().setUp()
        self.chance = random.Random(SEED)
        self.acked, self.refused = [], []

    def make(self, kind, **keys):
        toml = route("inbox", ack='{status = 202, type = "text/plain", body = "kept"}', **keys)
        return self.take_in(kind(start=False, tls="off", toml=toml + '[[route]]\nname = "rest"\n')).start()

    def send(self, server):
        """One event; True if it was acknowledged. Anything but that or a clear refusal is wrong."""
        body = b"%08d" % (len(self.acked) + len(self.refused)) + self.chance.randbytes(BODY)
        got = self.post(server, body)
        if got.status == 202:
            self.acked.append(body)
            return True
        self.assert_error(got, 503, "edge", "unavailable")
        self.assertGreater(int(got.get(b"retry-after")), 0)
        self.refused.append(body)
        return False

    def fill(self, server, most=600):
        """Sends until the disk refuses, and goes on a little."""
        for _ in range(most):
            if not self.send(server):
                break
        else:
            self.fail("the disk does not get full")
        for _ in range(5):
            self.send(server)

    def health(self, server, port=None):
        return server.get_json("/health", port)

    def assert_says_why(self, server):
        """To operators; the public hears that something is wrong, and nothing of this machine."""
        health = eventually(lambda: (found := self.health(server))["status"] != "ok" and found, what="a bad health")
        self.assertTrue(re.search("disk|full|space|written", json.dumps(health["reasons"])), health)
        caller = self.caller(server)
        answered = caller.exchange(request("/health"))
        public = json.loads(answered.body)
        self.assertEqual(answered.status, 503)
        self.assertEqual(public["status"], health["status"])
        self.assertNotIn(str(server.directory), json.dumps(public))

    def assert_mended(self, server):
        """Takes events again, and brings all that was acknowledged to an upstream, byte for byte."""
        eventually(lambda: self.send(server), 30, "an event is taken again")
        eventually(lambda: self.health(server)["status"] == "ok", 30, "a good health")
        upstream = self.upstream()
        self.agent(server, upstream)
        missing = set(self.acked)

        def all_came():
            missing.difference_update({each.body for each in list(upstream.requests)})
            return not missing
        eventually(all_came, 60, "all acknowledged events")
        sent = set(self.acked) | set(self.refused)
        self.assertEqual([each.body[:8] for each in upstream.requests if each.body not in sent], [])


class FullDisk(DiskTest):
    def make_full(self, server):
        ballast = server.data / "ballast"
        ballast.write_bytes(b"x" * (2 << 20))
        self.fill(server)
        self.assert_says_why(server)
        return ballast

    @unittest.skipUnless(may_mount(), "needs the right to mount in a namespace of its own")
    def test_a_full_disk_refuses_and_takes_again_when_there_is_room(self):
        server = self.make(SmallDiskServer)
        ballast = self.make_full(server)
        self.assertGreater(len(self.acked), 5)
        ballast.unlink()
        self.assert_mended(server)

    @unittest.skipUnless(may_mount(), "needs the right to mount in a namespace of its own")
    def test_on_a_full_disk_what_was_taken_is_still_delivered(self):
        server = self.make(SmallDiskServer)
        join = server.token()
        ballast = self.make_full(server)
        upstream = self.upstream()
        self.agent(server, upstream, join=join)
        # Nothing can be recorded, so there may be repetitions, yet everything comes at least once.
        eventually(lambda: {each.body for each in list(upstream.requests)} >= set(self.acked), 60, "all events")
        ballast.unlink()
        eventually(lambda: set(server.inbox.states()) <= {"done"}, 60, "every event is done")

    def test_files_that_may_grow_no_further_refuse_and_take_again_when_they_may(self):
        server = self.make(LimitedServer)
        self.fill(server)
        self.assert_says_why(server)
        server.widen()
        self.assert_mended(server)

    def test_the_bound_of_the_store_refuses_like_a_full_disk(self):
        toml = route("inbox") + '[[route]]\nname = "rest"\n[inbox]\nbytes_max = "1MiB"\n'
        server = self.take_in(InboxServer(start=False, tls="off", toml=toml)).start()
        statuses = [self.post(server, b"x" * BODY).status for _ in range(60)]
        self.assertEqual(set(statuses), {200, 503})
        self.assertEqual(statuses, sorted(statuses))
        self.agent(server, self.upstream())
        server.inbox.wait_states(done=statuses.count(200))
        eventually(lambda: self.post(server, b"x").status == 200, 30, "room again")


class RottenDisk(DiskTest):
    def stored(self, count=40):
        """A stopped server with so many events on its disk."""
        server = self.make(InboxServer)
        for _ in range(count):
            self.assertTrue(self.send(server))
        server.stop()
        return server

    @staticmethod
    def database(server):
        """The file that holds the events."""
        files = [each for each in server.data.rglob("*") if each.is_file()]
        return next(each for each in files if each.read_bytes()[:15] == b"SQLite format 3")

    def assert_serves(self, server, spots=0):
        """Whatever is left of the old events: what comes is right, and new ones are taken and delivered."""
        server.start()
        new = []
        for _ in range(5):  # 503 while the damaged file is being salvaged is an honest answer
            eventually(lambda: self.send(server), 90, "an event is taken")
            new.append(self.acked[-1])
        upstream = self.upstream(answer())
        self.agent(server, upstream)
        sent = set(self.acked)
        # A flipped bit may have changed where, or when, an event is to be delivered: that one may wait for ever.
        stuck_max = 1 + spots // 20 if spots else 0

        def is_delivered():
            states = server.inbox.states()
            stuck = sum(count for state, count in states.items() if state not in ("done", "quarantined"))
            return stuck <= stuck_max and set(new) <= {each.body for each in upstream.requests}

        eventually(is_delivered, 60, "nothing left to deliver")
        came = [each.body for each in upstream.requests]
        self.assertLessEqual(set(new), set(came))
        self.assertEqual([body[:40] for body in came if body not in sent], [], "a damaged event was delivered")
        return len(set(came)) - len(new)

    def test_flipped_bytes_cost_what_they_hit_and_nothing_else(self):
        print(f"\nSEED={SEED}")
        for spots in (1, 10, 300):
            with self.subTest(spots=spots):
                self.acked.clear()
                server = self.stored()
                file = self.database(server)
                data = bytearray(file.read_bytes())
                for _ in range(spots):
                    data[self.chance.randrange(100, len(data))] ^= 1 << self.chance.randrange(8)
                file.write_bytes(data)
                kept = self.assert_serves(server, spots)
                if spots == 1:
                    self.assertGreaterEqual(kept, 35)

    def test_a_body_that_has_rotted_is_kept_aside_and_never_delivered(self):
        server = self.stored(3)
        file = self.database(server)
        data = file.read_bytes()
        at = data.index(self.acked[1][:64]) + 32
        file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
        self.assertEqual(self.assert_serves(server), 2)
        [event] = server.inbox.events(status="quarantined")
        self.assertTrue(event["reason"])

    def test_garbage_nothing_and_half_a_file_are_replaced_by_a_new_store(self):
        def garbage(file):
            file.write_bytes(self.chance.randbytes(200_000))

        def half(file):
            os.truncate(file, file.stat().st_size // 2)

        def zeros(file):
            file.write_bytes(bytes(file.stat().st_size))

        def log_of_another(file):
            Path(f"{file}-wal").write_bytes(self.chance.randbytes(100_000))
        for damage in (garbage, half, zeros, lambda file: os.truncate(file, 0), Path.unlink, log_of_another):
            with self.subTest(damage=damage):
                self.acked.clear()
                server = self.stored(10)
                damage(self.database(server))
                self.assert_serves(server)

    def test_a_database_that_was_moved_aside_is_not_thrown_away(self):
        server = self.stored(10)
        file = self.database(server)
        garbage = self.chance.randbytes(50_000)
        file.write_bytes(garbage)
        self.assert_serves(server)
        kept = [each for each in server.data.rglob("*") if each.is_file() and each.read_bytes() == garbage]
        self.assertEqual(len(kept), 1)
        self.assertIn(kept[0].name, server.log())

    def test_after_a_kill_the_database_is_whole(self):
        server = self.make(InboxServer)
        for _ in range(3):
            for _ in range(10):
                self.send(server)
            server.kill9()
            with sqlite3.connect(self.database(server)) as database:
                self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            server.start()
        self.assert_mended(server)

    def test_a_server_that_cannot_write_its_data_says_so_and_takes_nothing(self):
        server = self.make(InboxServer)
        data = server.data
        server.stop()
        script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
        if not may_mount():
            self.skipTest("needs the right to mount in a namespace of its own")
        server.write_config()
        command = ["unshare", "-m", "--propagation", "private", "sh", "-c", script, str(data), *server.arguments]
        done = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env=server.environment(), cwd=server.directory)
        self.addCleanup(done.wait)
        self.addCleanup(done.kill)
        try:
            said, _ = done.communicate(timeout=5)
            self.assertEqual(done.returncode, 1, said)
            self.assertIn(str(data), said)
        except subprocess.TimeoutExpired:  # it runs: then it must refuse, and say why
            self.assertFalse(self.send(server))
            self.assert_says_why(server)
            done.send_signal(signal.SIGTERM)
            done.wait(10)
        server.start()
        self.assertTrue(self.send(server))


if __name__ == "__main__":
    unittest.main()
