"""Connections that turn into another protocol: WebSocket and whatever else two ends agree on."""

import hashlib
import threading
import time
import unittest

from support import Ended, FlowTest, eventually

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
UPGRADE = (b"GET /ws?x=%2F HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
           b"Sec-WebSocket-Protocol: chat, superchat\r\nOrigin: http://x\r\n\r\n")
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n")


class Upgrades(FlowTest):
    # Limits on silence are for messages, not for what follows a switch.
    server_toml = '[limits]\nidle_timeout = "200ms"\nbody_idle_timeout = "200ms"\nstream_idle_timeout = "200ms"'
    upstream_keys = 'idle_timeout = "200ms"'

    def echo(self, connection, request):
        connection.send(SWITCH)
        try:
            while True:
                connection.send(connection.some())
        except Ended as end:
            connection.how, connection.ended = end.how, time.monotonic()
            connection.close()

    def open(self, handler=None, request=UPGRADE):
        """A caller that has been switched."""
        self.upstream.clear(handler or self.echo)
        caller = self.caller()
        got = caller.exchange(request)
        self.assertEqual(got.status, 101 if request.startswith(b"GET") else 200)
        return caller

    def test_a_websocket_handshake_goes_through_as_it_is(self):
        self.upstream.clear(self.echo)
        got = self.call(UPGRADE)
        seen = self.upstream.last()
        self.assertEqual(seen.line, b"GET /ws?x=%2F HTTP/1.1")
        self.assertEqual([(name, seen.get(name)) for name in (b"connection", b"upgrade", b"sec-websocket-version")],
                         [(b"connection", b"Upgrade"), (b"upgrade", b"websocket"), (b"sec-websocket-version", b"13")])
        self.assertEqual(seen.get(b"sec-websocket-key"), b"dGhlIHNhbXBsZSBub25jZQ==")
        self.assertEqual(seen.get(b"sec-websocket-protocol"), b"chat, superchat")
        self.assertEqual((got.status, got.get(b"connection"), got.get(b"upgrade")), (101, b"Upgrade", b"websocket"))
        self.assertEqual(got.get(b"sec-websocket-accept"), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        self.assertEqual((got.get(b"content-length"), got.get(b"transfer-encoding")), (None, None))

    def test_bytes_flow_both_ways_piece_by_piece(self):
        caller = self.open()
        for number in range(50):
            piece = bytes(range(256)) + b"%d" % number
            caller.send(piece)
            self.assertEqual(caller.exactly(len(piece)), piece)

    def test_bytes_right_behind_the_switch_are_not_lost(self):
        def handler(connection, request):
            connection.send(SWITCH + b"greetings")
            connection.wait_end()

        caller = self.open(handler)
        self.assertEqual(caller.exactly(9), b"greetings")

    def test_bytes_sent_before_the_switch_are_not_lost(self):
        self.upstream.clear(self.echo)
        caller = self.caller()
        caller.send(UPGRADE + b"impatient")
        self.assertEqual((caller.response().status, caller.exactly(9)), (101, b"impatient"))

    def test_silence_does_not_end_a_switched_connection(self):
        caller = self.open()
        time.sleep(0.8)
        caller.send(b"still here")
        self.assertEqual(caller.exactly(10), b"still here")

    def test_the_callers_half_close_leaves_the_other_direction_open(self):
        def handler(connection, request):
            connection.send(SWITCH)
            data, how = connection.until_end()
            time.sleep(0.3)
            connection.send(b"got " + data + b" " + how.encode())
            connection.close()

        caller = self.open(handler)
        caller.send(b"all")
        caller.end_sending()
        self.assertEqual(caller.until_end(), (b"got all fin", "fin"))

    def test_the_upstreams_half_close_leaves_the_other_direction_open(self):
        got = []

        def handler(connection, request):
            connection.send(SWITCH + b"bye")
            connection.sock.shutdown(1)
            got.append(connection.until_end())

        caller = self.open(handler)
        self.assertEqual(caller.until_end(), (b"bye", "fin"))
        caller.send(b"one more thing")
        caller.end_sending()
        eventually(lambda: got == [(b"one more thing", "fin")])

    def test_when_one_end_vanishes_the_other_learns_it_at_once(self):
        for how in ("close", "reset"):
            caller = self.open()
            connection = self.upstream.connections[-1]
            started = time.monotonic()
            getattr(caller, how)()
            eventually(lambda: connection.ended, what="the upstream's connection to end")
            self.assertLess(connection.ended - started, 1)
        for how in ("close", "reset"):
            caller = self.open(lambda connection, request, how=how: (
                connection.send(SWITCH), connection.exactly(1), getattr(connection, how)())[-1])
            caller.send(b"x")
            started = time.monotonic()
            data, end = caller.until_end()
            self.assertEqual(data, b"")
            self.assertEqual(end, "fin" if how == "close" else "reset")
            self.assertLess(time.monotonic() - started, 1)

    def test_megabytes_flow_both_ways_at_once(self):
        total = 16 << 20
        caller = self.open()
        caller.keep = 0
        sent, got = hashlib.sha256(), hashlib.sha256()

        def send():
            for number in range(total // 65536):
                piece = b"%016d" % number * 4096
                sent.update(piece)
                caller.send(piece)

        thread = threading.Thread(target=send)
        thread.start()
        left = total
        while left > 0:
            piece = caller.some()
            got.update(piece)
            left -= len(piece)
        thread.join()
        self.assertEqual((left, sent.digest()), (0, got.digest()))

    def test_a_refused_upgrade_is_an_ordinary_answer_and_the_connection_goes_on(self):
        for status in (400, 200, 426, 503):
            with self.subTest(status=status):
                self.upstream.clear(lambda connection, request, status=status:
                                    b"HTTP/1.1 %d No\r\nX-Why: not\r\nContent-Length: 2\r\n\r\nno" % status
                                    if request.get(b"upgrade") else b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                caller = self.caller()
                got = caller.exchange(UPGRADE)
                self.assertEqual((got.status, got.get(b"x-why"), got.body), (status, b"not", b"no"))
                self.assertEqual(got.all(b"upgrade"), [])
                for _ in range(2):
                    self.assertEqual(caller.exchange(GET).body, b"ok")

    def test_a_refused_upgrade_with_a_chunked_answer_leaves_the_connection_in_step(self):
        self.upstream.clear(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n")
        caller = self.caller()
        for request in (UPGRADE, GET, UPGRADE, GET):
            self.assertEqual(caller.exchange(request).body, b"no")

    def test_any_protocol_may_be_switched_to(self):
        request = UPGRADE.replace(b"Upgrade: websocket", b"Upgrade: my-proto/1.0")
        self.upstream.clear(b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: my-proto/1.0\r\n\r\n")
        got = self.call(request)
        self.assertEqual(self.upstream.last().get(b"upgrade"), b"my-proto/1.0")
        self.assertEqual((got.status, got.get(b"upgrade")), (101, b"my-proto/1.0"))

    def test_connect_makes_a_stream_of_bytes(self):
        def handler(connection, request):
            connection.send(b"HTTP/1.1 200 Connected\r\nX-A: 1\r\n\r\nhello")
            try:
                while True:
                    connection.send(connection.some().upper())
            except Ended:
                connection.close()

        caller = self.open(handler, b"CONNECT db.internal:5432 HTTP/1.1\r\nHost: db.internal:5432\r\n\r\n")
        self.assertEqual(self.upstream.last().line, b"CONNECT db.internal:5432 HTTP/1.1")
        self.assertEqual(caller.exactly(5), b"hello")
        caller.send(b"abc")
        self.assertEqual(caller.exactly(3), b"ABC")
        caller.end_sending()
        self.assertEqual(caller.until_end(), (b"", "fin"))

    def test_a_refused_connect_is_an_ordinary_answer(self):
        self.upstream.clear(b"HTTP/1.1 405 No\r\nContent-Length: 2\r\n\r\nno")
        got = self.call(b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")
        self.assertEqual((got.status, got.body), (405, b"no"))

    def test_nothing_is_left_behind_by_ended_websockets(self):
        eventually(lambda: self.server.get_json()["tunnels"][0]["running"] == 0)
        before = self.agent.descriptors(), self.server.descriptors()
        callers = [self.open() for _ in range(10)]
        for caller in callers:
            caller.close()
        eventually(lambda: (self.agent.descriptors(), self.server.descriptors()) <= before)
        eventually(lambda: self.server.get_json()["tunnels"][0]["running"] == 0)


class HalfClosed(FlowTest):
    """The upstream has nothing more to say after the switch, but goes on listening."""

    server_toml = '[limits]\nwrite_idle_timeout = "600ms"'

    def open(self):
        got = []

        def handler(connection, request):
            connection.send(SWITCH)
            connection.sock.shutdown(1)
            try:
                while True:
                    got.append(connection.some())
            except Ended:
                got.append(None)
                connection.close()

        self.upstream.clear(handler)
        caller = self.caller()
        self.assertEqual(caller.exchange(UPGRADE).status, 101)
        self.assertEqual(caller.until_end(), (b"", "fin"))
        return caller, got

    def test_the_direction_that_is_left_has_no_limit_while_it_is_in_use(self):
        caller, got = self.open()
        for _ in range(50):
            caller.send(b"x")
            time.sleep(0.04)
        caller.end_sending()
        eventually(lambda: got and got[-1] is None, what="the upstream to see the end")
        self.assertEqual(b"".join(got[:-1]), b"x" * 50)

    def test_silence_ends_it(self):
        caller, got = self.open()
        caller.send(b"x")
        eventually(lambda: got and got[-1] is None, what="the upstream to see the end")
        self.assertEqual(got, [b"x", None])


if __name__ == "__main__":
    unittest.main()
