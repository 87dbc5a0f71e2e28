"""What a caller hears on routes that store, and what the upstream gets of its request."""

import re
import time
import unittest

from inbox_scene import InboxTest, Script, request, route
from scene import SLOW, answer
from support import Caller

ACK = '{status = 202, type = "text/plain", body = "kept"}'
PROMISE = 0.1  # seconds after the deadline by which the acknowledgement is there
ROUNDS = 5


class InboxMode(InboxTest):
    def test_the_ack_comes_at_once_without_any_agent_and_the_event_goes_out_when_one_comes(self):
        server, upstream = self.inbox_server(route("inbox", ack=ACK), keys='agent_wait = "20s"'), self.upstream()
        began = time.monotonic()
        acked = self.post(server, b"hello")
        self.assertLess(time.monotonic() - began, 1 * SLOW)
        self.assertEqual((acked.status, acked.get(b"content-type"), acked.body), (202, b"text/plain", b"kept"))
        self.assertEqual(server.inbox.only()["state"], "waiting")
        self.agent(server, upstream)
        event = server.inbox.only("done")
        self.assert_bodies(upstream, [b"hello"])
        self.assertEqual([each["status"] for each in server.inbox.attempts(event["id"])], [200])

    def test_the_ack_is_an_empty_object_unless_the_route_says_otherwise(self):
        acked = self.post(self.inbox_server(route("inbox")))
        self.assertEqual((acked.status, acked.get(b"content-type"), acked.body), (200, b"application/json", b"{}"))

    def test_the_ack_does_not_wait_for_a_slow_upstream(self):
        server, gate = self.inbox_server(route("inbox")), self.gate()
        self.agent(server, self.upstream(gate))
        self.assertEqual(self.post(server).status, 200)
        gate.wait_inside()
        self.assertEqual(self.post(server).status, 200)
        gate.open()
        server.inbox.wait_states(done=2)

    def test_a_request_that_is_cut_short_is_not_stored(self):
        server = self.inbox_server(route("inbox"))
        caller = Caller(server.ingress_port)
        caller.send(b"POST /hook HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        caller.close()
        self.post(server, b"whole")
        self.assertEqual(server.inbox.only()["bytes"] > 0, True)

    def test_requests_that_change_nothing_go_live(self):
        for mode in ("inbox", "auto"):
            server, upstream = self.inbox_server(route(mode, deadline="10s")), self.upstream(answer(b"now", "203 Now"))
            self.agent(server, upstream)
            for method in ("GET", "HEAD", "OPTIONS"):
                with self.subTest(mode=mode, method=method):
                    caller = self.caller(server)
                    self.assertEqual(caller.exchange(request("/hook", method=method)).status, 203)
                    self.assertEqual(upstream.requests[-1].all(b"rockdove-attempt"), [])
            self.assertEqual(server.inbox.events(), [])

    def test_one_connection_carries_one_stored_request_after_the_other(self):
        server, upstream = self.inbox_server(route("inbox")), self.upstream()
        self.agent(server, upstream)
        caller = self.caller(server)
        bodies = [b"%d" % each * 1000 for each in range(20)]
        caller.send(b"".join(request("/hook", method="POST", body=body) for body in bodies))  # pipelined
        for _ in bodies:
            self.assertEqual(caller.response("POST").status, 200)
        self.assert_bodies(upstream, bodies)


class AutoMode(InboxTest):
    def test_the_upstreams_own_answer_comes_through(self):
        server = self.inbox_server(route("auto", deadline="20s"))
        upstream = self.upstream(answer(b"\x00made\xff", "201 Made", ["X-Own: a", "X-Own: b", "Content-Type: a/b"]))
        self.agent(server, upstream)
        got = self.post(server)
        self.assertEqual((got.status, got.all(b"x-own"), got.get(b"content-type"), got.body),
                         (201, [b"a", b"b"], b"a/b", b"\x00made\xff"))
        self.assertEqual(server.inbox.only("done")["attempts"], 1)
        self.assertEqual(len(upstream.requests), 1)

    def test_the_ack_comes_at_the_deadline_and_the_late_answer_is_kept_and_not_asked_for_again(self):
        deadline = 0.4
        server = self.inbox_server(route("auto", deadline="400ms", ack=ACK))
        gate = self.gate(b"late")
        upstream = self.upstream(gate)
        self.agent(server, upstream)
        took = []
        for _ in range(ROUNDS):
            caller = self.caller(server)
            began = time.monotonic()
            acked = caller.exchange(request("/hook", method="POST", body=b"{}"))
            took.append(time.monotonic() - began)
            self.assertEqual((acked.status, acked.body), (202, b"kept"))
        # Other work on this machine only ever adds: the quickest round says what the program does, and the
        # others have to be no worse than a second of that work.
        self.assertGreaterEqual(min(took), deadline)
        self.assertLess(min(took), deadline + PROMISE * SLOW)
        self.assertLess(max(took), deadline + PROMISE * SLOW + 1)
        gate.open()
        server.inbox.wait_states(done=ROUNDS)
        self.assertEqual(len(upstream.requests), ROUNDS)
        for event in server.inbox.events():
            [attempt] = server.inbox.attempts(event["id"])
            self.assertEqual((attempt["status"], attempt["answer"]["body"]["text"]), (200, "late"))

    def test_without_an_agent_there_is_an_ack_by_the_deadline_and_a_delivery_later(self):
        for wait in ("0s", "20s"):
            with self.subTest(agent_wait=wait):
                server = self.inbox_server(route("auto", deadline="300ms"), keys=f'agent_wait = "{wait}"')
                upstream = self.upstream()
                began = time.monotonic()
                self.assertEqual(self.post(server, b"one").body, b"{}")
                self.assertLess(time.monotonic() - began, 0.3 + 1 * SLOW)
                self.agent(server, upstream)
                server.inbox.only("done")
                self.assert_bodies(upstream, [b"one"])

    def test_an_upstream_that_fails_is_hidden_behind_the_ack_and_tried_again(self):
        for first in (answer(b"broken", "500 No"), answer(b"busy", "503 No"), answer(b"later", "429 No"),
                      lambda connection, message: connection.reset(), lambda connection, message: connection.close(),
                      b"SSH-2.0\r\n\r\n"):
            with self.subTest(first=first):
                server = self.inbox_server(route("auto", deadline="20s"))
                upstream = self.upstream(Script(first, answer()))
                self.agent(server, upstream)
                self.assertEqual(self.post(server).body, b"{}")
                event = server.inbox.only("done")
                self.assertEqual(event["attempts"], 2)
                self.assertEqual(server.inbox.attempts(event["id"])[1]["status"], 200)
                self.assertEqual([each.get(b"rockdove-attempt") for each in upstream.requests], [b"1", b"2"])

    def test_a_refusal_is_passed_on_and_the_event_is_a_dead_letter(self):
        server = self.inbox_server(route("auto", deadline="20s"))
        self.agent(server, self.upstream(answer(b"bad signature", "422 No")))
        got = self.post(server)
        self.assertEqual((got.status, got.body), (422, b"bad signature"))
        event = server.inbox.only("dead")
        self.assertIn("422", event["reason"])

    def test_a_caller_that_hangs_up_does_not_take_its_event_along(self):
        server, gate = self.inbox_server(route("auto", deadline="20s")), self.gate()
        upstream = self.upstream(gate)
        self.agent(server, upstream)
        caller = Caller(server.ingress_port)
        caller.send(request("/hook", method="POST", body=b"{}"))
        gate.wait_inside()
        caller.close()
        gate.open()
        server.inbox.only("done")
        self.assertEqual(len(upstream.requests), 1)


class LiveMode(InboxTest):
    fallback = '{status = 200, type = "application/json", body = "{\\"toast\\":1}"}'

    def test_the_fallback_answers_in_place_of_what_is_not_there_by_the_deadline(self):
        def half(connection, message):
            connection.read_body(message)
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            connection.wait_end()
        server = self.inbox_server(route("live", deadline="300ms", fallback=self.fallback))
        upstream = self.upstream(answer(b"own"))
        self.agent(server, upstream)
        self.assertEqual(self.post(server).body, b"own")
        for handler in (self.gate(), half):
            with self.subTest(handler=handler):
                upstream.handler = handler
                began = time.monotonic()
                got = self.post(server)
                took = time.monotonic() - began
                self.assertEqual((got.status, got.get(b"content-type"), got.body),
                                 (200, b"application/json", b'{"toast":1}'))
                self.assertGreaterEqual(took, 0.3)
                self.assertLess(took, 0.3 + 1 * SLOW)
        self.assertEqual(server.inbox.events(), [])

    def test_the_fallback_answers_for_an_office_that_is_not_there(self):
        server = self.inbox_server(route("live", deadline="300ms", fallback=self.fallback), keys='agent_wait = "0s"')
        self.assertEqual(self.post(server).body, b'{"toast":1}')

    def test_without_a_fallback_the_deadline_is_a_504(self):
        server = self.inbox_server(route("live", deadline="300ms"))
        self.agent(server, self.upstream(self.gate()))
        self.assertEqual(self.post(server).status, 504)

    def test_a_route_that_says_nothing_is_live(self):
        server = self.inbox_server()
        self.assertEqual(self.post(server, target="/any").status, 503)
        self.assertEqual(server.inbox.events(), [])


class StoredBytes(InboxTest):
    def delivered(self, data, mode="inbox"):
        """The request as the upstream gets it out of the store."""
        server, upstream = self.inbox_server(route(mode, deadline="20s")), self.upstream()
        caller = self.caller(server)
        if mode == "auto":
            self.agent(server, upstream)
        self.assertEqual(caller.exchange(data).status, 200)
        if mode != "auto":
            server.stop()  # and it stays the same bytes on disk
            server.start()
            self.agent(server, upstream)
        self.event = server.inbox.only("done")
        return upstream.last()

    def test_an_awkward_request_arrives_byte_for_byte(self):
        fields = [(b"X-One", b"a  b\t c"), (b"Cookie", b"a=1"), (b"X-Two", b""), (b"Cookie", b'b=2; c="3"'),
                  (b"X-One", b"\xe4\xbd\xa0\xff\x80"), (b"X-Two", b",,"), (b"Authorization", b"Bearer =+/"),
                  (b"X-One", b"a  b\t c"), (b"Content-Type", b'multipart/form-data; boundary="--x y"'),
                  (b"Content-Encoding", b"gzip"), (b"X-Lark-Signature", b":a:"), (b"Expect-Ct", b"x" * 5000)]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in fields)
        body = bytes(range(256)) * 300 + b"\r\n0\r\n\r\n"
        target = b"/hook//a%2Fb/../x?q=%zz&&=\xff\xfe;b?c"
        for mode in ("inbox", "auto"):
            with self.subTest(mode=mode):
                seen = self.delivered(b"POST " + target + b" HTTP/1.1\r\nHost: Example.COM:81\r\n" + lines +
                                      b"Content-Length: %d\r\n\r\n" % len(body) + body, mode)
                self.assertEqual(seen.line, b"POST " + target + b" HTTP/1.1")
                self.assertEqual(seen.body, body)
                expected = [(b"Host", b"Example.COM:81"), *fields, (b"Content-Length", b"%d" % len(body))]
                self.assertEqual(self.foreign_fields(seen), [(name.lower(), value) for name, value in expected])

    def test_a_chunked_body_arrives_whole(self):
        pieces = [b"a", bytes(range(256)) * 200, b"\r\n0\r\n\r\n"]
        body = b"".join(b"%X;ext=1\r\n%b\r\n" % (len(each), each) for each in pieces) + b"0\r\n\r\n"
        seen = self.delivered(b"PATCH /hook HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
        self.assertEqual((seen.method, seen.body), (b"PATCH", b"".join(pieces)))
        self.assertIn(seen.framing, ("chunked", "length"))

    def test_an_empty_body_and_none_are_told_apart(self):
        seen = self.delivered(b"POST /hook HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        self.assertEqual(seen.get(b"content-length"), b"0")
        seen = self.delivered(b"DELETE /hook HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual((seen.all(b"content-length"), seen.all(b"transfer-encoding")), ([], []))

    def test_the_upstream_is_told_which_event_this_is_and_when_it_came(self):
        seen = self.delivered(b"POST /hook HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
        self.assertEqual(seen.get(b"webhook-id").decode(), self.event["id"])
        self.assertEqual(seen.get(b"rockdove-event-id").decode(), self.event["id"])
        self.assertRegex(self.event["id"], "^evt_[0-9a-hjkmnp-tv-z]{13}$")
        self.assertEqual(seen.get(b"rockdove-attempt"), b"1")
        self.assertRegex(seen.get(b"rockdove-received-at").decode(), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(seen.all(b"rockdove-replay"), [])
        self.assertTrue(re.fullmatch(rb"\S+", seen.get(b"x-request-id")))
        self.assertEqual(seen.get(b"x-forwarded-for"), b"127.0.0.1")

    def test_nobody_can_forge_what_the_upstream_is_told(self):
        seen = self.delivered(b"POST /hook HTTP/1.1\r\nHost: a\r\nRockdove-Attempt: 9\r\nrockdove-replay: true\r\n"
                              b"ROCKDOVE-RECEIVED-AT: 1\r\nContent-Length: 1\r\n\r\nx")
        self.assertEqual(seen.get(b"rockdove-attempt"), b"1")
        self.assertEqual(seen.all(b"rockdove-replay"), [])
        self.assertEqual(len(seen.all(b"rockdove-received-at")), 1)

    def test_a_providers_own_webhook_id_stays(self):
        seen = self.delivered(b"POST /hook HTTP/1.1\r\nHost: a\r\nWebhook-Id: msg_1\r\nContent-Length: 1\r\n\r\nx")
        self.assertEqual(seen.get(b"webhook-id"), b"msg_1")
        self.assertEqual(seen.get(b"rockdove-event-id").decode(), self.event["id"])

    def test_a_body_over_the_limit_is_a_413_and_is_not_stored(self):
        server = self.inbox_server(route("inbox", body_limit="10KiB"))
        head = b"POST /hook HTTP/1.1\r\nHost: a\r\n"
        piece = b"1000\r\n" + b"x" * 4096 + b"\r\n"
        for data in (head + b"Content-Length: 10241\r\n\r\n" + b"x" * 10_241,
                     head + b"Transfer-Encoding: chunked\r\n\r\n" + 3 * piece + b"0\r\n\r\n"):
            self.assert_error(self.caller(server).exchange(data), 413, "edge", "body_too_large")
        self.assertEqual(server.inbox.events(), [])
        self.assertEqual(self.post(server, b"x" * 10_240).status, 200)
        server.inbox.wait_states(waiting=1)


if __name__ == "__main__":
    unittest.main()
