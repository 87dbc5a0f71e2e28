"""Callers that send an event twice: it is stored and delivered once, and all of them hear the same."""

import unittest

from inbox_scene import InboxTest, Script, route
from scene import answer
from support import eventually

ACK = '{status = 202, type = "text/plain", body = "kept"}'


class Keys(InboxTest):
    def stored(self, dedupe, *requests, **keys):
        """How many events become of these (fields, body)."""
        server = self.inbox_server(route("inbox", dedupe=dedupe, ack=ACK, **keys))
        for fields, body in requests:
            got = self.post(server, body, fields=fields)
            self.assertEqual((got.status, got.body), (202, b"kept"))
        return len(server.inbox.events())

    def test_a_header_field_makes_the_event(self):
        one, two = ["X-Event: 1"], ["x-eVENT:  2 "]
        self.assertEqual(self.stored("header:X-Event", (one, b"a"), (one, b"b"), (two, b"a"), (["X-Event: 2"], b"c"),
                                     (one, b"a")), 2)

    def test_a_place_in_a_json_body_makes_the_event(self):
        bodies = [b'{"header":{"event_id":"e1"},"n":1}', b'{ "n":2, "header" : {"event_id":"\\u00651"}}',
                  b'{"header":{"event_id":"e2"}}', b'{"header":{"event_id":1}}', b'{"header":{"event_id":1.0}}']
        found = self.stored("json:/header/event_id", *[([], body) for body in bodies])
        self.assertIn(found, (3, 4))  # whether 1 and 1.0 are one is nobody's promise
        self.assertEqual(self.stored("json:/header/event_id", *[([], body) for body in bodies[:4]]), 3)

    def test_the_whole_body_makes_the_event(self):
        self.assertEqual(self.stored("body", (["X-A: 1"], b"same"), (["X-A: 2"], b"same"), ([], b"same ")), 2)

    def test_requests_without_a_key_are_all_events_of_their_own(self):
        for dedupe in ("header:X-Event", "json:/id"):
            with self.subTest(dedupe):
                bodies = (b"", b"no json", b"{}", b'{"id":null}', b'{"id":{}}', b'{"id":[1]}', b'{"id":', b"[" * 100)
                requests = [(["X-Event: "], body) for body in bodies] * 2
                self.assertEqual(self.stored(dedupe, *requests), len(requests))

    def test_the_first_rule_that_finds_a_key_counts(self):
        rules = '["header:X-Event", "json:/id"]'
        self.assertEqual(self.stored(rules, (["X-Event: 1"], b'{"id":"a"}'), (["X-Event: 2"], b'{"id":"a"}'),
                                     ([], b'{"id":"a"}'), ([], b'{"id":"a","more":1}'), ([], b'{"id":"1"}')), 4)

    def test_without_a_rule_equal_requests_are_two_events(self):
        self.assertEqual(self.stored("none", ([], b"same"), ([], b"same")), 2)

    def test_two_routes_do_not_share_their_keys(self):
        server = self.inbox_server(route("inbox", dedupe="body"), route("inbox", "b", "/b", dedupe="body"))
        for target in ("/hook", "/b", "/hook", "/b"):
            self.post(server, b"same", target)
        self.assertEqual(len(server.inbox.events()), 2)


class Answers(InboxTest):
    def served(self, first, mode="auto"):
        server = self.inbox_server(route(mode, dedupe="header:X-Event", deadline="20s", ack=ACK))
        upstream = self.upstream(Script(first, answer(b"second")))
        self.agent(server, upstream)
        return server, upstream

    def send(self, server, event="1"):
        got = self.post(server, fields=[f"X-Event: {event}"])
        return got.status, got.get(b"content-type"), got.body

    def test_a_duplicate_gets_the_answer_that_the_first_one_got(self):
        for first, state in ((answer(b"\xc3\xa4 first", "201 Made", ["Content-Type: a/b"]), "done"),
                             (answer(b"no", "409 No", ["Content-Type: a/b"]), "dead")):
            with self.subTest(state):
                server, upstream = self.served(first)
                original = self.send(server)
                server.inbox.only(state)
                for _ in range(3):
                    self.assertEqual(self.send(server), original)
                self.assertEqual(len(upstream.requests), 1)
                self.assertEqual(self.send(server, "2")[2], b"second")

    def test_a_duplicate_gets_the_stored_answer_after_a_restart_too(self):
        server, upstream = self.served(answer(b"first", "201 Made"))
        original = self.send(server)
        server.inbox.only("done")
        server.kill9()
        server.start()
        self.assertEqual(self.send(server), original)
        self.assertEqual(len(server.inbox.events()), 1)
        self.assertEqual(len(upstream.requests), 1)

    def test_on_an_inbox_route_a_duplicate_gets_the_ack_again(self):
        server, upstream = self.served(answer(b"first"), "inbox")
        for _ in range(3):
            self.assertEqual(self.send(server), (202, b"text/plain", b"kept"))
        server.inbox.only("done")
        self.assertEqual(self.send(server), (202, b"text/plain", b"kept"))
        self.assertEqual(len(upstream.requests), 1)

    def test_two_callers_at_the_same_time_wait_for_one_delivery(self):
        gate = self.gate(b"for both")
        server, upstream = self.served(gate)
        first = self.call_beside(server, "/hook", method="POST", body=b"{}", fields=["X-Event: 1"])
        gate.wait_inside()
        second = self.call_beside(server, "/hook", method="POST", body=b"{}", fields=["X-Event: 1"])
        self.assertEqual(self.send(server, "2")[2], b"second")  # and no other waits with them
        self.assertFalse(second.is_done())
        gate.open()
        self.assertEqual((first.result().body, second.result().body), (b"for both", b"for both"))
        self.assertEqual([each.get(b"x-event") for each in upstream.requests], [b"1", b"2"])

    def test_a_crowd_with_one_event_is_one_event(self):
        for mode in ("inbox", "auto"):
            with self.subTest(mode=mode):
                server, upstream = self.served(answer(b"first", "202 Yes"), mode)
                calls = [self.call_beside(server, "/hook", method="POST", body=b"%d" % each, fields=["X-Event: 1"])
                         for each in range(30)]
                bodies = {call.result().body for call in calls}
                self.assertEqual(bodies, {b"kept" if mode == "inbox" else b"first"})
                server.inbox.only("done")
                self.assertEqual(len(upstream.requests), 1)

    def test_a_replay_is_no_duplicate_and_its_answer_becomes_the_stored_one(self):
        server, upstream = self.served(answer(b"first"))
        self.send(server)
        server.inbox.replay(server.inbox.only("done")["id"])
        eventually(lambda: len(upstream.requests) == 2)
        eventually(lambda: self.send(server)[2] == b"second")
        self.assertEqual(len(upstream.requests), 2)

    def test_a_duplicate_of_an_event_that_waits_for_its_next_attempt_is_acked_by_the_deadline(self):
        server = self.inbox_server(route("auto", dedupe="body", deadline="300ms", ack=ACK), keys='agent_wait = "0s"')
        upstream = self.upstream()
        for _ in range(3):
            self.assertEqual(self.post(server, b"same").body, b"kept")
        self.agent(server, upstream)
        server.inbox.only("done")
        self.assertEqual(len(upstream.requests), 1)


if __name__ == "__main__":
    unittest.main()
