"""Links: how they come back, are replaced, are found dead, go through a proxy, and who is turned away."""

import base64
import json
import selectors
import signal
import socket
import threading
import time
import unittest

from scene import SLOW, SceneTest, answer, decode_join, hello, tls_to
from support import Caller, Ended, eventually, pass_on
from wire import Reader

HALF_OPEN = 15  # seconds within which both ends have to find a dead link


class Coming(SceneTest):
    def test_an_agent_holds_two_links_and_says_who_it_is(self):
        server, upstream = self.server(), self.upstream()
        self.agent(server, upstream)
        agent = server.agent("office")
        self.assertEqual(sorted(link["index"] for link in agent["links"]), [0, 1])
        self.assertTrue(agent["address"].startswith("127.0.0.1:"))
        self.assertFalse(agent["draining"])
        self.assertEqual(server.get_json("/health")["active_connections"], 1)

    def test_an_agent_comes_back_when_the_server_does_and_its_requests_wait_for_it(self):
        server, upstream = self.server(keys='agent_wait = "20s"'), self.upstream()
        agent = self.agent(server, upstream)
        for end in (server.kill9, server.stop):
            end()
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", server.ingress_port))
            server.start()
            self.assertEqual(self.call(server).body, b"ok")  # sent before the agent is back
            agent.wait_connected()

    def test_an_agent_waits_for_a_server_that_is_not_there_yet(self):
        server, upstream = self.server(), self.upstream()
        join = server.token()
        server.stop()
        agent = self.agent(server, upstream, join=join, start=False)
        agent.start()
        agent.wait_for_log("no connection to")
        server.start()
        agent.wait_connected()

    def test_an_agent_tries_all_addresses_of_its_server(self):
        server, upstream = self.server(), self.upstream()
        agent = self.agent(server, upstream, start=False)
        with socket.create_server(("127.0.0.1", 0)) as unused:
            dead = unused.getsockname()[1]
        text = agent.config.read_text()
        one = f'address = "127.0.0.1:{server.tunnel_port}"'
        self.assertIn(one, text)
        agent.config.write_text(text.replace(one, f'address = ["127.0.0.1:{dead}", "127.0.0.1:{server.tunnel_port}"]'))
        agent.start()
        agent.wait_connected()


