"""Egress: who may call what, in which order and how fast, and what the operator sees of it."""

import base64
import json
import re
import signal
import socket
import unittest
import urllib.request

from egress_scene import LOOPBACK, EgressTest, allow, destination
from scene import Authority, Beside, answer, decode_join, request, run_binary, tls_to
from support import Caller, eventually


class Rules(EgressTest):
    def refuse(self, agent, target, cause, method="GET", status=403, hop="edge"):
        response = self.proxy_caller(agent).exchange(request(target, host="127.0.0.1", method=method))
        self.assert_error(response, status, hop, cause)

    def test_nothing_is_allowed_by_default(self):
        plain = self.upstream()
        server = self.server()
        agent = self.egress_agent(server)
        port = plain.port
        self.refuse(agent, f"http://127.0.0.1:{port}/", "destination_denied")
        self.refuse(agent, f"127.0.0.1:{port}", "destination_denied", "CONNECT")
        self.refuse(agent, "/lingxing/erp/sc/data/seller/lists", "destination_denied")
        self.refuse(agent, "/feishu/open-apis", "destination_denied")
        self.refuse(agent, "/nobody/x", "destination_unknown", status=404)
        self.assertEqual(plain.connections, [])
        code, said = self.curl("--proxy", f"http://127.0.0.1:{agent.proxy_port}", "https://example.com/", fails=True)
        self.assertEqual(code, 56, said)
        self.assertIn("403", said)
        failures = self.ended_calls(server, 6)["failures"]
        self.assertEqual(failures, {"destination_denied": 5, "destination_unknown": 1})
        self.assertEqual(self.egress(server)["destinations"], [], "what is denied takes no memory")

    def test_a_private_address_is_refused_though_its_name_is_allowed(self):
        plain = self.upstream()
        port = plain.port
        hosts = [f"{host}:{port}" for host in ("localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.1",
                                               "2130706433", "0x7f.0.0.1", "0.0.0.0", "169.254.169.254")]
        server = self.server(toml=allow(*hosts, networks="") + destination("here", plain.url, ""))
        agent = self.egress_agent(server)
        for host in hosts:
            self.refuse(agent, host, "address_denied", "CONNECT")
            self.refuse(agent, f"http://{host}/", "address_denied")
        self.refuse(agent, "/here/x", "address_denied")
        self.assertEqual(plain.connections, [])

    def test_a_rule_is_for_its_tunnel_host_and_port_only(self):
        plain = self.upstream(answer(b"in"))
        port = plain.port
        server = self.server(toml=allow(f"localhost:{port}", tunnel="other"))
        bot = self.egress_agent(server)
        other = self.egress_agent(server, name="second", tunnel="other")
        response = self.proxy_caller(other).exchange(request(f"http://LOCALHOST:{port}/", host="x"))
        self.assertEqual((response.status, response.body), (200, b"in"))
        self.refuse(bot, f"http://localhost:{port}/", "destination_denied")
        for target in (f"http://127.0.0.1:{port}/", "http://localhost:1/", f"http://a.localhost:{port}/"):
            self.refuse(other, target, "destination_denied")

    def test_a_destination_can_be_allowed_by_its_name_alone(self):
        plain = self.upstream(answer(b"in"))
        server = self.server(toml=destination("shop", plain.url + "/base/") +
                             '[[egress.allow]]\ntunnel = "*"\ndestinations = ["shop"]\n')
        agent = self.egress_agent(server)
        response = self.proxy_caller(agent).exchange(request("/shop/x?y", host="127.0.0.1"))
        self.assertEqual(response.body, b"in")
        self.assertEqual(plain.last().target, b"/base/x?y")
        self.refuse(agent, f"{plain.url}/x", "destination_denied")

    def test_more_calls_a_second_than_the_rule_gives_are_refused(self):
        plain = self.upstream(answer(b"in"))
        server = self.server(toml=allow(f"127.0.0.1:{plain.port}", more="rate = 2"))
        agent = self.egress_agent(server)
        caller = self.proxy_caller(agent)
        answers = [caller.exchange(request(f"{plain.url}/", host="127.0.0.1")) for _ in range(8)]
        self.assertEqual([each.status for each in answers[:2]], [200, 200])
        self.assertIn(429, [each.status for each in answers])
        refused = next(each for each in answers if each.status == 429)
        self.assert_error(refused, 429, "edge", "rate_limited")
        self.assertEqual(refused.get(b"retry-after"), b"1")

    def test_a_body_that_is_too_large_is_cut_off(self):
        plain = self.upstream()
        server = self.server(toml='[egress]\ncall_bytes = "64KiB"\n' + allow(f"127.0.0.1:{plain.port}"))
        agent = self.egress_agent(server)
        large = request(f"{plain.url}/", host="127.0.0.1", method="POST", body=bytes(1 << 20))
        self.assert_error(self.proxy_caller(agent).exchange(large), 413, "edge", "body_too_large")
        self.assertEqual(self.ended_calls(server, 1)["failures"], {"body_too_large": 1})
        self.assertLess(sum(each.size for each in plain.connections), 256 << 10)

    def test_a_web_page_cannot_use_the_port_of_the_machine_it_is_shown_on(self):
        plain = self.upstream(answer(b"in"))
        server = self.server(toml=allow(f"127.0.0.1:{plain.port}") + destination("shop", plain.url))
        agent = self.egress_agent(server)
        self.assertEqual(self.proxy_caller(agent).exchange(request("/shop/x", host="localhost")).body, b"in")
        for host, field in (("localhost", "Origin: https://evil.example"), ("localhost", "Sec-Fetch-Site: cross-site"),
                            ("localhost", "Referer: https://evil.example/"), ("rebound.example", "X: y"),
                            ("192.168.0.5", "X: y"), ("printer", "X: y"), ("box.local", "X: y")):
            response = self.proxy_caller(agent).exchange(request("/shop/x", host=host, fields=[field]))
            self.assert_error(response, 403, "edge", "web_page")


    def test_an_agent_says_when_others_than_its_own_machine_can_reach_its_port(self):
        server = self.server()
        warning = "no loopback address"
        self.assertNotIn(warning, self.egress_agent(server).log())
        self.egress_agent(server, listen="0.0.0.0:0", name="open").wait_for_log(warning)


