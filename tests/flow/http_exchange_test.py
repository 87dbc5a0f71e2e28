"""How exchanges begin, wait, follow each other and end."""

import socket
import threading
import time
import unittest

from support import Ended, FlowTest, eventually

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
EXPECT = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"


class Interim(FlowTest):
    def test_interim_responses_come_through_in_order_before_the_final_one(self):
        self.upstream.clear(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nLink: </b>\r\n\r\n"
                            b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Last: 1\r\n\r\n" + OK)
        got = self.call(GET)
        self.assertEqual([(each.status, each.fields) for each in got.interims],
                         [(103, [(b"Link", b"</a>; rel=preload"), (b"Link", b"</b>")]), (102, []),
                          (103, [(b"X-Last", b"1")])])
        self.assertEqual(got.body, b"ok")

    def test_an_interim_response_does_not_wait_for_the_final_one(self):
        may_end = threading.Event()

        def handler(connection, request):
            connection.send(b"HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\n")
            may_end.wait(20)
            return OK

        self.upstream.clear(handler)
        caller = self.caller()
        caller.send(GET)
        self.assertEqual(caller.head().line, b"HTTP/1.1 103 Early Hints")
        may_end.set()
        self.assertEqual(caller.response().body, b"ok")

    def test_a_100_that_nobody_asked_for_is_not_passed_on(self):
        self.upstream.clear(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)
        got = self.call(GET)
        self.assertEqual((got.interims, got.body), ([], b"ok"))

    def test_a_caller_of_http_1_0_gets_no_interim_response(self):
        self.upstream.clear(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK)
        self.assertEqual(self.call(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n").interims, [])


class Expect(FlowTest):
    def test_the_upstreams_100_gets_the_caller_to_send(self):
        seen = []

        def handler(connection, request):
            seen.append(bytes(connection.buffer))
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.read_body(request)
            return OK

        self.upstream.clear(handler)
        caller = self.caller()
        caller.send(EXPECT)
        self.assertEqual(caller.head().line, b"HTTP/1.1 100 Continue")
        caller.send(b"hello")
        self.assertEqual(caller.response().interims, [])
        self.assertEqual((seen, self.upstream.last().get(b"expect"), self.upstream.last().body),
                         ([b""], b"100-continue", b"hello"))

    def test_a_chunked_body_waits_for_the_100_too(self):
        def handler(connection, request):
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.read_body(request)
            return OK

        self.upstream.clear(handler)
        caller = self.caller()
        caller.send(b"POST / HTTP/1.1\r\nHost: a\r\nexpect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.assertEqual(caller.head().line, b"HTTP/1.1 100 Continue")
        caller.send(b"3\r\nabc\r\n0\r\n\r\n")
        self.assertEqual((caller.response().status, self.upstream.last().body), (200, b"abc"))

    def test_an_early_refusal_comes_without_the_body_being_sent(self):
        for status, phrase in ((417, b"Expectation Failed"), (401, b"Unauthorized"), (200, b"OK")):
            with self.subTest(status=status):
                self.upstream.clear(lambda connection, request, head=b"HTTP/1.1 %d %b" % (status, phrase):
                                    connection.send(head + b"\r\nContent-Length: 2\r\n\r\nno"))
                caller = self.caller()
                got = caller.exchange(EXPECT)
                self.assertEqual((got.status, got.interims, got.body), (status, [], b"no"))
                # No body is coming, so nothing may be read as the next request.
                self.assertEqual(got.get(b"connection"), b"close")
                self.assertEqual(caller.until_end(), (b"", "fin"))

    def test_a_body_sent_without_waiting_is_taken(self):
        self.assertEqual(self.call(EXPECT + b"hello").status, 200)
        self.assertEqual(self.upstream.last().body, b"hello")

    def test_an_upstream_that_never_says_100_gets_the_body_after_a_moment(self):
        def handler(connection, request):
            connection.read_body(request)
            return OK

        self.upstream.clear(handler)
        caller = self.caller()
        caller.send(EXPECT)
        started = time.monotonic()
        self.assertEqual(caller.head().line, b"HTTP/1.1 100 Continue")
        self.assertLess(time.monotonic() - started, 5)
        caller.send(b"hello")
        self.assertEqual((caller.response().status, self.upstream.last().body), (200, b"hello"))


class KeepAlive(FlowTest):
    def echo_target(self, connection, request):
        connection.read_body(request)
        text = request.target + b":" + request.body
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text

    def test_a_connection_serves_many_requests_at_both_ends(self):
        self.upstream.clear(self.echo_target)
        before = self.server.get_json()["ingress"]["accepted"]
        caller = self.caller()
        for number in range(20):
            got = caller.exchange(b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx" % number)
            self.assertEqual((got.body, got.get(b"connection")), (b"/%d:x" % number, None))
        self.assertEqual(self.server.get_json()["ingress"]["accepted"], before + 1)
        self.assertLessEqual(len(self.upstream.connections), 2)

    def test_pipelined_requests_are_answered_in_order(self):
        def handler(connection, request):
            if request.target == b"/0":
                time.sleep(0.05)
            return self.echo_target(connection, request)

        self.upstream.clear(handler)
        caller = self.caller()
        pieces = [b"POST /%d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n" % number
                  if number % 3 else b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(30)]
        caller.send(b"".join(pieces))
        got = [caller.response().body for _ in pieces]
        self.assertEqual(got, [b"/%d:%b" % (number, b"hi" if number % 3 else b"") for number in range(30)])

    def test_a_request_may_come_byte_by_byte(self):
        self.upstream.clear(self.echo_target)
        caller = self.caller()
        head = b"\r\nPOST /slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        for byte in head + b"3;x\r\nabc\r\n0\r\nT: 1\r\n\r\n":
            caller.send(bytes([byte]))
        self.assertEqual(caller.response().body, b"/slow:abc")

    def test_connection_close_is_kept(self):
        caller = self.caller()
        got = caller.exchange(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.assertEqual(got.get(b"connection"), b"close")
        self.assertEqual(caller.until_end(), (b"", "fin"))

    def test_a_caller_of_http_1_0_is_served_and_then_left(self):
        caller = self.caller()
        got = caller.exchange(b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual((got.body, got.get(b"connection")), (b"ok", b"close"))
        self.assertEqual(caller.until_end(), (b"", "fin"))
        self.assertEqual(self.upstream.last().line, b"GET / HTTP/1.1")

    def test_a_caller_of_http_1_0_may_keep_its_connection(self):
        caller = self.caller()
        for _ in range(3):
            got = caller.exchange(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
            self.assertEqual((got.body, got.get(b"connection")), (b"ok", b"keep-alive"))

    def test_a_caller_of_http_1_0_gets_a_chunked_answer_plain(self):
        self.upstream.clear(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                            b"2\r\nab\r\n1\r\nc\r\n0\r\nX: 1\r\n\r\n")
        got = self.call(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
        self.assertEqual((got.framing, got.body, got.get(b"connection")), ("until_close", b"abc", b"close"))

    def test_a_kept_connection_that_the_upstream_closed_is_not_used_again(self):
        def handler(connection, request):
            connection.read_body(request)
            # The end comes in one packet with the answer: never after the next request, which would be a reset.
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            connection.send(OK)
            connection.close()

        self.upstream.clear(handler)
        caller = self.caller()
        for _ in range(50):
            got = caller.exchange(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
            self.assertEqual((got.status, got.body), (200, b"ok"))

    def test_a_kept_connection_that_the_upstream_reset_costs_at_most_one_request(self):
        for _ in range(10):
            self.upstream.clear(lambda connection, request: (
                connection.read_body(request), connection.send(OK), connection.reset())[-1])
            time.sleep(0.01)  # a reset right behind the answer takes the answer with it
            got = self.call(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
            self.assertIn(got.status, (200, 502))

    def test_an_upstream_that_says_close_gets_a_new_connection_each_time(self):
        self.upstream.clear(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        caller = self.caller()
        for _ in range(3):
            got = caller.exchange(GET)
            self.assertEqual((got.body, got.get(b"connection")), (b"ok", None))
        self.assertEqual(len([each for each in self.upstream.connections if each.size]), 3)

    def test_many_callers_at_once_get_each_their_own_answer(self):
        self.upstream.clear(self.echo_target)
        callers = [self.caller() for _ in range(50)]
        for number, caller in enumerate(callers):
            caller.send(b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" % number)
        for number, caller in enumerate(callers):
            caller.send(b"%05d" % number * 4000)
        for number, caller in enumerate(callers):
            got = caller.response()
            self.assertEqual(got.body, b"/%d:" % number + b"%05d" % number * 4000)


class EarlyAnswer(FlowTest):
    HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n"

    def test_an_answer_while_the_caller_still_sends_arrives_whole(self):
        def handler(connection, request):
            connection.send(b"HTTP/1.1 413 Too Much\r\nConnection: close\r\nContent-Length: 4\r\n\r\nstop")
            connection.wait_end()

        self.upstream.clear(handler)
        caller = self.caller()
        caller.send(self.HEAD + b"x" * 100_000)
        got = caller.response()
        self.assertEqual((got.status, got.body), (413, b"stop"))
        caller.send(b"x" * 10_000)
        self.assertEqual(caller.until_end()[0], b"")
        eventually(lambda: self.upstream.connections[-1].ended, what="the upstream's connection to end")

    def test_an_early_answer_survives_an_upstream_that_closes_at_once(self):
        def handler(connection, request):
            connection.send(b"HTTP/1.1 401 No\r\nConnection: close\r\nContent-Length: 4\r\n\r\nstop")
            connection.sock.shutdown(1)
            connection.wait_end()

        self.upstream.clear(handler)
        caller = self.caller()
        caller.send(self.HEAD + b"x" * 300_000)
        got = caller.response()
        self.assertEqual((got.status, got.body), (401, b"stop"))

    def test_an_answer_may_stream_while_the_request_does(self):
        def handler(connection, request):
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in connection.pieces(request):
                connection.send(b"%x\r\n" % len(piece) + piece.upper() + b"\r\n")
            connection.send(b"0\r\n\r\n")

        self.upstream.clear(handler)
        caller = self.caller()
        caller.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        message = caller.head()
        message.framing = "chunked"
        pieces = caller.pieces(message)
        self.assertEqual(next(pieces), b"A")
        for word in (b"bc", b"def"):
            caller.send(b"%x\r\n" % len(word) + word + b"\r\n")
            self.assertEqual(next(pieces), word.upper())
        caller.send(b"0\r\n\r\n")
        self.assertEqual(list(pieces), [])
        self.upstream.clear()
        self.assertEqual(caller.exchange(GET).body, b"ok")


class Aborts(FlowTest):
    def wait_upstream_end(self, started):
        connection = self.upstream.connections[-1]
        eventually(lambda: connection.ended, 5, "the upstream's connection to end")
        self.assertLess(connection.ended - started, 1.0)

    def silent(self, connection, request):
        connection.wait_end()

    def test_a_caller_that_leaves_before_the_answer_ends_the_call_to_the_upstream(self):
        for how in ("close", "reset"):
            with self.subTest(how=how):
                self.upstream.clear(self.silent)
                caller = self.caller()
                caller.send(GET)
                self.upstream.last()
                started = time.monotonic()
                getattr(caller, how)()
                self.wait_upstream_end(started)

    def test_a_caller_that_leaves_in_mid_answer_ends_the_call_to_the_upstream(self):
        def handler(connection, request):
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
            connection.wait_end()

        for how in ("close", "reset"):
            with self.subTest(how=how):
                self.upstream.clear(handler)
                caller = self.caller()
                caller.send(GET)
                caller.until(b"1\r\na\r\n")
                started = time.monotonic()
                getattr(caller, how)()
                self.wait_upstream_end(started)

    def test_a_caller_that_leaves_in_mid_body_never_looks_complete_to_the_upstream(self):
        for head, piece in ((b"Content-Length: 100000", b"x" * 50_000),
                            (b"Transfer-Encoding: chunked", b"2710\r\n" + b"x" * 10_000 + b"\r\n")):
            for how in ("close", "reset"):
                with self.subTest(head=head, how=how):
                    ends = []

                    def handler(connection, request):
                        try:
                            connection.read_body(request)
                        except Ended as end:
                            ends.append(end)
                            raise

                    self.upstream.clear(handler)
                    caller = self.caller()
                    caller.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n\r\n" + piece)
                    eventually(lambda: self.upstream.bytes_seen() > 10_000)
                    started = time.monotonic()
                    getattr(caller, how)()
                    self.wait_upstream_end(started)
                    self.assertEqual(len(ends), 1)

    def test_nothing_is_left_behind_by_callers_that_left(self):
        self.upstream.clear(self.silent)
        before = self.agent.descriptors(), self.server.descriptors()
        callers = [self.caller() for _ in range(20)]
        for caller in callers:
            caller.send(GET)
        eventually(lambda: len(self.upstream.requests) == 20)
        for caller in callers:
            caller.close()
        eventually(lambda: (self.agent.descriptors(), self.server.descriptors()) <= before)
        eventually(lambda: self.server.get_json()["tunnels"][0]["running"] == 0)
        eventually(lambda: sum(link["outstanding"] for link in self.server.agent("office")["links"]) == 0)


if __name__ == "__main__":
    unittest.main()
