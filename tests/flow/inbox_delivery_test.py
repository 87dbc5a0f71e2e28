"""How stored events reach their upstream: again and again, in order, not while it is down, not while they must not."""

import time
import unittest

from inbox_scene import InboxTest, Script, route
from scene import SLOW, answer
from support import Upstream, eventually


class Retries(InboxTest):
    def test_whatever_is_no_final_answer_is_tried_again(self):
        firsts = {"408": answer(status="408 No"), "425": answer(status="425 No"), "429": answer(status="429 No"),
                  "500": answer(status="500 No"), "504": answer(status="504 No"),
                  "upstream_reset": lambda connection, message: connection.reset(),
                  "upstream_malformed": b"SSH-2.0\r\n\r\n"}
        server, upstream = self.inbox_server(route("inbox")), self.upstream()
        self.agent(server, upstream)
        for done, (name, first) in enumerate(firsts.items(), 1):
            with self.subTest(name):
                upstream.clear(Script(first, answer()))
                self.post(server, name.encode())
                server.inbox.wait_states(done=done)
                event = server.inbox.events()[-1]
                attempts = server.inbox.attempts(event["id"])
                self.assertEqual([each["number"] for each in attempts], [1, 2])
                self.assertIn(name, (str(attempts[0]["status"]), attempts[0]["error"]))
                self.assertEqual([each.get(b"rockdove-attempt") for each in upstream.requests], [b"1", b"2"])
                self.assertEqual([each.get(b"webhook-id") for each in upstream.requests], [event["id"].encode()] * 2)
                self.assertEqual({each.body for each in upstream.requests}, {name.encode()})

    def test_an_attempt_that_takes_too_long_is_given_up_and_tried_again(self):
        gate = self.gate()
        quick = f'{{first = "20ms", longest = "100ms", give_up = "1m", timeout = "{SLOW}s"}}'
        server, upstream = self.inbox_server(route("inbox", retry=quick)), self.upstream(Script(gate, answer()))
        self.agent(server, upstream)
        self.post(server)
        event = server.inbox.only("done")
        self.assertEqual(server.inbox.attempts(event["id"])[0]["error"], "upstream_timeout")
        self.assertEqual(len(upstream.requests), 2)

    def test_retry_after_is_waited_for(self):
        times = []

        def note(connection, message):
            times.append(time.monotonic())
            return answer(status="503 No", fields=["Retry-After: 1"]) if len(times) == 1 else answer()
        retry = '{first = "10ms", longest = "10s", give_up = "1m", timeout = "20s"}'
        server = self.inbox_server(route("inbox", retry=retry))
        self.agent(server, self.upstream(note))
        self.post(server)
        server.inbox.only("done")
        self.assertGreaterEqual(times[1] - times[0], 0.99)
        self.assertLess(times[1] - times[0], 1.1 + 2 * SLOW)

    def test_an_agent_that_dies_with_an_event_costs_an_attempt_and_not_the_event(self):
        server, gate = self.inbox_server(route("inbox")), self.gate()
        upstream = self.upstream(Script(gate, answer()))
        agent = self.agent(server, upstream)
        self.post(server, b"kept")
        gate.wait_inside()
        agent.kill9()
        agent.start()
        event = server.inbox.only("done")
        self.assertEqual([each.body for each in upstream.requests], [b"kept"] * 2)
        self.assertEqual(server.inbox.attempts(event["id"])[0]["error"], "link_lost")

    def test_no_more_than_the_routes_concurrency_are_under_way(self):
        def slow(connection, message):
            time.sleep(0.01)
            return answer()
        script = Script(slow)
        server = self.inbox_server(route("inbox", concurrency=3))
        for _ in range(40):
            self.post(server)
        self.agent(server, self.upstream(script))
        server.inbox.wait_states(done=40)
        self.assertEqual(script.most, 3)


class Order(InboxTest):
    def test_fifo_holds_over_failures_and_one_is_under_way_at_a_time(self):
        script = Script(answer(status="500 No"), answer(), lambda connection, message: connection.reset(), answer())
        server, upstream = self.inbox_server(route("inbox", order="fifo", concurrency=8)), self.upstream(script)
        bodies = [b"%d" % each for each in range(20)]
        for body in bodies[:15]:
            self.post(server, body)
        self.agent(server, upstream)
        for body in bodies[15:]:
            self.post(server, body)
        server.inbox.wait_states(done=20)
        self.assertEqual([each.body for each in upstream.requests], [b"0", b"0", b"1", *bodies[1:]])
        self.assertEqual(script.most, 1)

    def test_a_dead_letter_lets_those_behind_it_pass(self):
        script = Script(answer(status="400 No"), answer())
        server, upstream = self.inbox_server(route("inbox", order="fifo")), self.upstream(script)
        for body in (b"0", b"1", b"2"):
            self.post(server, body)
        self.agent(server, upstream)
        server.inbox.wait_states(dead=1, done=2)
        self.assertEqual([each.body for each in upstream.requests], [b"0", b"1", b"2"])

    def test_events_of_one_key_wait_for_each_other_and_for_no_others(self):
        gate = self.gate()

        def hold_a(connection, message):
            if b'"room":"a"' in message.body and message.body.endswith(b"0}"):
                gate(connection, message)
                return None
            return answer()
        server, upstream = self.inbox_server(route("inbox", order="json:/room")), self.upstream(Script(hold_a))
        self.agent(server, upstream)
        for number in range(5):
            for room in ("a", "b", "c"):
                self.post(server, b'{"room":"%s","n":%d}' % (room.encode(), number))
            self.post(server, b"no room")
        server.inbox.wait_states(done=15, waiting=1, queued=4)
        gate.open()
        server.inbox.wait_states(done=20)
        for room in (b'"a"', b'"b"', b'"c"'):
            mine = [each.body for each in upstream.requests if room in each.body]
            self.assertEqual(mine, [b'{"room":%s,"n":%d}' % (room, number) for number in range(5)])

    def test_the_order_holds_over_a_restart(self):
        server, upstream = self.inbox_server(route("inbox", order="header:X-Key")), self.upstream()
        bodies = [b"%d" % each for each in range(10)]
        for body in bodies:
            self.post(server, body, fields=["X-Key: k"])
            if body == b"4":
                server.kill9()
                server.start()
        self.agent(server, upstream)
        server.inbox.wait_states(done=10)
        self.assertEqual([each.body for each in upstream.requests], bodies)