class Operation(EgressTest):
    def ip_of(self, server):
        return ["egress", "ip", "--config", str(server.config), "--admin", f"127.0.0.1:{server.admin_port}"]

    def test_a_reload_changes_the_rules_of_the_next_call(self):
        plain = self.upstream(answer(b"in"))
        server = self.server()
        agent = self.egress_agent(server)
        caller = self.proxy_caller(agent)
        ask = request(f"{plain.url}/", host="127.0.0.1")
        self.assertEqual(caller.exchange(ask).status, 403)
        for toml, status in ((allow(f"127.0.0.1:{plain.port}"), 200), ("", 403)):
            server.toml = toml
            mark = server.log_size()
            server.write_config()
            server.signal(signal.SIGHUP)
            server.wait_for_log("the configuration has been read again", after=mark)
            self.assertEqual(caller.exchange(ask).status, status)

    def test_a_revoked_token_cuts_the_egress_link(self):
        server = self.server(toml=allow("*"))
        agent = self.egress_agent(server)
        server.run("token", "revoke", "bot", "--all", "--config", str(server.config))
        eventually(lambda: self.egress(server)["links"] == 0, 20, "no egress link")
        response = self.proxy_caller(agent).exchange(request("http://127.0.0.1:9/", host="127.0.0.1"))
        self.assert_error(response, 503, "link", "no_link")

    def test_an_agent_that_comes_again_takes_its_own_place(self):
        server = self.server()
        agent = self.egress_agent(server)
        agent.kill9()
        agent.start()
        agent.wait_connected()
        eventually(lambda: self.egress(server)["links"] == 1, 20, "one egress link")

    def test_an_agent_without_a_free_port_goes_without_unless_it_was_told_to_have_it(self):
        server = self.server()
        taken = self.egress_agent(server)
        port = taken.proxy_port
        second = self.agent(server, name="second", start=False, toml=f'[egress]\nlisten = "127.0.0.1:{port}"')
        done = run_binary(second, *second.arguments[1:])
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"cannot listen on 127.0.0.1:{port}", done.stderr)

    def test_the_proxy_variable_of_a_machine_does_not_lead_the_agent_through_itself(self):
        server = self.server()
        probe = self.egress_agent(server)
        port = probe.proxy_port
        probe.stop()
        # The address is one that the rule "loopback needs no proxy" does not cover.
        join = server.token(address=f"0.0.0.0:{server.tunnel_port}")
        for host in ("127.0.0.1", "127.0.0.2", "LOCALHOST", "localhost.", "[::1]", "0.0.0.0"):
            agent = self.agent(server, name="third", join=join, env={"HTTPS_PROXY": f"http://{host}:{port}"},
                               toml=f'[egress]\nlisten = "127.0.0.1:{port}"')
            self.assertTrue(agent.is_connected(), host)
            agent.stop()

    def test_public_statistics_do_not_name_destinations(self):
        plain = self.upstream(answer(b"in"))
        server = self.server(toml=allow(f"127.0.0.1:{plain.port}"))
        agent = self.egress_agent(server)
        self.proxy_caller(agent).exchange(request(f"{plain.url}/", host="127.0.0.1"))
        self.ended_calls(server, 1)
        self.assertNotIn("destinations", server.get_json(port=server.ingress_port)["egress"])

    def test_the_address_that_destinations_see_is_shown(self):
        teller = self.upstream(answer(b"203.0.113.7\n"))
        server = self.server()
        done = run_binary(server, *self.ip_of(server))
        self.assertEqual(done.returncode, 1)
        self.assertIn("check_url is not set", done.stderr)
        told = self.server(toml=f'[egress]\ncheck_url = "{teller.url}/ip"\n')
        self.assertEqual(told.run(*self.ip_of(told)), "203.0.113.7\n")
        self.assertEqual(json.loads(told.run(*self.ip_of(told), "--json"))["address"], "203.0.113.7")

    def test_check_says_which_rule_allows_a_call_and_why_it_is_refused(self):
        server = self.server(toml=allow("localhost:80", "192.0.2.1") + allow("127.0.0.1:81", networks=""))

        def check(*arguments):
            return run_binary(server, "egress", "check", *arguments, "--config", str(server.config))
        allowed = check("localhost:80", "--tunnel", "bot")
        self.assertEqual((allowed.returncode, "allowed" in allowed.stdout), (0, True), allowed.stdout)
        for arguments, why in ((("localhost:80", "--tunnel", "other"), "no rule"), (("127.0.0.1:81", "--tunnel", "bot"),
                               "loopback"), (("192.0.2.1", "--tunnel", "bot"), "documentation")):
            refused = check(*arguments)
            self.assertEqual(refused.returncode, 1, refused.stdout)
            self.assertIn(why, refused.stdout)


