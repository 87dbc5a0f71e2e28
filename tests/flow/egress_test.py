"""Egress: calls of local programs leave by the server, as curl, Python and plain sockets make them."""

import hashlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import unittest
import urllib.request

from egress_scene import LOOPBACK, EgressTest, allow, destination
from scene import SLOW, Beside, answer, request
from support import Ended, eventually

BLOB = bytes(range(256)) * 4096  # 1 MiB in which every byte value stands
# A sanitizer keeps what was freed for a while.
MEMORY_MAX = (200 if SLOW == 1 else 2000) << 20


class Ways(EgressTest):
    """The three forms of a call."""

    def setUp(self):
        super().setUp()
        self.secure = self.https_destination()
        self.plain = self.upstream(answer(b"plain"))
        rules = allow(f"localhost:{self.secure.port}", f"127.0.0.1:{self.plain.port}")
        shop = destination("shop", self.secure.url, f'ca_file = "{self.secure.ca_file}"\n{LOOPBACK}')
        self.server_ = self.server(toml=rules + shop)
        self.agent_ = self.egress_agent(self.server_)
        self.proxy = f"http://127.0.0.1:{self.agent_.proxy_port}"

    def test_curl_calls_an_https_service_by_connect(self):
        body = self.curl("--proxy", self.proxy, "--cacert", self.secure.ca_file, "--data-binary", "@-",
                         f"{self.secure.url}/orders?secret=1", stdin=BLOB)
        self.assertEqual(body, BLOB)
        self.assertEqual(self.secure.seen[0][:2], ("POST", "/orders?secret=1"))
        stats = self.ended_calls(self.server_, 1)
        one = stats["destinations"][0]
        self.assertEqual((one["name"], one["calls"], one["failures"]), (f"localhost:{self.secure.port}", 1, {}))
        self.assertGreater(one["bytes_out"], len(BLOB))
        self.assertGreater(one["bytes_in"], len(BLOB))

    def test_curl_calls_a_plain_service_by_absolute_form(self):
        url = f"http://127.0.0.1:{self.plain.port}/a/b?c=%20d"
        self.assertEqual(self.curl("--proxy", self.proxy, url), b"plain")
        seen = self.plain.last()
        self.assertEqual(seen.line, b"GET /a/b?c=%20d HTTP/1.1")
        self.assertEqual(seen.get(b"host"), f"127.0.0.1:{self.plain.port}".encode())
        self.assertEqual([name for name, _ in seen.fields if b"proxy" in name.lower() or b"forwarded" in name.lower()
                          or b"x-request-id" in name.lower()], [])

    def test_a_named_destination_gets_the_path_and_the_server_makes_the_tls(self):
        body = self.curl(f"{self.proxy}/shop/erp/list?page=2", "-H", "X-Api: 7", "--data-binary", "@-", stdin=BLOB)
        self.assertEqual(body, BLOB)
        method, path, fields = self.secure.seen[0]
        self.assertEqual((method, path), ("POST", "/erp/list?page=2"))
        self.assertIn(("Host", f"localhost:{self.secure.port}"), fields)
        self.assertIn(("X-Api", "7"), fields)
        self.assertEqual(self.curl(f"{self.proxy}/shop?x=1"), b"/?x=1")

    def test_python_calls_through_the_proxy_of_its_environment(self):
        handler = urllib.request.ProxyHandler({"http": self.proxy, "https": self.proxy})
        context = ssl.create_default_context(cafile=self.secure.ca_file)
        opener = urllib.request.build_opener(handler, urllib.request.HTTPSHandler(context=context))
        with opener.open(f"{self.secure.url}/python", timeout=30) as response:
            self.assertEqual(response.read(), b"/python")
        with opener.open(f"http://127.0.0.1:{self.plain.port}/x", timeout=30) as response:
            self.assertEqual(response.read(), b"plain")

    def test_node_calls_by_connect_and_by_base_url(self):
        node = shutil.which("node") or self.fail("there is no node: ./dev test installs it")
        script = """
            const http = require("node:http"), https = require("node:https"), fs = require("node:fs");
            const [proxy, url, ca] = process.argv.slice(1).map(String), to = new URL(url), by = new URL(proxy);
            http.request({host: by.hostname, port: by.port, method: "CONNECT", path: to.host}).on(
              "connect", (answer, socket) =>
              https.get(url, {socket, agent: false, ca: fs.readFileSync(ca)}, (found) => {
                let text = "";
                found.on("data", (piece) => text += piece).on("end", async () => {
                  const named = await fetch(`${proxy}/shop/by-name?a=%20b`);
                  console.log(answer.statusCode, text, await named.text());
                });
              })).end();
        """
        done = subprocess.run([node, "-e", script, self.proxy, f"{self.secure.url}/by-connect", self.secure.ca_file],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "200 /by-connect /by-name?a=%20b\n"), done.stderr)

    def test_an_https_url_in_absolute_form_gets_its_tls_from_the_server(self):
        port = self.secure.port
        caller = self.proxy_caller(self.agent_)
        response = caller.exchange(request(f"https://localhost:{port}/absolute", host=f"localhost:{port}"))
        self.assertEqual((response.status, response.body), (200, b"/absolute"))

    def test_a_websocket_in_absolute_form_is_switched(self):
        def switch(connection, message):
            connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
            connection.send(connection.some().upper())
        self.plain.clear(switch)
        caller = self.proxy_caller(self.agent_)
        url = f"http://127.0.0.1:{self.plain.port}/socket"
        response = caller.exchange(request(url, host="x", fields=["Upgrade: echo", "Connection: Upgrade"]))
        self.assertEqual(response.status, 101)
        caller.send(b"hello")
        self.assertEqual(caller.exactly(5), b"HELLO")

    def test_one_connection_of_a_local_program_serves_one_call_after_the_other(self):
        caller = self.proxy_caller(self.agent_)
        for number in range(3):
            response = caller.exchange(request(f"/shop/{number}", host="127.0.0.1"))
            self.assertEqual((response.status, response.body), (200, f"/{number}".encode()))

    def test_the_log_tells_each_call_without_its_target_and_fields(self):
        self.curl(f"{self.proxy}/shop/hook/very-secret?token=very-secret", "-H", "Authorization: Bearer very-secret")
        self.ended_calls(self.server_, 1)
        log = self.server_.wait_for_log(r" egress .*bot office GET (\S+) (\S+) -> 200 in ")
        self.assertEqual(log.groups(), (f"localhost:{self.secure.port}", "127.0.0.1"))
        self.assertNotIn("very-secret", self.server_.log() + self.agent_.log())