class Pauses(InboxTest):
    def test_a_paused_route_keeps_its_events_over_a_restart_until_it_is_resumed(self):
        server = self.inbox_server(route("inbox"), route("inbox", "other", "/other"))
        upstream = self.upstream()
        agent = self.agent(server, upstream)
        server.inbox.pause()
        self.assertEqual(self.post(server, b"held").status, 200)
        server.stop()
        server.start()
        agent.wait_connected()
        self.assertEqual(self.post(server, b"free", "/other").status, 200)
        server.inbox.wait_states(waiting=1, done=1)
        self.assert_bodies(upstream, [b"free"])
        server.inbox.resume()
        server.inbox.wait_states(done=2)
        self.assert_bodies(upstream, [b"free", b"held"])

    def test_on_a_paused_auto_route_nobody_waits_for_the_deadline(self):
        server, upstream = self.inbox_server(route("auto", deadline="20s")), self.upstream()
        self.agent(server, upstream)
        server.inbox.pause()
        began = time.monotonic()
        self.assertEqual(self.post(server).body, b"{}")
        self.assertLess(time.monotonic() - began, 2 * SLOW)
        self.assertEqual(upstream.requests, [])
        server.inbox.resume()
        server.inbox.only("done")

    def test_gone_pauses_the_route(self):
        server, upstream = self.inbox_server(route("inbox", order="fifo")), self.upstream(answer(status="410 Gone"))
        for body in (b"0", b"1", b"2"):
            self.post(server, body)
        self.agent(server, upstream)
        eventually(lambda: server.inbox.states().get("dead") == 1)
        self.assertEqual(self.post(server, b"3").status, 200)
        server.inbox.wait_states(dead=1, waiting=1, queued=2)
        self.assertEqual([each.body for each in upstream.requests], [b"0"])
        upstream.clear()
        server.inbox.resume()
        server.inbox.wait_states(dead=1, done=3)
        self.assertEqual([each.body for each in upstream.requests], [b"1", b"2", b"3"])


class UpstreamDown(InboxTest):
    def test_an_upstream_that_is_down_is_probed_and_not_hammered(self):
        server = self.inbox_server(route("inbox", concurrency=4))
        upstream = self.upstream(lambda connection, message: connection.reset())
        self.agent(server, upstream)  # before the events: without an agent the breaker would be open already
        for _ in range(50):
            self.post(server)
        eventually(lambda: len(upstream.requests) >= 5)
        time.sleep(3)  # the time over which attempts are counted; without a breaker there are hundreds
        # Five failures open the breaker while up to three more are under way; then come probes, the first
        # after half a second.
        self.assertLessEqual(len(upstream.requests), 5 + 3 + 6)
        upstream.clear()
        server.inbox.wait_states(timeout=60, done=50)
        self.assertEqual(len(upstream.requests), 50)

    def test_an_upstream_that_nobody_listens_for_costs_no_event(self):
        upstream = Upstream()
        upstream.stop()  # its port stays this test's
        server = self.inbox_server(route("inbox"))
        self.agent(server, upstream)
        for each in range(10):
            self.post(server, b"%d" % each)
        eventually(lambda: any(each["attempts"] for each in server.inbox.events()), what="an attempt")
        self.upstream(port=upstream.port)
        server.inbox.wait_states(timeout=60, done=10)

    def test_with_an_agent_gone_for_long_nothing_counts_as_an_attempt(self):
        server, upstream = self.inbox_server(route("inbox"), keys='agent_wait = "0s"'), self.upstream()
        for _ in range(12):
            self.post(server)
        time.sleep(1)  # for attempts that must not come
        self.assertEqual({each["attempts"] for each in server.inbox.events()}, {0})
        began = time.monotonic()
        self.agent(server, upstream)
        server.inbox.wait_states(done=12)
        self.assertLess(time.monotonic() - began, 5 * SLOW)  # an agent's coming is reason enough to try at once
        self.assertEqual({each["attempts"] for each in server.inbox.events()}, {1})


