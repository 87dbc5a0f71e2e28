"""SIGHUP: a new configuration in a running server, and the links stay."""

import re
import signal
import ssl
import unittest

from scene import Authority, Load, SceneTest, answer, request
from support import eventually


class Reload(SceneTest):
    def reload(self, server, text, expected="the configuration has been read again"):
        """Gives the server another configuration, and waits until it has looked at it."""
        mark = server.log_size()
        server.config.write_text(text)
        server.signal(signal.SIGHUP)
        server.wait_for_log(expected, after=mark)

    def links(self, server, name="office"):
        """What tells each link from any other: its number and the agent's port."""
        agent = server.agent(name)
        return [(link["index"], link["since_s"]) for link in agent["links"]], agent["address"]

    def assert_same_links(self, server, before, name="office"):
        (old, old_address), (new, new_address) = before, self.links(server, name)
        self.assertEqual(new_address, old_address)
        self.assertEqual([index for index, _ in new], [index for index, _ in old])
        for (_, was), (_, since) in zip(old, new):
            self.assertGreater(since, was)


class Settings(Reload):
    def test_a_new_route_works_and_no_link_and_no_request_is_lost(self):
        server, gate = self.server(), self.gate(b"slow")

        def handle(connection, message):
            return gate(connection, message) if message.target == b"/slow" else answer(b"quick")
        api = self.upstream(answer(b"api"))
        self.agent(server, {"default": self.upstream(handle), "api": api})
        slow = self.call_beside(server, "/slow")
        gate.wait_inside()
        kept = self.caller(server)
        self.assertEqual(kept.exchange(request("/api")).body, b"quick")
        load = Load(server.ingress_port, 2)
        self.addCleanup(load.stop)
        before = self.links(server)
        routes = '[[route]]\nname = "api"\npath = "/api"\nupstream = "api"\n[[route]]\nname = "default"\n'
        self.reload(server, server.config.read_text() + routes)
        self.assertEqual(kept.exchange(request("/api")).body, b"api")
        self.assertEqual(self.call(server, "/").body, b"quick")
        load.wait_for(20)
        self.assert_same_links(server, before)
        gate.open()
        self.assertEqual(slow.result().body, b"slow")
        load.stop()
        self.assertEqual(load.failures, [])

    def test_counts_of_a_route_that_stays_are_kept(self):
        server = self.server(toml='[[route]]\nname = "stays"\n')
        self.agent(server, self.upstream())
        self.call(server)
        eventually(lambda: server.route("stays")["requests"] == 1)
        self.reload(server, server.config.read_text() + '[[route]]\nname = "new"\npath = "/new"\n')
        self.assertEqual(server.route("stays")["requests"], 1)
        self.call(server, "/new")
        eventually(lambda: server.route("new")["requests"] == 1)

    def test_a_route_that_goes_while_its_request_runs_does_no_harm(self):
        server, gate = self.server(toml='[[route]]\nname = "a-route-with-a-long-name-that-goes"\n'), self.gate()
        self.agent(server, self.upstream(gate))
        call = self.call_beside(server)
        gate.wait_inside()
        old = server.config.read_text()
        self.reload(server, old[:old.index("[[route]]")] + '[[route]]\nname = "other"\npath = "/other"\n')
        gate.open()
        self.assertEqual(call.result().status, 200)
        self.assert_error(self.call(server), 404, "edge", "no_route")

    def test_a_higher_limit_lets_those_go_that_wait(self):
        server, gate = self.server(toml="[limits]\nrunning = 1\nwaiting = 10"), self.gate()
        self.agent(server, self.upstream(gate))
        calls = [self.call_beside(server) for _ in range(4)]
        eventually(lambda: server.get_json()["tunnels"][0]["waiting"] == 3)
        self.assertEqual(gate.inside, 1)
        self.reload(server, server.config.read_text().replace("running = 1", "running = 3"))
        gate.wait_inside(3)
        gate.open()
        self.assertEqual([call.result().status for call in calls], [200] * 4)

    def test_a_lower_limit_holds_for_new_requests_and_ends_none(self):
        server, gate = self.server(toml="[limits]\nrunning = 3\nwaiting = 0"), self.gate()
        self.agent(server, self.upstream(gate))
        calls = [self.call_beside(server) for _ in range(3)]
        gate.wait_inside(3)
        self.reload(server, server.config.read_text().replace("running = 3", "running = 1"))
        self.assert_error(self.call(server), 503, "edge", "queue_full")
        gate.open()
        self.assertEqual([call.result().status for call in calls], [200] * 3)
        self.assertEqual(self.call(server).status, 200)

    def test_agent_wait_and_sizes_change_too(self):
        server = self.server(keys='agent_wait = "20s"')
        text = server.config.read_text().replace('agent_wait = "20s"', 'agent_wait = "0s"')
        self.reload(server, text + '[limits]\nbody_bytes = 10\n')
        self.assert_error(self.call(server), 503, "edge", "no_agent")
        self.assert_error(self.call(server, method="POST", body=b"x" * 11), 413, "edge", "body_too_large")

    def test_a_bad_configuration_changes_nothing(self):
        server, upstream = self.server(toml='[[route]]\nname = "good"\npath = "/good"\n'), self.upstream()
        self.agent(server, upstream)
        before, good = self.links(server), server.config.read_text()
        bad = (good.replace("/good", "no-slash"), good + "[nonsense]\n", "not toml at all",
               good + "[limits]\nrunning = 0\n",
               good.replace("[[route]]", '[ingress_tls]\ncertificate = "/none.pem"\nkey = "/none.key"\n[[route]]'),
               good.replace("[server]", '[server]\ntrusted_proxies = ["10.0.0.0/33"]'))
        for text in bad:
            with self.subTest(text=text[-60:]):
                self.reload(server, text, "the configuration stays as it was")
                self.assertEqual(self.call(server, "/good").status, 200)
                self.assert_error(self.call(server, "/other"), 404, "edge", "no_route")
        self.assert_same_links(server, before)
        self.reload(server, good.replace("/good", "/better"))
        self.assertEqual(self.call(server, "/better").status, 200)

    def test_many_signals_under_load_do_no_harm(self):
        server = self.server()
        self.agent(server, self.upstream())
        before = self.links(server)
        load = Load(server.ingress_port)
        self.addCleanup(load.stop)
        for _ in range(30):
            server.signal(signal.SIGHUP)
            load.wait_for(3)
        load.stop()
        self.assertEqual(load.failures, [])
        self.assert_same_links(server, before)

    def test_an_agent_that_is_told_to_reload_keeps_its_links(self):
        server = self.server()
        agent = self.agent(server, self.upstream())
        before = self.links(server)
        agent.config.write_text(agent.config.read_text().replace("links = 2", "links = 3"))
        agent.signal(signal.SIGHUP)
        agent.wait_for_log("takes effect at the next start")
        agent.config.write_text("not toml")
        agent.signal(signal.SIGHUP)
        agent.wait_for_log("the configuration cannot be read")
        self.assertEqual(self.call(server).status, 200)
        self.assert_same_links(server, before)


