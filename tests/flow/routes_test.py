"""Which request goes to which tunnel and upstream, and with which Host."""

import unittest

from scene import SceneTest, answer
from support import eventually

ROUTES = """
[[route]]
name = "exact"
host = "one.example.test"
tunnel = "one"
[[route]]
name = "below"
host = "*.example.test"
tunnel = "two"
[[route]]
name = "deep"
host = "*.deep.example.test"
tunnel = "one"
upstream = "api"
[[route]]
name = "path"
path = "/api"
tunnel = "one"
upstream = "api"
[[route]]
name = "longer"
path = "/api/v2"
tunnel = "two"
[[route]]
name = "host-and-path"
host = "one.example.test"
path = "/api"
tunnel = "one"
upstream = "api"
[[route]]
name = "nowhere"
path = "/nowhere"
tunnel = "one"
upstream = "unheard-of"
"""

WAYS = [  # host, target, who answers
    ("one.example.test", "/", b"one"),
    ("ONE.Example.Test:8080", "/", b"one"),
    ("other.example.test", "/", b"two"),
    ("a.b.example.test", "/api", b"two"),
    ("x.deep.example.test", "/", b"one api"),
    ("one.example.test", "/api", b"one api"),
    ("one.example.test", "/apis", b"one"),
    ("elsewhere.test", "/api", b"one api"),
    ("elsewhere.test", "/api?x=/y", b"one api"),
    ("elsewhere.test", "/api/", b"one api"),
    ("elsewhere.test", "/api/v1/x", b"one api"),
    ("elsewhere.test", "/api/v2", b"two"),
    ("elsewhere.test", "/api/v2/x?y", b"two"),
    ("elsewhere.test", "/api/v22", b"one api"),
    ("127.0.0.1:8080", "/api", b"one api"),
    ("[::1]:8080", "/api", b"one api"),
]


class Routes(SceneTest):
    def test_host_and_path_choose_tunnel_and_upstream(self):
        server = self.server(toml=ROUTES, keys='agent_wait = "0s"')
        one, api, two = (self.upstream(answer(name)) for name in (b"one", b"one api", b"two"))
        self.agent(server, {"default": one, "api": api}, "first", tunnel="one")
        self.agent(server, two, "second", tunnel="two")
        for host, target, expected in WAYS:
            with self.subTest(host=host, target=target):
                self.assertEqual(self.call(server, target, host).body, expected)
        for host, target in (("elsewhere.test", "/"), ("elsewhere.test", "/apis"), ("example.test", "/"),
                             ("elsewhere.test", "/%61pi"), ("notexample.test", "/")):
            with self.subTest(host=host, target=target):
                self.assert_error(self.call(server, target, host), 404, "edge", "no_route")
        self.assert_error(self.call(server, "/nowhere"), 502, "upstream", "upstream_unknown")

    def test_a_tunnel_without_agents_is_503_while_others_work(self):
        server = self.server(toml=ROUTES, keys='agent_wait = "0s"')
        self.agent(server, self.upstream(), tunnel="two")
        response = self.call(server, "/", "one.example.test")
        self.assert_error(response, 503, "edge", "no_agent")
        self.assertTrue(int(response.get(b"retry-after")) > 0)
        self.assertEqual(self.call(server, "/", "two.example.test").status, 200)

    def test_without_routes_everything_goes_to_the_one_tunnel(self):
        server, upstream = self.server(), self.upstream()
        self.agent(server, upstream, tunnel="any-name")
        for host, target in (("a.test", "/"), ("b.test:99", "/feishu/webhook?x=1"), ("127.0.0.1", "/%2e/")):
            self.assertEqual(self.call(server, target, host).status, 200)
        self.assertEqual([each.target for each in upstream.requests], [b"/", b"/feishu/webhook?x=1", b"/%2e/"])

    def test_the_host_field_is_kept_replaced_by_the_upstreams_or_by_a_given_one(self):
        routes = "".join(f'[[route]]\nname = "{name}"\npath = "/{name}"\nhost_header = "{value}"\n'
                         for name, value in (("keep", "keep"), ("own", "upstream"), ("given", "shop.test:81")))
        server, upstream = self.server(toml=routes), self.upstream()
        self.agent(server, upstream)
        for target, expected in (("/keep", b"Caller.Test:8443"), ("/own", upstream.url[7:].encode()),
                                 ("/given", b"shop.test:81")):
            with self.subTest(target=target):
                self.assertEqual(self.call(server, target, "Caller.Test:8443").status, 200)
                self.assertEqual(upstream.last().get(b"host"), expected)
                self.assertEqual(upstream.last().get(b"x-forwarded-host"), b"Caller.Test:8443")

    def test_a_target_in_absolute_form_is_no_way_to_another_host(self):
        server, upstream = self.server(), self.upstream()
        self.agent(server, upstream)
        self.assertEqual(self.call(server, "http://169.254.169.254/latest").status, 400)
        self.assertEqual(upstream.requests, [])


class Upstreams(SceneTest):
    def test_the_upstream_called_default_serves_routes_that_name_none(self):
        server, api, default = self.server(), self.upstream(answer(b"api")), self.upstream(answer(b"default"))
        self.agent(server, {"api": api, "default": default})
        self.assertEqual(self.call(server).body, b"default")

    def test_the_upstream_of_the_command_line_serves_routes_that_name_none(self):
        server, api, default = self.server(), self.upstream(answer(b"api")), self.upstream(answer(b"default"))
        agent = self.agent(server, {"api": api}, start=False)
        agent.arguments += ["--upstream", default.url]
        agent.start()
        agent.wait_connected()
        self.assertEqual(self.call(server).body, b"default")

    def test_an_upstream_that_is_down_does_not_hide_another_of_the_same_agent(self):
        routes = '[[route]]\nname = "api"\npath = "/api"\nupstream = "api"\n[[route]]\nname = "rest"\n'
        server, api, gone = self.server(toml=routes), self.upstream(answer(b"api")), self.upstream()
        gone.stop()
        self.agent(server, {"default": gone, "api": api}, upstream_keys='health_interval = "200ms"')
        eventually(lambda: server.is_up("office") is False)
        self.assertEqual(self.call(server, "/api").body, b"api")
        self.assert_error(self.call(server, "/"), 502, "upstream", "upstream_refused")


class OneTunnel(SceneTest):
    def test_a_tunnel_whose_tokens_are_revoked_no_longer_counts_as_one(self):
        server, upstream = self.server(), self.upstream()
        old = self.agent(server, upstream, "old", tunnel="old")
        self.assertEqual(self.call(server).status, 200)
        old.stop()
        server.run("token", "revoke", "old", "--all", "--config", str(server.config))
        self.agent(server, upstream, "new", tunnel="new")
        self.assertEqual(self.call(server).status, 200)

    def test_two_tunnels_and_no_route_are_answered_with_an_error_that_is_not_an_upstreams(self):
        server, upstream = self.server(), self.upstream()
        for tunnel in ("one", "two"):
            self.agent(server, upstream, tunnel=tunnel)
        self.assert_error(self.call(server), 404, "edge", "no_route")
        self.assertEqual(upstream.requests, [])


if __name__ == "__main__":
    unittest.main()
