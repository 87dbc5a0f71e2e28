"""How many requests a tunnel takes at a time, who waits for how long, and what those hear that get no place."""

import time
import unittest

from scene import SLOW, SceneTest, answer, request
from support import Caller, eventually


class Places(SceneTest):
    limits = "[limits]\nrunning = 1\nwaiting = 1"

    def counts(self, server, tunnel="bot"):
        found = next(each for each in server.get_json()["tunnels"] if each["name"] == tunnel)
        return found["running"], found["waiting"]

    def wait_for_counts(self, server, running, waiting):
        eventually(lambda: self.counts(server) == (running, waiting), 20, f"{running} running, {waiting} waiting")

    def full(self):
        """A server whose one place and whose one place to wait are taken."""
        server, gate = self.server(toml=self.limits), self.gate()
        upstream = self.upstream(gate)
        self.agent(server, upstream)
        first = self.call_beside(server, "/first")
        gate.wait_inside()
        second = self.call_beside(server, "/second")
        self.wait_for_counts(server, 1, 1)
        return server, upstream, gate, first, second

    def test_one_runs_one_waits_and_the_third_is_told_to_come_back(self):
        server, upstream, gate, first, second = self.full()
        sent = time.monotonic()
        refused = self.call(server, "/third")
        self.assertLess(time.monotonic() - sent, 1 * SLOW)
        self.assert_error(refused, 503, "edge", "queue_full")
        self.assertGreater(int(refused.get(b"retry-after")), 0)
        self.assertEqual(len(upstream.requests), 1)
        gate.open()
        self.assertEqual((first.result().body, second.result().body), (b"ok", b"ok"))
        self.assertEqual([each.target for each in upstream.requests], [b"/first", b"/second"])
        self.wait_for_counts(server, 0, 0)
        self.assertEqual(self.call(server).status, 200)

    def test_a_waiting_caller_that_hangs_up_leaves_its_place(self):
        server, gate = self.server(toml=self.limits), self.gate()
        upstream = self.upstream(gate)
        self.agent(server, upstream)
        first = self.call_beside(server, "/first")
        gate.wait_inside()
        for _ in range(3):
            waiting = Caller(server.ingress_port)
            waiting.send(request("/gone"))
            self.wait_for_counts(server, 1, 1)
            waiting.close()
            self.wait_for_counts(server, 1, 0)
        last = self.call_beside(server, "/last")
        self.wait_for_counts(server, 1, 1)
        gate.open()
        self.assertEqual((first.result().status, last.result().status), (200, 200))
        self.assertEqual([each.target for each in upstream.requests], [b"/first", b"/last"])

    def test_a_running_caller_that_hangs_up_leaves_its_place_and_the_upstreams_connection(self):
        server, gate = self.server(toml=self.limits), self.gate()
        upstream = self.upstream(gate)
        self.agent(server, upstream)
        running = Caller(server.ingress_port)
        running.send(request("/gone"))
        gate.wait_inside()
        waiting = self.call_beside(server, "/next")
        self.wait_for_counts(server, 1, 1)
        running.close()
        gate.wait_inside(2)
        gate.open()
        self.assertEqual(waiting.result().status, 200)
        self.wait_for_counts(server, 0, 0)

    def test_a_place_is_kept_until_the_last_byte_of_the_answer(self):
        def drip(connection, message):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
            gate(Quiet(connection), message)
            connection.send(b"def")
        server, gate = self.server(toml=self.limits), self.gate()
        self.agent(server, self.upstream(drip))
        first = self.caller(server)
        first.send(request())
        self.assertEqual(first.until(b"abc")[-3:], b"abc")
        second = self.call_beside(server)
        self.wait_for_counts(server, 1, 1)
        gate.open()
        self.assertEqual(first.exactly(3), b"def")
        self.assertEqual(second.result().body, b"abcdef")
        self.wait_for_counts(server, 0, 0)

    def test_a_tunnel_may_have_limits_of_its_own(self):
        routes = "".join(f'[[route]]\nname = "{name}"\npath = "/{name}"\ntunnel = "{name}"\n'
                         for name in ("one", "two"))
        tunnels = '[[tunnel]]\nname = "one"\nrunning = 1\nwaiting = 0\n[[tunnel]]\nname = "two"\n'
        server, gate = self.server(toml=routes + tunnels), self.gate()
        for tunnel in ("one", "two"):
            self.agent(server, self.upstream(gate), tunnel=tunnel)
        running = [self.call_beside(server, "/one")] + [self.call_beside(server, "/two") for _ in range(3)]
        gate.wait_inside(4)
        self.assert_error(self.call(server, "/one"), 503, "edge", "queue_full")
        gate.open()
        self.assertEqual([each.result().status for each in running], [200] * 4)

    def test_a_hundred_callers_pass_through_four_places(self):
        server = self.server(toml="[limits]\nrunning = 4\nwaiting = 200")
        inside, most = set(), []

        def count(connection, message):
            inside.add(id(message))
            most.append(len(inside))
            connection.read_body(message)
            time.sleep(0.005)
            inside.discard(id(message))
            return answer(bytes(message.target))
        self.agent(server, self.upstream(count))
        calls = [self.call_beside(server, f"/{number}") for number in range(100)]
        self.assertEqual([call.result().body for call in calls], [b"/%d" % number for number in range(100)])
        self.assertLessEqual(max(most), 4)
        self.wait_for_counts(server, 0, 0)