class Circuits(EgressTest):
    """CONNECT as a pair of byte streams."""

    def setUp(self):
        super().setUp()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        self.port = self.listener.getsockname()[1]
        self.server_ = self.server(toml=allow(f"localhost:{self.port}"))
        self.agent_ = self.egress_agent(self.server_)

    def pair(self):
        caller = self.tunnel_to(self.agent_, self.port)
        other, _ = self.listener.accept()
        other.settimeout(60)
        self.addCleanup(other.close)
        return caller, other

    def test_100_mib_pass_unchanged_in_both_directions(self):
        caller, other = self.pair()
        block, count = os.urandom(1 << 20), 100

        def bounce():
            while data := other.recv(1 << 18):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

        def feed():
            for _ in range(count):
                caller.sock.sendall(block)
            caller.end_sending()
        threads = [threading.Thread(target=each, daemon=True) for each in (bounce, feed)]
        for thread in threads:
            thread.start()
        got, size = hashlib.sha256(), 0
        while data := caller.sock.recv(1 << 18):
            got.update(data)
            size += len(data)
        expected = hashlib.sha256()
        for _ in range(count):
            expected.update(block)
        self.assertEqual((size, got.hexdigest()), (count << 20, expected.hexdigest()))
        for thread in threads:
            thread.join(20)
        stats = self.ended_calls(self.server_, 1)
        self.assertEqual((stats["bytes_out"], stats["bytes_in"], stats["failures"]), (count << 20, count << 20, {}))
        for process in (self.server_, self.agent_):
            self.assertLess(process.memory_peak(), MEMORY_MAX, process.name)

    def test_each_direction_ends_for_itself(self):
        caller, other = self.pair()
        caller.send(b"question")
        caller.end_sending()
        self.assertEqual(other.recv(100), b"question")
        self.assertEqual(other.recv(100), b"", "the program's end reaches the destination")
        other.sendall(b"late answer")
        other.close()
        self.assertEqual(caller.until_end(), (b"late answer", "fin"))

        caller, other = self.pair()
        other.sendall(b"greeting")
        other.shutdown(socket.SHUT_WR)
        self.assertEqual(caller.until_end(), (b"greeting", "fin"))
        caller.send(b"still there")
        self.assertEqual(other.recv(100), b"still there")
        caller.close()
        self.assertEqual(other.recv(100), b"")
        self.assertEqual(self.ended_calls(self.server_, 2)["failures"], {})

    def test_a_program_that_goes_away_takes_the_connection_with_it(self):
        caller, other = self.pair()
        other.sendall(b"x")
        caller.exactly(1)
        caller.reset()
        with self.assertRaises(ConnectionResetError):
            other.recv(1)
        self.assertEqual(len(self.ended_calls(self.server_, 1)["failures"]), 1)

    def test_a_destination_that_resets_is_a_reset_for_the_program(self):
        caller, other = self.pair()
        caller.send(b"x")
        other.recv(1)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        other.close()
        self.assertEqual(caller.until_end(), (b"", "reset"))

    def test_a_lost_link_ends_its_calls_and_the_next_ones_wait_for_another(self):
        caller, other = self.pair()
        self.server_.kill9()
        self.assertEqual(caller.until_end(), (b"", "reset"))
        other.close()
        refused = self.proxy_caller(self.agent_).exchange(request("/lingxing/x", host="127.0.0.1"))
        self.assert_error(refused, 503, "link", "no_link")
        self.assertTrue(refused.get(b"retry-after"))
        self.server_.start()
        eventually(lambda: self.egress(self.server_)["links"], 40, "the egress link is back")
        caller, other = self.pair()
        caller.send(b"again")
        self.assertEqual(other.recv(10), b"again")

    def test_a_silent_circuit_ends_and_one_in_which_something_moves_does_not(self):
        self.server_.toml = '[egress]\nidle_timeout = "600ms"\n' + self.server_.toml
        self.server_.write_config()
        self.server_.signal(signal.SIGHUP)
        self.server_.wait_for_log("the configuration has been read again")
        busy, other = self.pair()
        silent, _ = self.pair()
        silent_end = Beside(silent.until_end)
        for _ in range(30):  # 1.2 s in all
            busy.send(b"x")
            self.assertEqual(other.recv(1), b"x")
            time.sleep(0.04)
        self.assertEqual(silent_end.result(), (b"", "reset"))
        self.assertEqual(self.ended_calls(self.server_, 1, running=1)["failures"], {"timed_out": 1})

    def test_a_program_that_never_ends_its_side_does_not_keep_a_circuit_whose_destination_is_gone(self):
        self.server_.toml = '[egress]\nidle_timeout = "300ms"\n' + self.server_.toml
        self.server_.write_config()
        self.server_.signal(signal.SIGHUP)
        self.server_.wait_for_log("the configuration has been read again")
        caller, other = self.pair()
        other.sendall(b"good bye")
        other.close()
        self.assertEqual(caller.exactly(8), b"good bye")
        self.assertEqual(self.ended_calls(self.server_, 1)["failures"], {"timed_out": 1})

    def test_one_tunnel_does_not_take_all_calls(self):
        self.server_.toml = '[egress]\ntunnel_calls = 2\n' + self.server_.toml
        self.server_.write_config()
        self.server_.signal(signal.SIGHUP)
        self.server_.wait_for_log("the configuration has been read again")
        pairs = [self.pair() for _ in range(2)]
        connect = f"CONNECT localhost:{self.port} HTTP/1.1\r\nHost: localhost:{self.port}\r\n\r\n".encode()
        self.assert_error(self.proxy_caller(self.agent_).exchange(connect), 503, "edge", "queue_full")
        for each in pairs[0]:
            each.close()
        self.ended_calls(self.server_, 2, running=1)
        self.pair()

    def test_an_agent_that_is_killed_takes_its_calls_along_and_the_destination_hears_of_it(self):
        _, other = self.pair()
        self.agent_.kill9()
        with self.assertRaises(ConnectionResetError):
            other.recv(1)
        self.ended_calls(self.server_, 1)

    def test_many_circuits_side_by_side_do_not_mix_their_bytes(self):
        pairs = [self.pair() for _ in range(50)]
        for number, (caller, _) in enumerate(pairs):
            caller.send(f"{number:04}".encode() * 1000)
        for number, (caller, other) in reversed(list(enumerate(pairs))):
            got = b""
            while len(got) < 4000:
                got += other.recv(4000 - len(got))
            self.assertEqual(got, f"{number:04}".encode() * 1000)
            other.sendall(got[::-1])
            self.assertEqual(caller.exactly(4000), got[::-1])

    def test_a_server_that_stops_lets_circuits_end(self):
        caller, other = self.pair()
        stopping = threading.Thread(target=self.server_.stop, daemon=True)
        stopping.start()
        self.server_.wait_for_log("stopping")
        caller.send(b"work")
        self.assertEqual(other.recv(10), b"work")
        other.sendall(b"done")
        other.close()
        self.assertEqual(caller.until_end(), (b"done", "fin"))
        caller.close()
        stopping.join(20)
        self.assertFalse(stopping.is_alive())

    def test_an_agent_that_stops_lets_circuits_end(self):
        caller, other = self.pair()
        stopping = threading.Thread(target=self.agent_.stop, daemon=True)
        stopping.start()
        self.agent_.wait_for_log("stopping")
        caller.send(b"work")
        self.assertEqual(other.recv(10), b"work")
        other.sendall(b"done")
        other.close()
        self.assertEqual(caller.until_end(), (b"done", "fin"))
        caller.close()
        stopping.join(20)
        self.assertFalse(stopping.is_alive())