class Certificates(Reload):
    def test_callers_get_the_new_certificate_and_links_stay(self):
        server = self.server()
        server.stop()
        authority = Authority(server.directory)
        old, new = (authority.issue(name) for name in ("old", "new"))
        server.toml = f'[ingress_tls]\ncertificate = "{old[0]}"\nkey = "{old[1]}"'
        server.start()
        self.agent(server, self.upstream())

        def shown():
            return ssl.get_server_certificate(("127.0.0.1", server.ingress_port), timeout=20).split()
        self.assertEqual(shown(), old[0].read_text().split())
        before = self.links(server)
        self.reload(server, re.sub(r"/old\.", "/new.", server.config.read_text()))
        self.assertEqual(shown(), new[0].read_text().split())
        self.assert_same_links(server, before)
        for file, content in zip(new, [each.read_bytes() for each in old]):
            file.write_bytes(content)  # renewed in place, as certificate tools do
        self.reload(server, server.config.read_text())
        self.assertEqual(shown(), old[0].read_text().split())

    def test_new_agents_meet_the_new_certificate_and_old_links_stay(self):
        server = self.server()
        server.stop()
        first, second = (Authority(server.directory, name) for name in ("first", "second"))
        old, new = first.issue("old"), second.issue("new")
        server.tls, server.toml = "certificate", f'certificate = "{old[0]}"\nkey = "{old[1]}"'
        server.start()
        upstream = self.upstream()
        self.agent(server, upstream, "early", toml=f'[server]\nca_file = "{first.file}"')
        before = self.links(server, "early")
        self.reload(server, re.sub(r"/old\.", "/new.", server.config.read_text()))
        self.agent(server, upstream, "late", toml=f'[server]\nca_file = "{second.file}"')
        self.assert_same_links(server, before, "early")
        self.assertEqual(self.call(server).status, 200)
        self.assertTrue(new[0].exists())

    def test_a_certificate_that_does_not_fit_its_key_changes_nothing(self):
        server = self.server()
        server.stop()
        authority = Authority(server.directory)
        old, new = (authority.issue(name) for name in ("old", "new"))
        server.toml = f'[ingress_tls]\ncertificate = "{old[0]}"\nkey = "{old[1]}"'
        server.start()
        self.reload(server, server.config.read_text().replace(str(old[1]), str(new[1])), "stays as it was")
        self.assertEqual(ssl.get_server_certificate(("127.0.0.1", server.ingress_port), timeout=20).split(),
                         old[0].read_text().split())


if __name__ == "__main__":
    unittest.main()
