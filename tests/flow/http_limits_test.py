"""What happens when there are too many callers or requests, or nobody to serve them."""

import json
import time
import unittest

from support import Caller, FlowTest, Server, eventually

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Crowds(FlowTest):
    server_keys = 'agent_wait = "0s"'
    server_toml = '[limits]\nconnections = 8\nrunning = 2\nwaiting = 1\n[[route]]\nname = "a"\npath = "/a"\n' \
                  '[[route]]\nname = "nobody"\npath = "/nobody"\ntunnel = "nobody"\n' \
                  '[[route]]\nname = "unknown"\npath = "/unknown"\nupstream = "unknown"'

    def setUp(self):
        super().setUp()
        # The callers of the test before may still be counted, and there is room for eight only.
        eventually(lambda: self.server.get_json()["ingress"]["connections"] == 0)

    def test_a_path_without_a_route_is_a_404(self):
        for target in (b"/", b"/ab", b"/A", b"/%61"):
            got = self.call(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assert_error(got, 404, "edge", "no_route")
        self.assertEqual(self.upstream.requests, [])

    def test_no_agent_is_a_503_that_says_when_to_come_back(self):
        got = self.call(b"GET /nobody HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assert_error(got, 503, "edge", "no_agent")
        self.assertTrue(got.get(b"retry-after").isdigit())

    def test_an_upstream_that_the_agent_does_not_know_is_a_502(self):
        self.assert_error(self.call(b"GET /unknown HTTP/1.1\r\nHost: a\r\n\r\n"), 502, "upstream", "upstream_unknown")

    def test_callers_above_the_limit_get_a_503_at_once(self):
        eventually(lambda: self.server.get_json()["ingress"]["connections"] == 0)
        callers = [self.caller() for _ in range(8)]
        eventually(lambda: self.server.get_json()["ingress"]["connections"] == 8)
        over = self.caller()
        got = over.response()
        self.assertEqual((got.status, got.get(b"connection")), (503, b"close"))
        self.assertTrue(got.get(b"retry-after").isdigit())
        self.assertEqual(over.until_end()[0], b"")
        # Those that are in are served, and one that leaves makes room.
        self.assertEqual(callers[0].exchange(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").body, b"ok")
        callers[1].close()
        eventually(lambda: self.server.get_json()["ingress"]["connections"] == 7)
        self.assertEqual(self.call(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").body, b"ok")
        self.assertGreaterEqual(self.server.get_json()["ingress"]["refused"], 1)

    def test_requests_above_the_tunnels_limits_wait_or_get_a_503(self):
        connections = []

        def handler(connection, request):
            connections.append(connection)

        self.upstream.clear(handler)
        request = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
        callers = [self.caller() for _ in range(3)]
        for number, caller in enumerate(callers):
            caller.send(request)
            eventually(lambda number=number: sum(
                self.server.get_json()["tunnels"][0][key] for key in ("running", "waiting")) == number + 1)
        got = self.call(request)
        self.assert_error(got, 503, "edge", "queue_full")
        self.assertTrue(got.get(b"retry-after").isdigit())
        eventually(lambda: len(connections) == 2)
        for number in range(3):
            eventually(lambda number=number: len(connections) > number)
            connections[number].send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        for caller in callers:
            self.assertEqual(caller.response().body, b"ok")


class Alone(unittest.TestCase):
    def test_without_any_agent_a_request_waits_a_moment_and_then_gets_a_503(self):
        server = Server(keys='agent_wait = "300ms"')
        self.addCleanup(server.stop)
        caller = Caller(server.ingress_port)
        self.addCleanup(caller.close)
        started = time.monotonic()
        got = caller.exchange(GET)
        self.assertEqual((got.status, json.loads(got.body)["error"]["cause"]), (503, "no_agent"))
        self.assertGreater(time.monotonic() - started, 0.29)
        health = json.loads(caller.exchange(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").body)
        self.assertEqual([health[key] for key in ("status", "service", "ws_port", "active_connections")],
                         ["ok", "feishu-webhook-ws", server.tunnel_port, 0])


if __name__ == "__main__":
    unittest.main()
