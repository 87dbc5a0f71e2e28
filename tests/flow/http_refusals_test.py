"""What is not a proper request is refused at the edge: the right status, the connection closed, and not a byte
of it at the upstream."""

import json
import random
import time
import unittest

from support import Ended, FlowTest, eventually, is_sanitized

LINE = b"GET / HTTP/1.1\r\n"
HEAD = LINE + b"Host: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
GET = HEAD + b"\r\n"
NEXT = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

BAD_FRAMING = {
    "Content-Length and Transfer-Encoding": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding and Content-Length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "the same Content-Length twice": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "two different Content-Lengths": POST + b"Content-Length: 5\r\ncontent-length: 6\r\n\r\nhello!",
    "a list of Content-Lengths": POST + b"Content-Length: 5, 5\r\n\r\nhello",
    "a negative Content-Length": POST + b"Content-Length: -5\r\n\r\nhello",
    "a Content-Length with a plus": POST + b"Content-Length: +5\r\n\r\nhello",
    "a hexadecimal Content-Length": POST + b"Content-Length: 0x5\r\n\r\nhello",
    "a Content-Length with a space": POST + b"Content-Length: 5 0\r\n\r\nhello",
    "an empty Content-Length": POST + b"Content-Length:\r\n\r\n",
    "a Content-Length with a fraction": POST + b"Content-Length: 5.0\r\n\r\nhello",
    "a Content-Length that overflows": POST + b"Content-Length: 18446744073709551617\r\n\r\nh",
    "a Content-Length in full-width digits": POST + "Content-Length: ５\r\n\r\nhello".encode(),
    "chunked twice in two fields": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an empty Transfer-Encoding": POST + b"Transfer-Encoding:\r\n\r\n0\r\n\r\n",
    "a Transfer-Encoding with a control byte": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}
