"""Honest answers: what a caller gets when the upstream fails, and that half an answer never looks whole."""

import socket
import time
import unittest

from support import Ended, FlowTest, Upstream, eventually

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"


class DyingUpstream(FlowTest):
    def dies_after(self, data, how="close"):
        def handler(connection, request):
            connection.read_body(request)
            connection.send(data)
            time.sleep(0.02)  # what is on its way arrives before the end does
            getattr(connection, how)()

        self.upstream.clear(handler)

    def get_broken(self, request=GET):
        """The Ended that reading the answer raises."""
        caller = self.caller()
        caller.send(request)
        with self.assertRaises(Ended) as caught:
            caller.response()
        return caught.exception

    def test_a_chunked_answer_that_breaks_off_has_no_final_chunk(self):
        for how in ("close", "reset"):
            for data in (b"", b"5\r\nhello\r\n", b"5\r\nhello\r\n6\r\n wo", b"5\r\nhello\r\n0\r\n",
                         b"5\r\nhello\r\n0\r\nX: 1\r\n", b"5\r\nhello\r\n5", b"5\r\nhello"):
                with self.subTest(how=how, data=data):
                    self.dies_after(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + data, how)
                    end = self.get_broken()
                    self.assertEqual(end.partial.framing, "chunked")
                    self.assertTrue(b"hello world".startswith(end.partial.body), end.partial.body)
                    self.assertNotIn(b"0\r\n\r\n", end.partial.raw_body)

    def test_an_answer_with_a_length_that_breaks_off_is_reset(self):
        for how in ("close", "reset"):
            for size in (0, 3, 50_000):
                with self.subTest(how=how, size=size):
                    self.dies_after(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * size, how)
                    end = self.get_broken()
                    self.assertEqual((end.how, end.partial.get(b"content-length")), ("reset", b"100000"))
                    self.assertLess(len(end.partial.body), 100_000)

    def test_bad_chunks_in_an_answer_never_make_a_whole_one(self):
        for data in (b"g\r\n", b"-1\r\n", b"5\r\nhelloXX", b"5\nhello\n", b"11111111111111111\r\n", b" 5\r\nhello\r\n",
                     b"5\r\nhello\r\n0\r\nBad Trailer: 1\r\n\r\n", b"5\r\nhello\r\n0\r\nContent-Length: 1\r\n\r\n"):
            with self.subTest(data=data):
                self.upstream.clear(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
                # The head may not have left yet: then there is room for an honest answer.
                caller = self.caller()
                caller.send(GET)
                try:
                    self.assertEqual(caller.response().status, 502)
                except Ended as end:
                    self.assertEqual(end.partial.framing, "chunked")

    def test_a_broken_answer_to_http_1_0_is_reset(self):
        self.dies_after(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        self.assertEqual(self.get_broken(b"GET / HTTP/1.0\r\n\r\n").how, "reset")

    def test_an_upstream_that_ends_without_an_answer_is_a_502(self):
        for how in ("close", "reset"):
            for data in (b"", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n",
                         b"HTTP/1.1 103 Hints\r\n\r\n"):
                for request in (GET, POST):
                    with self.subTest(how=how, data=data, request=request[:4]):
                        self.dies_after(data, how)
                        self.assert_error(self.call(request), 502, "upstream", "upstream_reset")
                        self.assertEqual(len(self.upstream.requests), 1, "sent again, though the upstream has seen it")

    def test_the_connection_of_a_caller_outlives_an_upstreams_failure(self):
        self.dies_after(b"")
        caller = self.caller()
        for _ in range(3):
            self.assert_error(caller.exchange(POST), 502, "upstream", "upstream_reset")
        self.upstream.clear()
        self.assertEqual(caller.exchange(POST).body, b"ok")

    def test_failures_are_counted_by_cause(self):
        before = self.server.route()["errors"].get("upstream_reset", 0)
        self.dies_after(b"")
        self.call(GET)
        eventually(lambda: self.server.route()["errors"].get("upstream_reset", 0) == before + 1)


class MalformedUpstream(FlowTest):
    def test_a_malformed_answer_is_a_502_and_not_a_byte_of_it_comes_through(self):
        ok = b"HTTP/1.1 200 OK\r\n"
        for data in (b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/2.0 200 OK\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n",
                     b"\r\n\r\n\r\n", b"HTTP/1.1 99 OK\r\n\r\n", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
                     ok + b"Bad Name: 1\r\n\r\n",
                     ok + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ok + b"X : 1\r\n\r\n",
                     ok + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", ok + b"Content-Length: -1\r\n\r\n",
                     ok + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", ok + b"X: a\0b\r\n\r\n",
                     ok + b"X: 1\r\n folded\r\nContent-Length: 0\r\n\r\n", ok + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
                     ok + b" X: 1\r\n\r\n", ok + b": 1\r\n\r\n",
                     b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"):
            with self.subTest(data=data[:60]):
                self.upstream.clear(data)
                self.assert_error(self.call(GET), 502, "upstream", "upstream_malformed")

    def test_what_an_upstream_says_unasked_is_no_ones_answer(self):
        def handler(connection, request):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst")
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")

        self.upstream.clear(handler)
        self.assertEqual(self.call(GET).body, b"first")
        time.sleep(0.05)
        self.upstream.clear()
        for _ in range(3):
            self.assertEqual(self.call(GET).body, b"ok")


class SilentUpstream(FlowTest):
    server_toml = '[[route]]\nname = "quick"\npath = "/quick"\nfirst_byte_timeout = "300ms"\n[[route]]\nname = "rest"'

    def test_an_upstream_without_an_answer_in_time_is_a_504(self):
        for request in (b"GET /quick HTTP/1.1\r\nHost: a\r\n\r\n",
                        b"POST /quick/x HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20_000,
                        b"POST /quick HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"):
            with self.subTest(request=request[:20]):
                def handler(connection, request):
                    connection.read_body(request)
                    connection.wait_end()

                self.upstream.clear(handler)
                started = time.monotonic()
                self.assert_error(self.call(request), 504, "upstream", "upstream_timeout")
                self.assertGreater(time.monotonic() - started, 0.29)
                self.assertLess(time.monotonic() - started, 3)
                eventually(lambda: self.upstream.connections[-1].ended, what="the upstream's connection to end")

    def test_the_limit_is_for_the_first_byte_only(self):
        def handler(connection, request):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
            time.sleep(0.5)
            connection.send(b"ok")

        self.upstream.clear(handler)
        self.assertEqual(self.call(b"GET /quick HTTP/1.1\r\nHost: a\r\n\r\n").body, b"ok")

    def test_a_slow_upload_is_not_a_silent_upstream(self):
        caller = self.caller()
        caller.send(b"POST /quick HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n")
        for _ in range(5):
            time.sleep(0.15)
            caller.send(b"x" * 4000)
        self.assertEqual(caller.response().body, b"ok")


class RefusedUpstream(FlowTest):
    upstream_keys = 'connect_timeout = "500ms"'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = cls.upstream.port

    def test_an_upstream_that_is_not_there_is_a_502_until_it_comes_back(self):
        self.upstream.stop()
        large = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20_000
        for request in (GET, POST, large):
            with self.subTest(request=request[:4]):
                self.assert_error(self.call(request), 502, "upstream", "upstream_refused")
        report = self.server.agent("office")["upstreams"][0]
        self.assertEqual(report["up"], False)
        again = Upstream(port=self.port)
        self.addCleanup(again.stop)
        self.assertEqual(self.call(GET).body, b"ok")
        eventually(lambda: self.server.is_up("office"))

    def test_an_upstream_that_takes_no_connection_is_a_502(self):
        self.upstream.stop()
        # A full backlog: the kernel drops what comes after it.
        full = socket.create_server(("127.0.0.1", self.port), backlog=0)
        self.addCleanup(full.close)
        fillers = []
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            fillers.append(filler)
            self.addCleanup(filler.close)
        self.assert_error(self.call(GET), 502, "upstream", "upstream_refused")


if __name__ == "__main__":
    unittest.main()