class Replacing(SceneTest):
    def stays(self, server, upstream_body, seconds=2.0):
        """The same agent holds the name for so long, and no request fails meanwhile."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            response = self.call(server)
            self.assertEqual((response.status, response.body), (200, upstream_body))
            time.sleep(0.02)

    def check_replacing(self, tls):
        server = self.server(tls=tls)
        join = server.token()
        old = self.agent(server, self.upstream(answer(b"old")), "same", join=join)
        self.assertEqual(self.call(server).body, b"old")
        new = self.agent(server, self.upstream(answer(b"new")), "same", join=join, start=False)
        new.start()
        new.wait_for_log("connected to")
        eventually(lambda: self.call(server).body == b"new", what="the new one serves")
        self.stays(server, b"new")
        old.wait_for_log('another agent named "same"')
        self.assertEqual(server.get_json("/health")["active_connections"], 1)
        self.assertGreater(min(link["since_s"] for link in server.agent("same")["links"]), 1)

    def test_a_new_login_of_the_same_name_replaces_the_old_one_and_tells_it(self):
        self.check_replacing("pin")

    def test_the_same_without_tls(self):
        self.check_replacing("off")

    def check_asleep(self, tls):
        server = self.server(tls=tls)
        join = server.token()
        old = self.agent(server, self.upstream(answer(b"old")), "same", join=join)
        old.signal(signal.SIGSTOP)
        self.addCleanup(old.signal, signal.SIGCONT)
        new = self.agent(server, self.upstream(answer(b"new")), "same", join=join, start=False)
        new.start()
        new.wait_for_log("connected to")
        eventually(lambda: self.call(server).body == b"new", what="the new one serves")
        old.signal(signal.SIGCONT)
        old.wait_for_log('another agent named "same"')
        self.stays(server, b"new")

    def test_an_agent_that_was_asleep_when_another_took_its_name_does_not_fight_for_it(self):
        self.check_asleep("off")

    def test_an_agent_that_was_asleep_does_not_fight_over_tls_either(self):
        self.check_asleep("pin")

    def test_what_a_replaced_agent_has_under_way_is_not_sent_to_its_successor(self):
        server, gate = self.server(), self.gate()
        join = server.token()
        first, second = self.upstream(gate), self.upstream()
        self.agent(server, first, "same", join=join)
        call = self.call_beside(server, method="POST", body=b"{}")
        gate.wait_inside()
        new = self.agent(server, second, "same", join=join, start=False)
        new.start()
        eventually(call.is_done, 20, "the replaced link's request ends")
        response = call.result()
        if response.status != 200:  # it had no time to end
            self.assert_error(response, 502, "link", "link_lost")
        self.assertEqual((len(first.requests), len(second.requests)), (1, 0))

    def test_agents_of_the_same_name_in_two_tunnels_do_not_meet(self):
        server, upstream = self.server(), self.upstream()
        for tunnel in ("one", "two"):
            self.agent(server, upstream, "same", tunnel=tunnel)
        self.assertTrue(all(len(server.agent("same", tunnel)["links"]) == 2 for tunnel in ("one", "two")))


class HalfOpen(SceneTest):
    def test_a_silent_agent_and_a_silent_server_are_both_found_in_time(self):
        server, upstream = self.server(), self.upstream()
        silent = self.agent(server, upstream, "silent")
        self.agent(server, upstream, "lively")
        far = self.server()
        left = self.agent(far, upstream, "left")
        for process in (silent, far):
            process.signal(signal.SIGSTOP)
            self.addCleanup(process.signal, signal.SIGCONT)
        began = time.monotonic()
        # Long before it counts as dead, a link that says nothing gets no requests while another does.
        eventually(lambda: time.monotonic() > began + 7, 10)
        while time.monotonic() < began + 8.5:
            sent = time.monotonic()
            self.assertEqual(self.call(server).status, 200)
            self.assertLess(time.monotonic() - sent, 1 * SLOW)
        eventually(lambda: server.agent("silent") is None, HALF_OPEN, "the server finds the silent agent")
        self.assertLess(time.monotonic() - began, HALF_OPEN)
        left.wait_for_log("link 0 ended", HALF_OPEN)
        left.wait_for_log("link 1 ended", HALF_OPEN)
        self.assertLess(time.monotonic() - began, HALF_OPEN)
        for process in (silent, far):
            process.signal(signal.SIGCONT)
        silent.wait_connected()
        left.wait_connected()
        for each in (server, far):
            self.assertEqual(self.call(each).status, 200)


class Proxy:
    """An HTTP proxy that knows only CONNECT, and its own idea of where names lead."""

    def __init__(self, leads_to, credentials=None):
        self.leads_to, self.credentials = leads_to, credentials
        self.asked, self.refused = [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self._run(self._accept)

    @staticmethod
    def _run(function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        thread.start()
        return thread

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self._run(self._serve, sock)

    def _serve(self, sock):
        try:
            head = Reader(sock).head()
            expected = self.credentials and b"Basic " + base64.b64encode(self.credentials)
            if head.method != b"CONNECT" or head.get(b"proxy-authorization") != expected:
                self.refused += 1
                sock.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                sock.close()
                return
            self.asked.append(head.target)
            onward = socket.create_connection(("127.0.0.1", self.leads_to))
            sock.sendall(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
            sock.settimeout(None)
            with sock, onward:
                there = self._run(pass_on, sock, onward)
                pass_on(onward, sock)
                there.join()
        except (Ended, OSError):
            sock.close()

    def close(self):
        self.listener.close()


class ThroughProxy(SceneTest):
    def proxy(self, server, credentials=None):
        proxy = Proxy(server.tunnel_port, credentials)
        self.addCleanup(proxy.close)
        return proxy

    def test_an_agent_goes_through_the_proxy_of_the_environment_with_its_password(self):
        server, upstream = self.server(), self.upstream()
        proxy = self.proxy(server, b"user:p@ss:word")
        join = server.token(address="rockdove.invalid:8081")  # a name that only the proxy knows
        self.agent(server, upstream, join=join,
                   env={"HTTPS_PROXY": f"http://user:p%40ss%3Aword@127.0.0.1:{proxy.port}"})
        self.assertEqual(proxy.asked, [b"rockdove.invalid:8081"] * 2)
        self.assertEqual(self.call(server).body, b"ok")

    def test_no_proxy_names_what_is_reached_directly(self):
        server, upstream = self.server(), self.upstream()
        proxy = self.proxy(server)
        join = server.token(address="rockdove.invalid:8081")
        agent = self.agent(server, upstream, join=join, start=False,
                           env={"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", "NO_PROXY": "other.test, .invalid"})
        agent.start()
        agent.wait_for_log("no connection to rockdove.invalid:8081")
        self.assertEqual(proxy.asked, [])

    def test_a_server_on_this_machine_needs_no_proxy(self):
        server, upstream = self.server(), self.upstream()
        proxy = self.proxy(server)
        self.agent(server, upstream, env={"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"})
        self.assertEqual(proxy.asked, [])

    def test_the_proxy_of_the_configuration_wins_over_the_environments(self):
        server, upstream = self.server(), self.upstream()
        proxy = self.proxy(server)
        self.agent(server, upstream, "with", keys=f'proxy = "http://127.0.0.1:{proxy.port}"')
        self.assertEqual(len(proxy.asked), 2)
        self.agent(server, upstream, "without", keys='proxy = "none"',
                   env={"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"})
        self.assertEqual(len(proxy.asked), 2)

    def test_a_wrong_proxy_password_is_said_but_not_shown(self):
        server = self.server()
        proxy = self.proxy(server, b"user:right")
        agent = self.agent(server, start=False, env={"HTTPS_PROXY": f"http://user:wr0ng@127.0.0.1:{proxy.port}"},
                           join=server.token(address="rockdove.invalid:8081"))
        agent.start()
        agent.wait_for_log("does not accept the password")
        self.assertGreater(proxy.refused, 0)
        self.assertNotIn("wr0ng", agent.log())


class Crowd:
    """Silent connections from one address; each that is closed is replaced at once."""

    def __init__(self, port, size=80):
        self.port, self.renewed = port, 0
        self._ends = threading.Event()
        self._selector = selectors.DefaultSelector()
        for _ in range(size):
            self._connect()
        self._thread = threading.Thread(target=self._renew, daemon=True)
        self._thread.start()

    def _connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), source_address=("127.0.0.2", 0))
        self._selector.register(connection, selectors.EVENT_READ)

    def _renew(self):
        while not self._ends.is_set():
            for key, _ in self._selector.select(0.05):
                self._selector.unregister(key.fileobj)
                key.fileobj.close()
                self._connect()
                self.renewed += 1

    def is_there(self):
        return self._thread.is_alive()

    def stop(self):
        self._ends.set()
        self._thread.join(30)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()


class Strangers(SceneTest):
    """What else may come to the port that agents connect to."""

    def connect(self, server):
        caller = Caller(server.tunnel_port)
        self.addCleanup(caller.close)
        return caller

    def assert_closed_in(self, caller, least, most):
        began = time.monotonic()
        caller.until_end()
        self.assertGreater(time.monotonic() - began, least)
        self.assertLess(time.monotonic() - began, most * SLOW)

    def test_a_silent_connection_is_closed_after_the_handshake_timeout(self):
        for tls in ("pin", "off"):
            with self.subTest(tls=tls):
                server = self.server(tls=tls, toml='[limits]\nhandshake_timeout = "500ms"')
                self.assert_closed_in(self.connect(server), 0.3, 2)

    def test_so_is_one_that_is_silent_after_tls_or_sends_a_byte_now_and_then(self):
        server = self.server(toml='[limits]\nhandshake_timeout = "700ms"')
        caller = tls_to(server.tunnel_port)
        self.addCleanup(caller.close)
        began = time.monotonic()
        with self.assertRaises((Ended, OSError)):
            for _ in range(200):
                caller.send(b"G")
                caller.sock.settimeout(0.05)
                try:
                    caller.fill()
                except TimeoutError:
                    pass
        self.assertLess(time.monotonic() - began, 3 * SLOW)

    def test_a_connection_that_never_says_a_byte_is_closed_before_the_handshake_timeout(self):
        self.assert_closed_in(self.connect(self.server()), 2, 6)

    def test_above_the_limit_of_handshakes_the_oldest_one_without_a_hello_is_closed(self):
        server = self.server(toml='[limits]\nhandshakes = 1\nhandshake_timeout = "30s"')
        first = self.connect(server)
        time.sleep(0.05)
        self.connect(server)
        self.assert_closed_in(first, -1, 1)
        self.agent(server, self.upstream())

    def test_silent_connections_leave_places_for_agents_of_the_same_address(self):
        server = self.server(tls="off")
        silent = [self.connect(server) for _ in range(100)]
        caller = self.connect(server)
        caller.send(hello(decode_join(server.token())))
        self.assertEqual(caller.response().status, 101)
        for each in silent[:80]:
            each.until_end()

    def test_silent_connections_that_are_renewed_all_the_time_keep_no_agent_out(self):
        server, upstream = self.server(), self.upstream()
        agent = self.agent(server, upstream, start=False)
        crowd = Crowd(server.tunnel_port)
        self.addCleanup(crowd.stop)
        eventually(lambda: crowd.renewed > 200, 20, "a crowd at the port")
        agent.start()
        agent.wait_connected(timeout=20)
        self.assertEqual(self.call(server).body, b"ok")
        self.assertTrue(crowd.is_there())

    def test_garbage_is_refused_with_400(self):
        server = self.server(tls="off")
        join = decode_join(server.token())
        good = hello(join)
        messages = {
            "some web client": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "no HTTP": b"\0\1\2garbage\r\n\r\n",
            "a wrong version": good.replace(b"Version: 13", b"Version: 12"),
            "another protocol": good.replace(b"rockdove.1", b"chat"),
            "no tunnel": good.replace(b"Rockdove-Tunnel", b"Rockdove-Else"),
            "a field twice": good.replace(b"\r\n\r\n", b"\r\nRockdove-Agent: other\r\n\r\n"),
            "a wrong direction": hello(join, Rockdove_Direction="sideways"),
            "a bad index": hello(join, Rockdove_Link="64"),
            "a body": good.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\nabc"),
        }
        for what, message in messages.items():
            with self.subTest(what):
                caller = self.connect(server)
                refused = caller.exchange(message, b"GET")
                self.assertEqual((refused.status, refused.get(b"rockdove-reason")), (400, b"protocol"))
                self.assertEqual(json.loads(refused.body)["error"]["cause"], "protocol")
                self.assertEqual(caller.until_end()[0], b"")
        self.assertEqual(server.get_json("/health")["active_connections"], 0)

    def test_a_head_without_end_is_not_read_for_ever(self):
        server = self.server(tls="off")
        caller = self.connect(server)
        try:
            for _ in range(20):
                caller.send(b"X-Long: " + b"x" * 1000 + b"\r\n")
        except ConnectionError:
            pass
        self.assertNotIn(b" 101 ", caller.until_end()[0])
        self.assertEqual(server.get_json("/health")["active_connections"], 0)

    def test_an_egress_link_without_a_token_is_refused_like_any_other(self):
        server = self.server(tls="off")
        server.token("other")
        join = decode_join(server.token())
        wrong = {"Authorization": "Bearer rd_00000000_x"}, {"Rockdove_Tunnel": "other"}
        for changes, status in zip(wrong, (401, 403)):
            caller = self.connect(server)
            refused = caller.exchange(hello(join, Rockdove_Direction="egress", **changes), b"GET")
            self.assertEqual(refused.status, status)
        accepted = self.connect(server)
        accepted.send(hello(join, Rockdove_Direction="egress"))
        self.assertIn(b" 101 ", accepted.head().line)
        eventually(lambda: server.get_json()["egress"]["links"] == 1)
        self.assertEqual(server.get_json("/health")["active_connections"], 0)

    def test_a_link_that_speaks_no_http2_ends_and_harms_nobody(self):
        server, upstream = self.server(tls="off"), self.upstream()
        join = server.token()
        self.agent(server, upstream, join=join)
        frames = (b"\x82\x85\0\0\0\0hello", b"\x02\x05hello", b"\x81\x85\0\0\0\0hello", b"\xff" * 20,
                  b"\x82\xff" + b"\xff" * 12)
        for frame in frames:
            with self.subTest(frame=frame):
                caller = self.connect(server)
                self.assertEqual(caller.exchange(hello(decode_join(join))).status, 101)
                caller.send(frame + b"\0" * 200)
                caller.until_end()
                eventually(lambda: server.agent("raw") is None)
        self.assertEqual(self.call(server).status, 200)


if __name__ == "__main__":
    unittest.main()