BAD_HEADS = {
    "bare LF everywhere": b"GET / HTTP/1.1\nHost: a\n\n",
    "a bare LF behind the request line": b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    "a bare LF behind a field": LINE + b"Host: a\nX: 1\r\n\r\n",
    "a bare LF as the last line end": HEAD + b"X: 1\r\n\n",
    "a bare CR in a value": HEAD + b"X: a\rb\r\n\r\n",
    "an obsolete fold": HEAD + b"X: 1\r\n 2\r\n\r\n",
    "an obsolete fold with a tab": HEAD + b"X: 1\r\n\t2\r\n\r\n",
    "white space before the first field": LINE + b" Host: a\r\n\r\n",
    "a space before the colon": HEAD + b"X : 1\r\n\r\n",
    "a tab before the colon": LINE + b"Host\t: a\r\n\r\n",
    "Transfer-Encoding with a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a line without a colon": HEAD + b"nonsense\r\n\r\n",
    "an empty field name": HEAD + b": 1\r\n\r\n",
    "a field name with a slash": HEAD + b"X/Y: 1\r\n\r\n",
    "a field name beyond ASCII": HEAD + b"X\xe9: 1\r\n\r\n",
    "NUL in a value": HEAD + b"X: a\0b\r\n\r\n",
    "NUL in a name": HEAD + b"X\0: 1\r\n\r\n",
    "NUL in the target": b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a control byte in a value": HEAD + b"X: \x01\r\n\r\n",
    "DEL in a value": HEAD + b"X: \x7f\r\n\r\n",
    "no Host": LINE + b"X: 1\r\n\r\n",
    "two Hosts": HEAD + b"Host: a\r\n\r\n",
    "two different Hosts": HEAD + b"hOsT: b\r\n\r\n",
    "an empty Host": LINE + b"Host:\r\n\r\n",
    "a Host with a user": LINE + b"Host: me@a\r\n\r\n",
    "a Host with a path": LINE + b"Host: a/b\r\n\r\n",
    "a Host with a space": LINE + b"Host: a b\r\n\r\n",
    "a Host list": LINE + b"Host: a, b\r\n\r\n",
    "a Host with a bad port": LINE + b"Host: a:http\r\n\r\n",
}
BAD_LINES = {
    "a relative target": b"GET index.html HTTP/1.1\r\nHost: a\r\n\r\n",
    "an asterisk but not OPTIONS": b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "a fragment": b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT with a path": b"CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n",
    "authority-form but not CONNECT": b"GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tab": b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space at the end": b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "no method": b"/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method that is no token": b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version": b"GET /\r\nHost: a\r\n\r\n",
    "a version in lower case": b"GET / http/1.1\r\nHost: a\r\n\r\n",
    "a version with two digits": b"GET / HTTP/1.10\r\nHost: a\r\n\r\n",
    "two empty lines first": b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a TLS handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n",
    "a proxy protocol line": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + GET,
}
OTHERS = [
    (505, "HTTP/2.0", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    (505, "HTTP/1.2", b"GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    (505, "HTTP/0.9", b"GET / HTTP/0.9\r\n\r\n"),
    (505, "the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    (501, "gzip", POST + b"Transfer-Encoding: gzip\r\n\r\n"),
    (501, "gzip, chunked", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    (501, "chunked, chunked", POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    (501, "identity", POST + b"Transfer-Encoding: identity\r\n\r\n"),
    (501, "xchunked", POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    (414, "a long target", b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    (431, "a huge field", HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n"),
    (431, "a head without end", HEAD + b"X: " + b"y" * 70_000),
    (431, "too many fields", HEAD + b"".join(b"X-%d: 1\r\n" % number for number in range(300)) + b"\r\n"),
    (413, "a body over the limit", POST + b"Content-Length: 10001\r\n\r\n" + b"x" * 10_001),
    (413, "an announced body over the limit", POST + b"Content-Length: 99999999999\r\n\r\n"),
    (413, "the same, not sent yet", POST + b"Expect: 100-continue\r\nContent-Length: 10001\r\n\r\n"),
]
BAD_CHUNKS = {
    "no digits": b"\r\n", "not hexadecimal": b"g\r\nx\r\n", "a sign": b"+1\r\nx\r\n", "a minus": b"-1\r\nx\r\n",
    "a prefix": b"0x1\r\nx\r\n", "a space first": b" 1\r\nx\r\n", "a bare LF": b"1\nx\r\n", "a bare CR": b"1\rx\r\n",
    "a space behind": b"1 \r\nx\r\n", "an overflow": b"10000000000000000\r\nx\r\n",
    "data that is too long": b"1\r\nxy\r\n", "a bare LF behind data": b"1\r\nx\n0\r\n\r\n",
    "NUL in an extension": b"1;a=\0\r\nx\r\n", "a long extension": b"1;" + b"a" * 300 + b"\r\nx\r\n",
    "a bad trailer": b"0\r\nX : 1\r\n\r\n", "a folded trailer": b"0\r\nX: 1\r\n 2\r\n\r\n",
    "Content-Length as trailer": b"0\r\nContent-Length: 1\r\n\r\n", "Host as trailer": b"0\r\nHost: b\r\n\r\n",
    "Transfer-Encoding as trailer": b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a bare LF behind the last chunk": b"0\r\n\n",
}


class Refusals(FlowTest):
    server_toml = '[limits]\nbody_bytes = 10000\nhead_timeout = "400ms"\nidle_timeout = "500ms"\n' \
                  'body_idle_timeout = "400ms"'

    def refuse(self, data, status):
        """Sends what has to be refused, with a good request right behind it."""
        requests, size = len(self.upstream.requests), self.upstream.bytes_seen()
        caller = self.caller()
        try:
            caller.send(data + NEXT)
        except OSError:
            pass  # refused, and closed, before all of it was sent
        got = caller.response()
        self.assertEqual((got.status, got.get(b"connection")), (status, b"close"))
        self.assertEqual(json.loads(got.body)["error"]["hop"], "edge")
        self.assertEqual(caller.until_end()[0], b"")
        self.assertEqual((len(self.upstream.requests), self.upstream.bytes_seen()), (requests, size))

    def refuse_all(self, table, status=400):
        connections = len(self.upstream.connections)
        for name, data in table.items():
            with self.subTest(name):
                self.refuse(data, status)
        self.assertEqual(len(self.upstream.connections), connections)
        self.assertEqual(self.call(GET).body, b"ok")

    def test_framing_that_two_readers_may_read_differently_is_a_400(self):
        self.refuse_all(BAD_FRAMING)

    def test_heads_that_are_not_well_formed_are_a_400(self):
        self.refuse_all(BAD_HEADS)

    def test_request_lines_that_are_not_for_an_origin_server_are_a_400(self):
        self.refuse_all(BAD_LINES)

    def test_versions_codings_and_sizes_beyond_the_limits_have_their_own_status(self):
        connections = len(self.upstream.connections)
        for status, name, data in OTHERS:
            with self.subTest(name):
                self.refuse(data, status)
        self.assertEqual(len(self.upstream.connections), connections)

    def test_a_proxys_request_is_a_400_wherever_it_would_lead(self):
        for target in (b"http://a/", b"http://internal.example/secret", b"https://a:8443/x", b"ftp://a/b"):
            for method in (b"GET", b"POST", b"OPTIONS"):
                with self.subTest(target=target, method=method):
                    got = self.call(method + b" " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")
                    self.assert_error(got, 400, "edge", "malformed")
        self.assertEqual(self.upstream.requests, [])

    def test_rejected_requests_are_counted(self):
        before = self.server.get_json()["ingress"]["rejected"]
        self.refuse(LINE + b"\r\n", 400)
        self.assertEqual(self.server.get_json()["ingress"]["rejected"], before + 1)

    def test_bad_chunks_are_a_400_and_no_upstream_sees_a_complete_request(self):
        ends = []

        def handler(connection, request):
            try:
                connection.read_body(request)
            except Ended as end:
                ends.append(end)
                raise
            return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

        for name, chunks in BAD_CHUNKS.items():
            for before in (b"", b"5\r\nhello\r\n"):
                with self.subTest(name, before=before):
                    ends.clear()
                    self.upstream.clear(handler)
                    caller = self.caller()
                    caller.send(POST + b"Transfer-Encoding: chunked\r\n\r\n" + before + chunks + NEXT)
                    got = caller.response()
                    self.assertEqual((got.status, got.get(b"connection")), (400, b"close"))
                    self.assertEqual(caller.until_end()[0], b"")
                    eventually(lambda: len(ends) == len(self.upstream.requests))
                    self.assertNotIn(b"/smuggled", [request.target for request in self.upstream.requests])

    def test_a_chunked_body_over_the_limit_is_a_413_and_never_complete(self):
        ends = []

        def handler(connection, request):
            try:
                connection.read_body(request)
            except Ended as end:
                ends.append(end)
                raise
            return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

        self.upstream.clear(handler)
        caller = self.caller()
        piece = b"7d0\r\n" + b"x" * 2000 + b"\r\n"
        caller.send(POST + b"Transfer-Encoding: chunked\r\n\r\n" + piece * 6 + b"0\r\n\r\n")
        got = caller.response()
        self.assertEqual((got.status, got.get(b"connection")), (413, b"close"))
        eventually(lambda: len(ends) == len(self.upstream.requests))

    def test_what_is_left_of_a_refused_body_is_never_a_request(self):
        def handler(connection, request):
            if request.target != b"/":
                return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
            if request.get(b"x-early"):
                connection.send(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")
            connection.wait_end()
            return None

        chunked = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        for name, status, first, then in (
            ("over the limit", 413, chunked + b"%x\r\n" % (len(NEXT) * 300) + NEXT * 300, b""),
            ("over the limit, in two pieces", 413,
             [chunked + b"2710\r\n" + b"x" * 10_000 + b"\r\n%x\r\n" % len(NEXT), NEXT], b""),
            ("a bad chunk", 400, chunked + b"1\r\nx" + NEXT, b""),
            ("stalled", 408, chunked + b"ffff\r\n", NEXT),
            ("stalled, with a length", 408, POST + b"Content-Length: 10\r\n\r\nhello", NEXT),
            ("refused early", 403, POST + b"X-Early: 1\r\nContent-Length: 9999\r\nExpect: 100-continue\r\n\r\n", NEXT),
            ("refused early, chunked", 403, chunked.replace(b"Host", b"X-Early: 1\r\nHost") + b"ffff\r\n", NEXT),
        ):
            with self.subTest(name):
                self.upstream.clear(handler)
                caller = self.caller()
                for piece in first if isinstance(first, list) else [first]:
                    caller.send(piece)
                    time.sleep(0.05)
                self.assertEqual(caller.response().status, status)
                try:
                    caller.send(then + NEXT)
                except OSError:
                    pass  # closed already
                self.assertEqual(caller.until_end()[0], b"")
                self.assertNotIn(b"/smuggled", [request.target for request in self.upstream.requests])

    def test_a_body_of_exactly_the_limit_is_taken(self):
        self.assertEqual(self.call(POST + b"Content-Length: 10000\r\n\r\n" + b"x" * 10_000).status, 200)
        chunked = b"Transfer-Encoding: chunked\r\n\r\n2710\r\n" + b"x" * 10_000 + b"\r\n0\r\n\r\n"
        self.assertEqual(self.call(POST + chunked).status, 200)

    def test_a_head_that_drips_in_is_a_408(self):
        caller = self.caller()
        started = time.monotonic()
        try:
            for byte in GET[:-2] + b"X: 1\r\n" * 100:
                caller.send(bytes([byte]))
                time.sleep(0.05)
                if not caller.is_quiet(0.001):
                    break
        except OSError:
            pass
        self.assert_error(caller.response(), 408, "edge", "timed_out")
        self.assertGreater(time.monotonic() - started, 0.39)
        self.assertLess(time.monotonic() - started, 3)
        caller.end_sending()
        self.assertEqual(caller.until_end()[0], b"")
        self.assertEqual(self.upstream.requests, [])

    def test_a_small_body_that_stalls_is_a_408_that_no_upstream_sees(self):
        caller = self.caller()
        caller.send(POST + b"Content-Length: 10\r\n\r\nhello")
        self.assert_error(caller.response(), 408, "edge", "body_timed_out")
        self.assertEqual(self.upstream.requests, [])

    def test_a_chunked_body_that_stalls_is_a_408_and_never_complete(self):
        ends, wholes = [], []

        def handler(connection, request):
            try:
                wholes.append(connection.read_body(request))
            except Ended as end:
                ends.append(end)
                raise

        self.upstream.clear(handler)
        caller = self.caller()
        caller.send(POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        self.assertEqual(caller.response().status, 408)
        eventually(lambda: ends or not self.upstream.requests)  # a slow upstream may not have read the head
        self.assertEqual(wholes, [])

    def test_an_idle_connection_is_closed_without_a_word(self):
        for first in (b"", GET):
            with self.subTest(first=first):
                caller = self.caller()
                if first:
                    self.assertEqual(caller.exchange(first).body, b"ok")
                started = time.monotonic()
                self.assertEqual(caller.until_end(), (b"", "fin"))
                self.assertGreater(time.monotonic() - started, 0.4)
                self.assertLess(time.monotonic() - started, 3)

    def test_a_request_that_is_cut_off_reaches_nobody(self):
        for data in (b"G", HEAD, POST + b"Content-Length: 5\r\n\r\nhell"):
            with self.subTest(data=data):
                caller = self.caller()
                caller.send(data)
                caller.end_sending()
                rest, how = caller.until_end()
                self.assertTrue(rest == b"" or rest.startswith(b"HTTP/1.1 400 "), rest)
        self.assertEqual(self.upstream.requests, [])

    def test_noise_is_survived(self):
        source = random.Random(7)
        for _ in range(100 if is_sanitized() else 300):
            data = bytearray(POST + b"Content-Length: 3\r\nX-A: b\r\n\r\nabc" + GET)
            for _ in range(source.randrange(1, 6)):
                at = source.randrange(len(data))
                data[at : at + source.randrange(2)] = bytes([source.choice(b"\0\r\n :,\t5x\xff")])
            caller = self.caller()
            caller.send(data)
            caller.end_sending()
            caller.until_end()
            caller.close()
        self.assertEqual(self.call(GET).body, b"ok")


if __name__ == "__main__":
    unittest.main()