class Failures(EgressTest):
    def test_a_destination_that_refuses_resets_or_lies_is_named_as_the_hop(self):
        broken = self.upstream(lambda connection, message: connection.reset())
        lying = self.upstream(b"SMTP ready\r\n\r\n")
        hosts = [f"127.0.0.1:{port}" for port in (9, broken.port, lying.port)]
        server = self.server(toml=allow(*hosts, "nowhere.invalid:443"))
        agent = self.egress_agent(server)
        for host, cause in zip(hosts, ("destination_refused", "destination_reset", "destination_malformed")):
            response = self.proxy_caller(agent).exchange(request(f"http://{host}/", host=host))
            self.assert_error(response, 502, "destination", cause)
        connect = b"CONNECT nowhere.invalid:443 HTTP/1.1\r\nHost: nowhere.invalid:443\r\n\r\n"
        self.assert_error(self.proxy_caller(agent).exchange(connect), 502, "destination", "destination_refused")

    def test_a_certificate_of_an_unknown_authority_is_refused(self):
        secure = self.https_destination()
        server = self.server(toml=allow(f"localhost:{secure.port}") + destination("shop", secure.url))
        agent = self.egress_agent(server)
        response = self.proxy_caller(agent).exchange(request("/shop/x", host="127.0.0.1"))
        self.assert_error(response, 502, "destination", "destination_untrusted")
        self.assertEqual(secure.seen, [])

    def test_an_answer_that_does_not_come_is_a_504(self):
        gate = self.gate()
        slow = self.upstream(gate)
        host = f"127.0.0.1:{slow.port}"
        server = self.server(toml='[egress]\nfirst_byte_timeout = "200ms"\n' + allow(host))
        agent = self.egress_agent(server)
        response = self.proxy_caller(agent).exchange(request(f"http://{host}/", host=host))
        self.assert_error(response, 504, "destination", "destination_timeout")

    def test_a_connection_that_does_not_come_about_in_time_is_a_504(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        port = silent.getsockname()[1]
        server = self.server(toml='[egress]\nconnect_timeout = "200ms"\n' + allow(f"localhost:{port}"))
        agent = self.egress_agent(server)
        response = self.proxy_caller(agent).exchange(request(f"https://localhost:{port}/", host="x"))
        self.assert_error(response, 504, "destination", "destination_timeout")

    def test_an_answer_that_breaks_off_does_not_look_whole(self):
        def half(connection, message):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            connection.close()
        broken = self.upstream(half)
        host = f"127.0.0.1:{broken.port}"
        server = self.server(toml=allow(host))
        agent = self.egress_agent(server)
        with self.assertRaises(Ended):
            self.proxy_caller(agent).exchange(request(f"http://{host}/", host=host))
        self.assertEqual(self.ended_calls(server, 1)["failures"], {"destination_reset": 1})


if __name__ == "__main__":
    unittest.main()