class DeadLetters(InboxTest):
    def test_a_dead_letter_stays_until_it_is_replayed_and_is_marked_then(self):
        server, upstream = self.inbox_server(route("inbox")), self.upstream(answer(b"what?", "404 No"))
        self.agent(server, upstream)
        self.post(server, b"again")
        event = server.inbox.only("dead")
        self.assertIn("404", event["reason"])
        self.assertEqual(upstream.last().all(b"rockdove-replay"), [])
        upstream.clear()
        server.inbox.replay(event["id"])
        self.assertEqual(server.inbox.only("done")["id"], event["id"])
        seen = upstream.last()
        self.assertEqual([seen.get(name) for name in (b"rockdove-replay", b"rockdove-attempt", b"webhook-id")],
                         [b"true", b"2", event["id"].encode()])
        self.assertEqual(seen.body, b"again")
        self.assertEqual([each["status"] for each in server.inbox.attempts(event["id"])], [404, 200])

    def test_an_event_that_was_delivered_can_be_replayed_too(self):
        server, upstream = self.inbox_server(route("inbox", order="fifo")), self.upstream()
        self.agent(server, upstream)
        self.post(server)
        event = server.inbox.only("done")
        for attempt in (2, 3):
            server.inbox.replay(event["id"])
            eventually(lambda: len(upstream.requests) == attempt)  # pylint: disable=cell-var-from-loop
            self.assertEqual(server.inbox.only("done")["attempts"], attempt)
        self.assertEqual([each.all(b"rockdove-replay") for each in upstream.requests], [[], [b"true"], [b"true"]])

    def test_retries_end_when_give_up_has_passed(self):
        retry = f'{{first = "10ms", longest = "50ms", give_up = "{SLOW}s", timeout = "{SLOW}s"}}'
        server = self.inbox_server(route("inbox", retry=retry))
        self.agent(server, self.upstream(answer(b"no", "500 No")))
        self.post(server)
        event = server.inbox.only("dead")
        self.assertGreater(event["attempts"], 1)
        self.assertTrue(event["reason"])

    def test_an_empty_success_is_none_where_the_route_wants_a_body(self):
        script = Script(answer(b""), answer(b"ok"))
        server = self.inbox_server(route("inbox", success_if="2xx-with-body"))
        self.agent(server, self.upstream(script))
        self.post(server)
        event = server.inbox.only()
        eventually(lambda: server.inbox.only()["attempts"] == 1)
        self.assertNotEqual(server.inbox.only()["state"], "done")
        server.inbox.replay(event["id"])
        server.inbox.only("done")


class Restarts(InboxTest):
    def test_what_was_waiting_is_delivered_after_a_restart(self):
        server, upstream = self.inbox_server(route("inbox"), route("auto", "auto", "/auto")), self.upstream()
        bodies = [b"%d" % each for each in range(20)]
        for body in bodies:
            self.post(server, body, "/auto" if body == b"7" else "/hook")
        server.stop()
        server.start()
        self.assertEqual(len(server.inbox.events()), 20)
        self.agent(server, upstream)
        server.inbox.wait_states(done=20)
        self.assert_bodies(upstream, bodies)

    def test_sigterm_lets_an_attempt_under_way_end(self):
        server, gate = self.inbox_server(route("inbox"), keys='drain = "20s"'), self.gate()
        upstream = self.upstream(gate)
        agent = self.agent(server, upstream)
        self.post(server)
        gate.wait_inside()
        server.signal(15)
        server.wait_for_log("drain|stop|SIGTERM|ends")
        gate.open()
        self.assert_ends(server, within=10)
        server.stop()
        server.start()
        agent.wait_connected(60)
        server.inbox.only("done")
        self.assertEqual(len(upstream.requests), 1)

    def test_what_an_attempt_did_not_end_within_the_drain_comes_again_after_the_start(self):
        server, gate = self.inbox_server(route("inbox"), keys='drain = "300ms"'), self.gate()
        upstream = self.upstream(Script(gate, answer()))
        self.agent(server, upstream)
        self.post(server, b"twice")
        gate.wait_inside()
        server.signal(15)
        self.assert_ends(server, within=5)
        server.stop()
        server.start()
        event = server.inbox.only()
        server.inbox.wait_states(timeout=60, done=1)
        self.assertEqual([each.body for each in upstream.requests], [b"twice"] * 2)
        self.assertEqual({each.get(b"webhook-id") for each in upstream.requests}, {event["id"].encode()})

    def test_a_reload_changes_how_a_route_is_treated(self):
        server, upstream = self.inbox_server(route("inbox")), self.upstream()
        self.agent(server, upstream)
        self.post(server)
        server.inbox.wait_states(done=1)
        server.toml = route("inbox", ack='{status = 204, type = "", body = ""}') + '[[route]]\nname = "rest"\n'
        server.write_config()
        server.signal(1)
        eventually(lambda: self.post(server).status == 204, what="the new acknowledgement")


if __name__ == "__main__":
    unittest.main()
