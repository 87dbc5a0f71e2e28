"""SIGTERM: what is under way ends, nothing new begins, and it does not take for ever."""

import json
import signal
import socket
import time
import unittest

from scene import SLOW, SceneTest, answer, decode_join, hello, request
from support import Caller, Ended, eventually


class Drain(SceneTest):
    def under_way(self, server_keys="", agent_keys="", **options):
        """A server and an agent in the middle of a request: (server, agent, upstream, gate, caller)."""
        server, gate = self.server(keys=server_keys, **options), self.gate(b"whole")
        upstream = self.upstream(gate)
        agent = self.agent(server, upstream, keys=agent_keys)
        caller = self.caller(server)
        caller.send(request("/under-way"))
        gate.wait_inside()
        return server, agent, upstream, gate, caller

    def wait_refused(self, server):
        def is_refused():
            try:
                socket.create_connection(("127.0.0.1", server.ingress_port)).close()
                return False
            except ConnectionResetError:  # came while the socket was being closed
                return False
            except ConnectionRefusedError:
                return True
        eventually(is_refused, 10, "new connections are refused")

    def assert_not_served(self, caller):
        """Cut off, or told so: the caller must not take it for an answer of the upstream."""
        try:
            self.assertEqual(caller.response().status, 502)
        except Ended:
            pass

    def signal_twice(self, process):
        mark = process.log_size()
        process.signal(signal.SIGTERM)
        process.wait_for_log("stopping", after=mark)
        process.signal(signal.SIGTERM)


class ServerStops(Drain):
    def test_a_request_under_way_ends_new_connections_are_refused_and_the_code_is_0(self):
        server, agent, _, gate, caller = self.under_way('drain = "30s"')
        server.signal(signal.SIGTERM)
        self.wait_refused(server)
        self.assertTrue(server.is_running())
        gate.open()
        response = caller.response()
        self.assertEqual((response.status, response.body), (200, b"whole"))
        self.assertEqual(response.get(b"connection"), b"close")
        self.assertEqual(caller.until_end(), (b"", "fin"))
        self.assert_ends(server)
        self.assertTrue(agent.is_running())

    def test_idle_callers_do_not_hold_the_server_up(self):
        server = self.server(keys='drain = "30s"')
        self.agent(server, self.upstream())
        callers = [self.caller(server) for _ in range(3)]
        self.assertEqual([caller.exchange(request()).status for caller in callers[:2]], [200, 200])
        server.signal(signal.SIGTERM)
        self.assert_ends(server)
        for caller in callers:
            self.assertEqual(caller.until_end()[0], b"")

    def test_a_caller_that_has_just_connected_is_answered(self):
        server = self.server(keys='drain = "30s"')
        self.agent(server, self.upstream(answer(b"late")))
        callers = [self.caller(server) for _ in range(5)]
        server.signal(signal.SIGTERM)
        self.wait_refused(server)
        for caller in callers:
            response = caller.exchange(request())
            self.assertEqual((response.status, response.body, response.get(b"connection")), (200, b"late", b"close"))
            self.assertEqual(caller.until_end(), (b"", "fin"))
        self.assert_ends(server)

    def test_a_long_download_under_way_is_whole(self):
        body = bytes(range(256)) * 40000  # more than the buffers on the way

        def stream(connection, _):
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for at in range(0, len(body), 65536):
                piece = body[at:at + 65536]
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            connection.send(b"0\r\n\r\n")
        server = self.server(keys='drain = "30s"')
        agent = self.agent(server, self.upstream(stream), keys='drain = "30s"')
        callers = [self.caller(server) for _ in range(2)]
        for caller in callers:
            caller.send(request())
            self.assertTrue(caller.until(b"\r\n\r\n").startswith(b"HTTP/1.1 200"))
        for process in (agent, server):
            process.signal(signal.SIGTERM)
        self.wait_refused(server)
        for caller in callers:
            message = type("Chunked", (), {"framing": "chunked", "chunks": [], "trailers": []})()
            self.assertEqual(b"".join(caller.chunks(message)), body)
        self.assert_ends(agent)
        self.assert_ends(server)

    def test_an_upload_under_way_arrives_whole(self):
        server = self.server(keys='drain = "30s"')
        upstream = self.upstream()
        self.agent(server, upstream)
        caller = self.caller(server)
        body = bytes(range(256)) * 1000
        whole = request(method="POST", body=body)
        caller.send(whole[:100000])
        eventually(lambda: upstream.requests, what="the upload has begun")
        server.signal(signal.SIGTERM)
        self.wait_refused(server)
        caller.send(whole[100000:])
        self.assertEqual(caller.response("POST").status, 200)
        self.assertEqual(upstream.requests[0].body, body)
        self.assert_ends(server)

    def test_a_second_signal_ends_at_once(self):
        server, _, _, _, caller = self.under_way('drain = "60s"')
        self.signal_twice(server)
        self.assert_ends(server, within=2)
        self.assert_not_served(caller)

    def test_drain_bounds_what_a_slow_upstream_may_cost(self):
        server, _, _, _, caller = self.under_way('drain = "1s"')
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        self.assert_ends(server, within=3)
        self.assertGreater(time.monotonic() - began, 0.9)
        self.assert_not_served(caller)

    def test_new_agents_are_told_to_come_back_and_the_old_one_does(self):
        server, agent, _, gate, caller = self.under_way('drain = "30s"', tls="off")
        join = decode_join(server.token("bot"))
        server.signal(signal.SIGTERM)
        self.wait_refused(server)
        stranger = Caller(server.tunnel_port)
        self.addCleanup(stranger.close)
        refused = stranger.exchange(hello(join))
        self.assertEqual((refused.status, refused.get(b"rockdove-reason")), (503, b"draining"))
        self.assertEqual((refused.get(b"retry-after"), refused.get(b"rockdove-retry-after-ms")), (b"1", b"1000"))
        gate.open()
        self.assertEqual(caller.response().status, 200)
        self.assert_ends(server)
        server.start()
        agent.wait_connected()
        self.assertEqual(self.call(server).status, 200)

    def test_a_restart_under_waiting_requests_answers_each_of_them(self):
        server = self.server(keys='agent_wait = "20s"\ndrain = "1s"')
        server.token()
        caller = self.caller(server)
        caller.send(request())
        eventually(lambda: server.get_json()["ingress"]["connections"] == 1)
        server.signal(signal.SIGTERM)
        try:
            self.assertEqual(caller.response().status, 503)
        except Ended:
            pass
        self.assert_ends(server)