class ProxyPort(EgressTest):
    """The server's own proxy port."""

    def setUp(self):
        super().setUp()
        self.plain = self.upstream(answer(b"in"))
        self.server_ = self.server(toml='[egress]\nlisten = "127.0.0.1:0"\n' + allow(f"127.0.0.1:{self.plain.port}"))
        self.port = int(self.server_.wait_for_log(r"proxy port listens: \S+:(\d+)")[1])
        self.secret = decode_join(self.server_.token())["s"]
        self.server_.token("other")

    def ask(self, credentials=None, fields=()):
        caller = Caller(self.port)
        self.addCleanup(caller.close)
        if credentials is not None:
            fields = [*fields, "Proxy-Authorization: Basic " + base64.b64encode(credentials.encode()).decode()]
        return caller.exchange(request(f"{self.plain.url}/x", host="127.0.0.1", fields=fields))

    def test_who_has_a_token_may_call(self):
        self.assertEqual(self.ask(f"bot:{self.secret}").body, b"in")
        self.assertEqual([name for name, _ in self.plain.last().fields if name.lower() == b"proxy-authorization"], [])
        url = f"http://bot:{self.secret}@127.0.0.1:{self.port}"
        self.assertEqual(self.curl("--proxytunnel", "--proxy", url, f"{self.plain.url}/y"), b"in")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": url}))
        with opener.open(f"{self.plain.url}/z", timeout=30) as response:
            self.assertEqual(response.read(), b"in")
        self.server_.wait_for_log(rf" egress .*bot - GET 127\.0\.0\.1:{self.plain.port} 127\.0\.0\.1 -> 200")
        self.assertNotIn(self.secret, self.server_.log())

    def test_who_has_none_is_asked_for_it(self):
        for credentials in (None, "bot:", f"other:{self.secret}", f"bot:{self.secret}x", "nonsense", f":{self.secret}"):
            response = self.ask(credentials)
            self.assert_error(response, 407, "edge", "unauthorized")
            self.assertTrue(re.match(rb"Basic ", response.get(b"proxy-authenticate")))
        response = self.ask(None, [f"Authorization: Bearer {self.secret}"])
        self.assertEqual(response.status, 407)
        self.assertEqual(self.plain.requests, [])
        self.assertEqual(self.egress(self.server_)["unauthorized"], 5)

    def test_with_a_certificate_the_port_speaks_tls(self):
        authority = Authority(self.server_.directory)
        certificate, key = authority.issue("server")
        tls = f'[ingress_tls]\ncertificate = "{certificate}"\nkey = "{key}"\n'
        server = self.server(toml=tls + '[egress]\nlisten = "127.0.0.1:0"\n' + allow(f"127.0.0.1:{self.plain.port}"))
        port = int(server.wait_for_log(r"proxy port listens: \S+:(\d+)")[1])
        secret = decode_join(server.token())["s"]
        caller = tls_to(port)
        self.addCleanup(caller.close)
        basic = base64.b64encode(f"bot:{secret}".encode()).decode()
        response = caller.exchange(request(f"{self.plain.url}/x", host="127.0.0.1",
                                           fields=[f"Proxy-Authorization: Basic {basic}"]))
        self.assertEqual(response.body, b"in")

    def test_a_revoked_token_is_refused_at_once(self):
        self.server_.run("token", "revoke", "bot", "--all", "--config", str(self.server_.config))
        self.assertEqual(self.ask(f"bot:{self.secret}").status, 407)


