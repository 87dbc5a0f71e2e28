"""What /health, /stats and the commands that print them say, and whether it is true."""

import http.client
import json
import signal
import time
import unittest

from scene import Authority, SceneTest, answer, request, run_binary
from support import PATIENCE, Caller, Server, eventually


class Health(SceneTest):
    def health(self, server, port=None):
        return server.get_json("/health", port)

    def test_health_is_what_monitoring_expects_on_both_ports(self):
        server = self.server()
        for port in (server.ingress_port, server.admin_port):
            health = self.health(server, port)
            self.assertLessEqual({"status", "service", "ws_port", "active_connections", "version", "uptime_s"},
                                 set(health))
            self.assertEqual((health["status"], health["service"]), ("ok", "feishu-webhook-ws"))
            self.assertEqual((health["ws_port"], health["active_connections"]), (server.tunnel_port, 0))
            self.assertGreaterEqual(health["uptime_s"], 0)

    def test_active_connections_counts_agents_as_they_come_and_go(self):
        server = self.server(keys='service = "mine"')
        self.assertEqual(self.health(server)["service"], "mine")
        agents = [self.agent(server, name=name) for name in ("one", "two")]
        self.assertEqual(self.health(server)["active_connections"], 2)
        agents[0].stop()
        eventually(lambda: self.health(server)["active_connections"] == 1)
        agents[1].kill9()
        eventually(lambda: self.health(server)["active_connections"] == 0)

    def test_health_answers_head_without_a_body_and_leaves_other_methods_to_the_upstream(self):
        server, upstream = self.server(), self.upstream(answer(b"from the upstream"))
        self.agent(server, upstream)
        head = self.call(server, "/health", method="HEAD")
        self.assertEqual((head.status, head.body, head.get(b"content-type")), (200, b"", b"application/json"))
        self.assertGreater(int(head.get(b"content-length")), 0)
        self.assertEqual(self.call(server, "/health", method="POST", body=b"{}").body, b"from the upstream")
        self.assertEqual(self.call(server, "/healthy").body, b"from the upstream")

    def page(self, port, target):
        """(status, JSON) of a page."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", target, headers={"Connection": "close"})
            got = connection.getresponse()
            return got.status, json.loads(got.read())
        finally:
            connection.close()

    def reasons(self, server, *expected):
        """Waits until operators read exactly these reasons; returns what the public reads."""
        eventually(lambda: self.health(server, server.admin_port).get("reasons", []) == list(expected),
                   what=f"reasons {expected}")
        status, public = self.page(server.ingress_port, "/health")
        self.assertEqual((status, public["status"]), (200, "degraded" if expected else "ok"))
        return public.get("reasons", [])

    def test_a_tunnel_without_its_agent_degrades_health_until_one_comes(self):
        server = self.server()
        self.assertEqual(self.reasons(server), [])
        for tunnel in ("office", "depot"):
            server.token(tunnel)
        self.assertEqual(self.reasons(server, "tunnel depot: no agent is connected",
                                      "tunnel office: no agent is connected"), ["tunnel: no agent is connected"])
        self.agent(server, tunnel="office")
        self.agent(server, tunnel="depot")
        self.assertEqual(self.reasons(server), [])

    def test_an_upstream_that_is_down_degrades_health_until_it_is_back(self):
        server, upstream = self.server(), self.upstream()
        port = upstream.port
        self.agent(server, upstream, upstream_keys='health_interval = "100ms"')
        self.assertEqual(self.reasons(server), [])
        upstream.stop()
        self.assertEqual(self.reasons(server, "tunnel bot: upstream default is down at every agent"),
                         ["tunnel: an upstream is down"])
        self.upstream(port=port)
        self.assertEqual(self.reasons(server), [])

    def test_a_certificate_near_its_end_degrades_health(self):
        server = Server(start=False)
        certificate, key = Authority(server.directory).issue("callers")  # for two days
        server.toml = f'[ingress_tls]\ncertificate = "{certificate}"\nkey = "{key}"\n'
        self.take_in(server).start()
        health = self.health(server, server.admin_port)
        self.assertEqual(health["status"], "degraded")
        self.assertRegex(health["reasons"][0], "^certificate of the ingress port: it expires in (2 days|1 day)$")

    def test_supervisors_ask_the_admin_port_whether_it_lives_and_is_ready(self):
        server, gate = self.server(), self.gate()
        self.agent(server, self.upstream(gate))
        self.assertEqual(self.page(server.admin_port, "/health/live"), (200, {"status": "live"}))
        self.assertEqual(self.page(server.admin_port, "/health/ready"), (200, {"status": "ready"}))
        call = self.call_beside(server, "/health/ready")  # a path like any other on the public port
        gate.wait_inside()
        server.popen.send_signal(signal.SIGTERM)
        eventually(lambda: self.page(server.admin_port, "/health/ready") == (503, {"status": "stopping"}))
        self.assertEqual(self.page(server.admin_port, "/health/live"), (200, {"status": "live"}))
        gate.open()
        self.assertEqual(call.result().body, b"ok")
        self.assertEqual(server.popen.wait(20), 0)  # a second SIGTERM, on its way out, would kill it

    def test_stats_can_be_kept_from_the_public(self):
        server, upstream = self.server(keys="public_stats = false"), self.upstream(answer(b"from the upstream"))
        self.agent(server, upstream)
        self.assertEqual(self.call(server, "/stats").body, b"from the upstream")
        self.assertIn("routes", server.get_json("/stats"))


class Stats(SceneTest):
    def settled(self, server, requests, route="default"):
        """The route's counts once there are so many: they are made after the answer's last byte."""
        eventually(lambda: server.route(route)["requests"] >= requests, what=f"{requests} requests counted")
        return server.route(route)

    def test_requests_answers_bytes_and_success_rate_are_counted(self):
        def by_target(_, message):
            return answer(b"x" * 10, message.target[1:].decode() + " Word")
        server = self.server()
        self.agent(server, self.upstream(by_target))
        self.assertEqual(server.route()["success_rate"], 1.0)
        for status in (200, 201, 200, 301, 404, 404, 500):
            self.assertEqual(self.call(server, f"/{status}", method="POST", body=b"y" * 7).status, status)
        stats = self.settled(server, 7)
        self.assertEqual(stats["requests"], 7)
        self.assertEqual(stats["responses"], {"2xx": 3, "3xx": 1, "4xx": 2, "5xx": 1})
        self.assertAlmostEqual(stats["success_rate"], 6 / 7, 6)
        self.assertEqual((stats["bytes_in"], stats["bytes_out"]), (49, 70))
        self.assertEqual((stats["errors"], stats["gone"]), ({}, 0))
        for window in stats["windows"].values():
            self.assertEqual(window["requests"], 7)
            self.assertAlmostEqual(window["success_rate"], 6 / 7, 6)
            self.assertEqual(window["latency_ms"], stats["latency_ms"])

    def test_latencies_are_percentiles_of_what_callers_waited(self):
        def by_target(_, message):
            time.sleep(0.05 if message.target == b"/slow" else 0)
            return answer()
        server = self.server()
        self.agent(server, self.upstream(by_target))
        for number in range(20):
            self.call(server, "/slow" if number % 10 == 5 else "/")
        latency = self.settled(server, 20)["latency_ms"]
        self.assertLess(0, latency["p50"])
        self.assertLessEqual(latency["p50"], latency["p90"])
        self.assertLessEqual(latency["p90"], latency["p99"])
        self.assertLessEqual(latency["p99"], latency["max"])
        self.assertGreaterEqual(latency["max"], 50)
        self.assertGreaterEqual(latency["p99"], 45)

    def test_every_route_counts_for_itself_and_errors_are_counted_by_cause(self):
        routes = '[[route]]\nname = "a"\npath = "/a"\n[[route]]\nname = "b"\npath = "/b"\nupstream = "unheard-of"\n'
        server = self.server(toml=routes, keys='agent_wait = "0s"')
        agent = self.agent(server, self.upstream())
        self.assertEqual([self.call(server, target).status for target in ("/a", "/a", "/b")], [200, 200, 502])
        self.settled(server, 2, "a")
        self.assertEqual(self.settled(server, 1, "b")["errors"], {"upstream_unknown": 1})
        agent.stop()
        self.call(server, "/a")
        stats = self.settled(server, 3, "a")
        self.assertEqual((stats["responses"]["2xx"], stats["responses"]["5xx"]), (2, 1))
        self.assertEqual(stats["errors"], {"no_agent": 1})

    def test_callers_that_go_away_are_counted_as_gone_and_as_no_failure(self):
        server, gate = self.server(), self.gate()
        self.agent(server, self.upstream(gate))
        caller = Caller(server.ingress_port)
        caller.send(request())
        gate.wait_inside()
        caller.close()
        stats = self.settled(server, 1)
        self.assertEqual((stats["gone"], stats["success_rate"]), (1, 1.0))
        self.assertEqual(sum(stats["responses"].values()), 0)

    def test_links_show_age_last_byte_streams_and_bytes(self):
        server, gate = self.server(), self.gate(b"z" * 5000)
        self.agent(server, self.upstream(gate))

        def links():
            return server.agent("office")["links"]
        for link in links():
            self.assertEqual(link["outstanding"], 0)
            self.assertLess(link["last_byte_ms"], 10000)
        call = self.call_beside(server)
        gate.wait_inside()
        self.assertEqual(sum(link["outstanding"] for link in links()), 1)
        before = links()
        gate.open()
        call.result()
        eventually(lambda: sum(link["outstanding"] for link in links()) == 0)
        self.assertGreaterEqual(sum(link["bytes_in"] for link in links()),
                                sum(link["bytes_in"] for link in before) + 5000)
        self.assertGreater(min(link["since_s"] for link in links()), 0)
        self.assertGreater(links()[0]["since_s"], before[0]["since_s"])


class UpstreamState(SceneTest):
    def test_agent_up_upstream_down_is_visible_and_goes_away_again(self):
        server, upstream = self.server(), self.upstream()
        self.agent(server, upstream, upstream_keys='health_interval = "200ms"')

        def state():
            return server.agent("office")["upstreams"][0]
        eventually(lambda: server.agent("office")["upstreams"], what="the agent has reported its upstream")
        self.assertEqual((state()["name"], state()["url"], state()["up"]), ("default", upstream.url, True))
        upstream.stop()
        eventually(lambda: not state()["up"], what="the upstream is down")
        self.assertTrue(state()["detail"])
        self.assertEqual(len(server.agent("office")["links"]), 2)
        table = server.run("status", "--admin", f"127.0.0.1:{server.admin_port}")
        self.assertRegex(table, r"office +default +http://127\.0\.0\.1:\d+ +down ")
        self.assertRegex(table, r"office +127\.0\.0\.1:\d+ +connected ")
        again = self.upstream(port=upstream.port)
        eventually(lambda: state()["up"], what="the upstream is up again")
        self.assertEqual(self.call(server).status, 200)
        again.stop()

    def test_a_health_path_that_answers_500_means_down(self):
        broken = answer(status="500 Oops")
        server, upstream = self.server(), self.upstream(broken)
        self.agent(server, upstream, upstream_keys='health = "/ready"\nhealth_interval = "200ms"')
        eventually(lambda: server.is_up("office") is False, what="down")
        self.assertEqual(upstream.last().target, b"/ready")
        upstream.clear()
        eventually(lambda: server.is_up("office"), what="up")

    def test_a_refused_request_shows_at_once_without_health_checks(self):
        server, upstream = self.server(), self.upstream()
        self.agent(server, upstream)
        upstream.stop()
        self.assert_error(self.call(server), 502, "upstream", "upstream_refused")
        eventually(lambda: server.is_up("office") is False, 2, "down")


class Commands(SceneTest):
    def test_status_and_stats_print_json_that_is_the_servers(self):
        server, upstream = self.server(), self.upstream()
        self.agent(server, upstream)
        self.call(server)
        eventually(lambda: server.route()["requests"] == 1)
        for command in ("status", "stats"):
            said = json.loads(server.run(command, "--admin", f"127.0.0.1:{server.admin_port}", "--json"))
            self.assertEqual(set(said), set(server.get_json()))
            self.assertEqual(said["routes"], server.get_json()["routes"])
            self.assertEqual(said["tunnels"][0]["agents"][0]["name"], "office")

    def test_stats_prints_a_line_for_each_route(self):
        server = self.server()
        self.agent(server, self.upstream())
        self.call(server)
        eventually(lambda: server.route()["requests"] == 1)
        table = server.run("stats", "--admin", f"127.0.0.1:{server.admin_port}")
        self.assertRegex(table, r"(?m)^default +\S+ +1 +1 +0 +0 +0 +100\.00 %")
        for shown in (table, server.run("status", "--admin", f"127.0.0.1:{server.admin_port}")):
            self.assertRegex(shown, r"(?m)^default +1 min +1 +100\.00 % +\S+ ms")
            self.assertRegex(shown, r"(?m)^ +15 min +1 +100\.00 % +\S+ ms")

    def test_status_without_a_server_fails_and_says_what_to_do(self):
        server = self.server()
        admin = f"127.0.0.1:{server.admin_port}"
        server.stop()
        done = run_binary(server, "status", "--admin", admin)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(admin, done.stderr)

    def test_wrong_usage_is_code_2(self):
        server = self.server()
        for arguments in (["status", "--nonsense"], ["statistics"], [], ["token", "create", "Not A Name"]):
            with self.subTest(arguments=arguments):
                self.assertEqual(run_binary(server, *arguments).returncode, 2)


if __name__ == "__main__":
    unittest.main()