class AgentStops(Drain):
    def test_a_request_under_way_ends_and_the_code_is_0(self):
        server, agent, upstream, gate, caller = self.under_way('agent_wait = "0s"', 'drain = "30s"')
        agent.signal(signal.SIGTERM)
        eventually(lambda: server.agent("office")["draining"], what="the server knows")
        self.assert_error(self.call(server), 503, "edge", "no_agent")
        self.assertTrue(agent.is_running())
        gate.open()
        self.assertEqual(caller.response().body, b"whole")
        self.assert_ends(agent)
        eventually(lambda: server.agent("office") is None)
        self.assertEqual(len(upstream.requests), 1)

    def test_a_second_signal_ends_at_once(self):
        _, agent, _, _, caller = self.under_way(agent_keys='drain = "60s"')
        self.signal_twice(agent)
        self.assert_ends(agent, within=3)
        self.assert_error(caller.response(), 502, "link", "link_lost")

    def test_drain_bounds_what_a_slow_upstream_may_cost(self):
        _, agent, _, _, caller = self.under_way(agent_keys='drain = "1s"')
        began = time.monotonic()
        agent.signal(signal.SIGTERM)
        self.assert_ends(agent, within=4)
        self.assertGreater(time.monotonic() - began, 0.9)
        self.assertEqual(json.loads(caller.response().body)["error"]["hop"], "link")

    def test_an_agent_that_cannot_connect_stops_too(self):
        server = self.server()
        agent = self.agent(server, start=False)
        server.kill9()
        agent.start()
        agent.wait_for_log("no connection to")
        agent.signal(signal.SIGTERM)
        self.assert_ends(agent, within=3)

    def test_an_agent_stops_while_its_server_is_silent(self):
        server = self.server()
        agent = self.agent(server, self.upstream(answer()))
        server.signal(signal.SIGSTOP)
        self.addCleanup(server.signal, signal.SIGCONT)
        began = time.monotonic()
        agent.signal(signal.SIGTERM)
        self.assert_ends(agent, within=5)
        self.assertLess(time.monotonic() - began, 5 * SLOW)


if __name__ == "__main__":
    unittest.main()