if __name__ == "__main__":
    unittest.main()
    def test_a_revoked_token_takes_its_circuits_and_calls_along_and_no_others(self):
        held = self.gate()
        slow = self.upstream(held)
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        rules = allow(*(f"127.0.0.1:{port}" for port in (slow.port, listener.getsockname()[1])), tunnel="*")
        self.server_.toml = '[egress]\nlisten = "127.0.0.1:0"\n' + rules
        self.server_.write_config()
        self.server_.signal(signal.SIGHUP)
        self.server_.wait_for_log("the configuration has been read again")

        def circuit(user, secret):
            caller = Caller(self.port)
            self.addCleanup(caller.close)
            basic = base64.b64encode(f"{user}:{secret}".encode()).decode()
            host = "127.0.0.1:%d" % listener.getsockname()[1]
            head = f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\nProxy-Authorization: Basic {basic}\r\n\r\n"
            self.assertEqual(caller.exchange(head.encode()).status, 200)
            other, _ = listener.accept()
            other.settimeout(20)
            self.addCleanup(other.close)
            return caller, other
        mine, mine_there = circuit("bot", self.secret)
        others, others_there = circuit("other", decode_join(self.server_.token("other"))["s"])
        waiting = Caller(self.port)
        self.addCleanup(waiting.close)
        basic = base64.b64encode(f"bot:{self.secret}".encode()).decode()
        waiting.send(request(f"{slow.url}/x", host="x", fields=[f"Proxy-Authorization: Basic {basic}"]))
        held.wait_inside(1)
        self.server_.run("token", "revoke", "bot", "--all", "--config", str(self.server_.config))
        for caller in (mine, waiting):
            self.assertEqual(caller.until_end()[0], b"")
        with self.assertRaises(ConnectionResetError):
            mine_there.recv(1)
        self.ended_calls(self.server_, 2, running=1)
        others.send(b"still here")
        self.assertEqual(others_there.recv(20), b"still here")