class Quiet:
    """A connection whose handler sends nothing."""

    def __init__(self, connection):
        self.read_body = connection.read_body

    def send(self, data):
        pass


class NoAgent(SceneTest):
    def assert_no_agent(self, response):
        self.assert_error(response, 503, "edge", "no_agent")
        self.assertGreater(int(response.get(b"retry-after")), 0)

    def test_without_an_agent_the_answer_comes_after_agent_wait(self):
        server = self.server(keys='agent_wait = "400ms"')
        sent = time.monotonic()
        self.assert_no_agent(self.call(server))  # nobody has ever come
        self.assertGreater(time.monotonic() - sent, 0.3)
        agent = self.agent(server, self.upstream())
        self.assertEqual(self.call(server).status, 200)
        agent.stop()
        sent = time.monotonic()
        self.assert_no_agent(self.call(server, method="POST", body=b"{}"))
        self.assertGreater(time.monotonic() - sent, 0.3)
        self.assertLess(time.monotonic() - sent, 2 * SLOW)

    def test_agent_wait_of_zero_does_not_wait(self):
        server = self.server(keys='agent_wait = "0s"')
        sent = time.monotonic()
        self.assert_no_agent(self.call(server))
        self.assertLess(time.monotonic() - sent, 0.5 * SLOW)

    def test_requests_that_came_before_the_agent_are_served_when_it_comes(self):
        server, upstream = self.server(keys='agent_wait = "20s"'), self.upstream()
        agent = self.agent(server, upstream, start=False)
        for _ in range(2):  # the first agent ever, then the same one again
            calls = [self.call_beside(server, f"/{number}", method="POST", body=b"%d" % number) for number in range(5)]
            agent.start()
            self.assertEqual([call.result().status for call in calls], [200] * 5)
            self.assertEqual(sorted(each.body for each in upstream.requests), [b"0", b"1", b"2", b"3", b"4"])
            upstream.clear()
            agent.wait_connected()
            agent.stop()

    def test_a_body_that_is_still_coming_waits_with_its_request(self):
        server, upstream = self.server(keys='agent_wait = "20s"'), self.upstream()
        agent = self.agent(server, upstream, start=False)
        body = bytes(range(256)) * 2000
        call = self.call_beside(server, method="POST", body=body)
        agent.start()
        self.assertEqual(call.result().status, 200)
        self.assertEqual(upstream.last().body, body)


if __name__ == "__main__":
    unittest.main()
