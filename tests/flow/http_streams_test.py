"""Bodies that are long, slow, or never end: byte for byte, in bounded memory, at the pace of whoever is slower."""

import hashlib
import queue
import threading
import time
import unittest

from support import FlowTest, eventually, is_sanitized

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
MIB = 1 << 20
MEMORY_MAX = 64 * MIB


def make_pieces(total, size=256 * 1024):
    """Pieces of a body that repeats nowhere near, so that a lost or doubled one changes the checksum."""
    for number in range(total // size):
        yield (b"%016d" % number) * (size // 16)


class Large(FlowTest):
    total = (20 if is_sanitized() else 100) * MIB

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        digest = hashlib.sha256()
        for piece in make_pieces(cls.total):
            digest.update(piece)
        cls.checksum = digest.digest()

    def assert_memory_bounded(self):
        if is_sanitized():
            return
        for process in (self.server, self.agent):
            self.assertLess(process.memory_peak(), MEMORY_MAX, process.name)

    def receive(self, reader, message):
        digest, size = hashlib.sha256(), 0
        for piece in reader.pieces(message):
            digest.update(piece)
            size += len(piece)
        self.assertEqual((size, digest.digest()), (self.total, self.checksum))

    def upload(self, chunked):
        seen = []

        def handler(connection, request):
            connection.keep = 0
            try:
                self.receive(connection, request)
                seen.append(request.framing)
            finally:
                connection.send(b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\ndone")

        self.upstream.clear(handler)
        caller = self.caller()
        framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % self.total
        caller.send(b"PUT /big HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
        for piece in make_pieces(self.total):
            caller.send(b"%x\r\n" % len(piece) + piece + b"\r\n" if chunked else piece)
        if chunked:
            caller.send(b"0\r\n\r\n")
        self.assertEqual(caller.response().status, 201)
        self.assertEqual(seen, ["chunked" if chunked else "length"])
        self.assert_memory_bounded()

    def test_a_large_upload_with_a_length_arrives_whole_in_bounded_memory(self):
        self.upload(chunked=False)

    def test_a_large_chunked_upload_arrives_whole_in_bounded_memory(self):
        self.upload(chunked=True)

    def test_a_large_download_arrives_whole_in_bounded_memory(self):
        for framing in (b"Content-Length: %d" % self.total, b"Transfer-Encoding: chunked"):
            with self.subTest(framing=framing):
                def handler(connection, request):
                    connection.send(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
                    chunked = framing.startswith(b"T")
                    for piece in make_pieces(self.total):
                        connection.send(b"%x\r\n" % len(piece) + piece + b"\r\n" if chunked else piece)
                    if chunked:
                        connection.send(b"0\r\n\r\n")

                self.upstream.clear(handler)
                caller = self.caller()
                caller.keep = 0
                caller.send(GET)
                message = caller.head()
                message.framing = caller.framing_of(message, "none")
                self.receive(caller, message)
                self.assert_memory_bounded()

    def test_a_webhook_does_not_wait_behind_a_bulk_download(self):
        ended = []

        def handler(connection, request):
            if request.target == b"/webhook":
                return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % self.total)
            for piece in make_pieces(self.total):
                connection.send(piece)
            return None

        def download():
            caller = self.caller()
            caller.keep = 0
            caller.send(GET)
            message = caller.head()
            message.framing = "length"
            self.receive(caller, message)
            ended.append(True)

        self.upstream.clear(handler)
        threads = [threading.Thread(target=download) for _ in range(2)]
        for thread in threads:
            thread.start()
        caller, slowest = self.caller(), 0
        eventually(lambda: len(self.upstream.requests) == 2)
        for _ in range(20):
            started = time.monotonic()
            self.assertEqual(caller.exchange(b"GET /webhook HTTP/1.1\r\nHost: a\r\n\r\n").body, b"ok")
            slowest = max(slowest, time.monotonic() - started)
        for thread in threads:
            thread.join()
        self.assertEqual(len(ended), 2)
        self.assertLess(slowest, 5 if is_sanitized() else 1)


class Events(FlowTest):
    def test_every_server_sent_event_arrives_before_the_next_is_made(self):
        wanted = queue.Queue()

        def handler(connection, request):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
                            b"Transfer-Encoding: chunked\r\n\r\n")
            while (event := wanted.get(timeout=20)) is not None:
                connection.send(b"%x\r\n" % len(event) + event + b"\r\n")
            connection.send(b"0\r\n\r\n")

        self.upstream.clear(handler)
        caller = self.caller()
        caller.send(GET)
        message = caller.head()  # before there is any event
        self.assertEqual(message.get(b"content-type"), b"text/event-stream")
        message.framing = caller.framing_of(message, "none")
        pieces, slowest = caller.pieces(message), 0
        for number in range(50):
            event = b"id: %d\ndata: %b\n\n" % (number, b"x" * number * 10)
            started = time.monotonic()
            wanted.put(event)
            self.assertEqual(next(pieces), event)
            slowest = max(slowest, time.monotonic() - started)
        wanted.put(None)
        self.assertEqual(list(pieces), [])
        self.assertLess(slowest, 1)

    def test_events_without_a_framing_arrive_one_by_one_too(self):
        wanted = queue.Queue()

        def handler(connection, request):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            while (event := wanted.get(timeout=20)) is not None:
                connection.send(event)
            connection.close()

        self.upstream.clear(handler)
        caller = self.caller()
        caller.send(GET)
        message = caller.head()
        message.framing = "chunked"
        pieces = caller.pieces(message)
        for event in (b"data: 1\n\n", b"data: 2\n\n", b": ping\n\n"):
            wanted.put(event)
            self.assertEqual(next(pieces), event)
        wanted.put(None)
        self.assertEqual(list(pieces), [])


class Backpressure(FlowTest):
    """A side that does not read may cost what sockets and windows hold, not more."""

    ROOM = 40 * MIB  # both sockets' buffers, a stream's windows at their largest, and what loopback adds
    OFFER = 200 * MIB

    def push(self, send, sent, may_stop):
        """Sends until told to stop or done; counts into sent[0]."""
        piece = b"x" * 65536
        try:
            while sent[0] < self.OFFER and not may_stop.is_set():
                send(piece)
                sent[0] += len(piece)
        except OSError:
            pass

    def wait_until_stuck(self, sent):
        """The count once it has not grown for a while."""
        last, since = -1, time.monotonic()
        while time.monotonic() - since < 1:
            if sent[0] != last:
                last, since = sent[0], time.monotonic()
            self.assertLess(last, self.ROOM, "the sender was not slowed down")
            time.sleep(0.02)
        return last

    def assert_memory_bounded(self):
        if not is_sanitized():
            for process in (self.server, self.agent):
                self.assertLess(process.memory_peak(), MEMORY_MAX, process.name)

    def test_a_caller_that_does_not_read_slows_the_upstream(self):
        sent, may_stop = [0], threading.Event()

        def handler(connection, request):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % self.OFFER)
            self.push(connection.send, sent, may_stop)
            may_stop.set()

        self.upstream.clear(handler)
        caller = self.caller(receive_buffer=65536)
        caller.keep = 0
        caller.send(GET)
        stuck = self.wait_until_stuck(sent)
        self.assertGreater(stuck, 0)
        self.assert_memory_bounded()
        # Once it reads, everything flows again, and another caller was never held up.
        self.assertEqual(self.server.get_json("/health")["status"], "ok")
        while sent[0] < stuck + 8 * MIB:
            caller.some()
        may_stop.set()
        caller.close()

    def test_an_upstream_that_does_not_read_slows_the_caller(self):
        sent, may_stop, may_read = [0], threading.Event(), threading.Event()

        def handler(connection, request):
            may_read.wait(30)
            connection.keep = 0
            while not may_stop.is_set():
                connection.some()
            connection.close()

        self.upstream.clear(handler)
        caller = self.caller()
        caller.send(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % self.OFFER)
        thread = threading.Thread(target=self.push, args=(caller.send, sent, may_stop))
        thread.start()
        stuck = self.wait_until_stuck(sent)
        self.assert_memory_bounded()
        may_read.set()
        eventually(lambda: sent[0] > stuck + 8 * MIB)
        may_stop.set()
        caller.close()
        thread.join(10)

    def test_many_stuck_streams_leave_room_for_another_request(self):
        may_stop = threading.Event()

        def handler(connection, request):
            if request.target == b"/small":
                return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % self.OFFER)
            self.push(connection.send, [0], may_stop)
            return None

        self.upstream.clear(handler)
        callers = [self.caller(receive_buffer=4096) for _ in range(20)]
        for caller in callers:
            caller.send(GET)
        eventually(lambda: len(self.upstream.requests) == 20)
        time.sleep(0.3)
        started = time.monotonic()
        self.assertEqual(self.call(b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n").body, b"ok")
        self.assertLess(time.monotonic() - started, 5 if is_sanitized() else 1)
        may_stop.set()
        for caller in callers:
            caller.close()


if __name__ == "__main__":
    unittest.main()
