"""How an agent gets in: zero-config start, join strings, the server's key, tokens and their end."""

import base64
import hashlib
import json
import re
import ssl
import socket
import stat
import subprocess
import threading
import time
import unittest
from pathlib import Path

from scene import SLOW, Authority, SceneTest, decode_join, hello, run_binary, tls_to
from support import PATIENCE, Caller, Ended, eventually


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def pin_of_port(port):
    """The SHA-256 of the key that a TLS port shows, as OpenSSL's tools compute it."""
    certificate = ssl.get_server_certificate(("127.0.0.1", port))
    key = subprocess.run(["openssl", "x509", "-noout", "-pubkey"], input=certificate.encode(), capture_output=True,
                         check=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=key, capture_output=True,
                         check=True).stdout
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")


class FirstStart(SceneTest):
    def start_without_config(self):
        """In an empty directory; if the default ports are taken, with a file that names only others."""
        process = self.process("plain", "server")
        process.start()
        eventually(lambda: "listens:" in process.log() or not process.is_running(), 30)
        if not process.is_running():
            process.popen = None
            ports = process.directory / "ports.toml"
            ports.write_text('[server]\ningress = "127.0.0.1:0"\ntunnel = "127.0.0.1:0"\nadmin = "127.0.0.1:0"\n')
            process = self.process("plain", "server", env={"ROCKDOVE_CONFIG": str(ports)})
            process.start()
        said = process.wait_for_log(r"listens: callers \S+:(\d+), agents \S+:(\d+), admin \S+:(\d+)")
        return process, [int(port) for port in said.groups()]

    def test_a_server_starts_without_any_configuration_and_keeps_its_data_private(self):
        process, ports = self.start_without_config()
        data = process.directory / "rockdove-data"
        self.assertEqual(mode_of(data), 0o700)
        self.assertEqual(mode_of(data / "tls-key.pem"), 0o600)
        join = decode_join(process.run("token", "create", "feishu-bot", "--address", f"127.0.0.1:{ports[1]}").strip())
        self.assertEqual(mode_of(data / "tokens.json"), 0o600)
        self.assertEqual((join["v"], join["t"], join["a"], join["m"]),
                         (1, "feishu-bot", [f"127.0.0.1:{ports[1]}"], "pin"))
        self.assertEqual(join["p"], pin_of_port(ports[1]))
        caller = Caller(ports[0])
        self.addCleanup(caller.close)
        health = json.loads(caller.exchange(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").body)
        self.assertEqual(health["service"], "feishu-webhook-ws")
        self.assertIn(health["status"], ("ok", "degraded"), "the second once it knows of a token without an agent")

    def test_a_token_can_be_made_before_the_first_start_and_its_pin_is_the_servers(self):
        server = self.server()
        server.stop()
        self.assertTrue((server.directory / "data").exists())
        for file in (server.directory / "data").iterdir():
            file.unlink()
        join = server.token()
        server.start()
        self.assertEqual(decode_join(join)["p"], pin_of_port(server.tunnel_port))

    def test_a_token_for_a_port_that_is_not_known_yet_is_refused_with_a_reason(self):
        server = self.server()
        server.config.write_text(re.sub(r'(tunnel = "127.0.0.1):\d+"', r'\1:0"', server.config.read_text()))
        done = run_binary(server, "token", "create", "bot", "--config", str(server.config))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("--address", done.stderr)
        self.assertEqual(json.loads(server.run("token", "list", "--json", "--config", str(server.config))), [])

    def test_a_join_string_names_the_address_that_the_server_listens_on_if_it_is_one(self):
        server = self.server()
        for host, addresses in (("127.0.0.1", ["127.0.0.1:9"]), ("[::1]", ["[::1]:9"])):
            config = server.directory / "listens.toml"
            config.write_text(f'[server]\ntunnel = "{host}:9"\ndata = "{server.directory / "data"}"\n')
            join = server.run("token", "create", "bot", "--config", str(config))
            self.assertEqual(decode_join(join.strip())["a"], addresses)

    def test_an_agent_that_has_not_joined_says_so_and_fails(self):
        server = self.server()
        done = run_binary(server, "agent")
        self.assertEqual(done.returncode, 1)
        self.assertIn("rockdove join -", done.stderr)


class Join(SceneTest):
    def test_a_join_string_makes_a_private_configuration_that_connects(self):
        server, upstream = self.server(), self.upstream()
        agent = self.agent(server, upstream)
        self.assertEqual(mode_of(agent.config), 0o600)
        self.assertEqual(self.call(server).body, b"ok")
        self.assertEqual(server.agent("office")["name"], "office")

    def test_join_writes_to_the_users_directory_and_keeps_it_private(self):
        server = self.server()
        server.run("join", "-", stdin=f'  "{server.token()}"\n')
        file = server.directory / "rockdove" / "agent.toml"
        self.assertEqual(mode_of(file), 0o600)
        self.assertIn('tunnel = "bot"', file.read_text())

    def test_a_mistyped_join_string_is_refused_and_writes_nothing(self):
        server = self.server()
        good = server.token()
        at = len(good) // 2
        for bad in (good[:-1], good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1:], good[:at], "", "hello"):
            with self.subTest(bad=bad[:20]):
                file = server.directory / "never.toml"
                done = run_binary(server, "join", "--config", str(file), "-", stdin=bad)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertTrue(done.stderr)
                self.assertFalse(file.exists())

    def test_a_join_string_as_an_argument_is_refused_without_repeating_it(self):
        server = self.server()
        join = server.token()
        done = run_binary(server, "join", join)
        self.assertEqual(done.returncode, 2)
        self.assertNotIn(join, done.stdout + done.stderr)
        self.assertFalse((server.directory / "rockdove").exists())


class Secrets(SceneTest):
    def test_a_secret_is_nowhere_in_the_data_directory_logs_and_arguments(self):
        trace = '[log]\nlevel = "trace"'
        server, upstream = self.server(toml=trace), self.upstream()
        text = server.token()
        agent = self.agent(server, upstream, join=text, toml=trace)
        self.assertEqual(self.call(server, "/?x=1", method="POST", body=b"{}").status, 200)
        secret = decode_join(text)["s"]
        self.assertGreater(len(secret), 40)
        listed = server.run("token", "list", "--config", str(server.config), "--json")
        status = server.run("status", "--admin", f"127.0.0.1:{server.admin_port}", "--json")
        server.run("token", "revoke", "bot", "--all", "--config", str(server.config))
        agent.wait_for_log("turned this agent away")
        for file in (server.directory / "data").rglob("*"):
            self.assertNotIn(secret.encode(), file.read_bytes(), file)
        for process in (server, agent):
            self.assertNotIn(secret, process.log())
            self.assertNotIn(text, process.log())
            self.assertNotIn(secret.encode(), Path(f"/proc/{process.pid}/cmdline").read_bytes())
        self.assertNotIn(secret, listed + status)

    def test_the_list_of_tokens_is_json_and_follows_create_and_revoke(self):
        server = self.server()
        at, here = ("--config", str(server.config)), ("--address", "127.0.0.1:1")
        server.run("token", "create", "one", "--label", "Bob's PC", *here, *at)
        server.run("token", "create", "two", *here, *at)
        tokens = json.loads(server.run("token", "list", "--json", *at))
        self.assertEqual([(each["tunnel"], each["label"]) for each in tokens], [("one", "Bob's PC"), ("two", "")])
        for each in tokens:
            self.assertRegex(each["id"], "^[0-9a-f]{8}$")
            self.assertRegex(each["created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        server.run("token", "revoke", tokens[0]["id"], *at)
        self.assertEqual([each["tunnel"] for each in json.loads(server.run("token", "list", "--json", *at))], ["two"])
        self.assertEqual(run_binary(server, "token", "revoke", tokens[0]["id"], *at).returncode, 1)

    def test_a_secret_may_come_from_the_environment_instead_of_the_file(self):
        server, upstream = self.server(), self.upstream()
        text = server.token()
        agent = self.agent(server, upstream, join=text, start=False,
                           env={"ROCKDOVE_SECRET": decode_join(text)["s"]})
        agent.config.write_text(re.sub(r"(?m)^secret = .*$", "", agent.config.read_text()))
        agent.start()
        agent.wait_connected()
        self.assertEqual(self.call(server).status, 200)


class Revocation(SceneTest):
    def test_a_revoked_agent_is_cut_off_within_a_second_and_stays_out(self):
        server = self.server(keys='agent_wait = "0s"')
        first = self.agent(server, self.upstream(), "first")
        self.agent(server, self.upstream(), "second")
        tokens = json.loads(server.run("token", "list", "--json", "--config", str(server.config)))
        server.run("token", "revoke", tokens[0]["id"], "--config", str(server.config))
        began = time.monotonic()
        eventually(lambda: server.agent("first") is None, what="the revoked agent is cut off")
        self.assertLess(time.monotonic() - began, 1 * SLOW)
        first.wait_for_log("turned this agent away: unauthorized")
        self.assertIsNone(server.agent("first"))
        self.assertEqual(len(server.agent("second")["links"]), 2)
        self.assertEqual(self.call(server).status, 200)

    def test_a_request_under_way_on_a_revoked_link_fails_and_is_not_sent_again(self):
        server, gate = self.server(), self.gate()
        upstream, other = self.upstream(gate), self.upstream()
        self.agent(server, upstream, "first")
        call = self.call_beside(server, method="POST", body=b"{}")
        gate.wait_inside()
        second = self.agent(server, other, "second")
        tokens = json.loads(server.run("token", "list", "--json", "--config", str(server.config)))
        server.run("token", "revoke", tokens[0]["id"], "--config", str(server.config))
        self.assert_error(call.result(), 502, "link", "link_lost")
        self.assertEqual((len(upstream.requests), len(other.requests)), (1, 0))
        self.assertTrue(second.is_connected())

    def test_a_secret_opens_its_own_tunnel_only_and_nothing_once_revoked(self):
        server = self.server(tls="off")
        join = decode_join(server.token("one"))
        server.token("two")

        def answer_to(message):
            caller = Caller(server.tunnel_port)
            self.addCleanup(caller.close)
            return caller.exchange(message)
        self.assertEqual(answer_to(hello(join)).status, 101)
        refused = answer_to(hello(join, Rockdove_Tunnel="two"))
        self.assertEqual((refused.status, refused.get(b"rockdove-reason")), (403, b"tunnel_mismatch"))
        wrong = join["s"][:-1] + ("A" if join["s"][-1] != "A" else "B")
        for secret in (wrong, join["s"][:-1], "x"):
            refused = answer_to(hello(join, Authorization=f"Bearer {secret}"))
            self.assertEqual((refused.status, refused.get(b"rockdove-reason")), (401, b"unauthorized"))
        server.run("token", "revoke", "one", "--all", "--config", str(server.config))
        self.assertEqual(answer_to(hello(join)).status, 401)


class Pin(SceneTest):
    def listen(self, context):
        """A TLS server that is not ours; returns its port and what it got after the handshake, piece by piece."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        pieces = []

        def serve():
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                sock.settimeout(PATIENCE)
                try:
                    with context.wrap_socket(sock, server_side=True) as secured:
                        pieces.append(secured.recv(65536))
                except OSError as error:
                    pieces.append(error)
        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1], pieces

    def test_an_agent_says_nothing_to_a_server_with_another_key(self):
        server = self.server()
        certificate, key = Authority(server.directory).issue("stranger")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        port, pieces = self.listen(context)
        join = server.token(address=f"127.0.0.1:{port}")
        agent = self.agent(server, join=join, start=False)
        agent.start()
        eventually(lambda: len(pieces) >= 2, 20, "the agent tries again")
        self.assertEqual([each for each in pieces if isinstance(each, bytes) and each], [])
        self.assertIn("the server's key is not the expected one", agent.log())
        self.assertTrue(agent.is_running())

    def test_an_agent_with_a_wrong_pin_does_not_connect(self):
        server = self.server()
        agent = self.agent(server, start=False)
        pin = re.search('pin = "(.*)"', agent.config.read_text())[1]
        other = ("A" if pin[0] != "A" else "B") + pin[1:]
        agent.config.write_text(agent.config.read_text().replace(pin, other))
        agent.start()
        agent.wait_for_log("the server's key is not the expected one")
        self.assertIsNone(server.agent("office"))

    def test_the_key_outlives_a_restart(self):
        server = self.server()
        before = pin_of_port(server.tunnel_port)
        server.stop()
        server.start()
        self.assertEqual(pin_of_port(server.tunnel_port), before)


class AuthorityMode(SceneTest):
    def scene_of(self, subject="IP:127.0.0.1"):
        server = self.server()  # only for its directory
        server.stop()
        authority = Authority(server.directory)
        certificate, key = authority.issue("node", subject)
        server.tls, server.toml = "certificate", f'certificate = "{certificate}"\nkey = "{key}"'
        return server.start(), authority

    def agent_trusting(self, server, file):
        return self.agent(server, self.upstream(), toml=f'[server]\nca_file = "{file}"', start=False)

    def test_an_agent_checks_the_servers_certificate_against_its_authority(self):
        server, authority = self.scene_of()
        join = decode_join(server.token())
        self.assertEqual((join["m"], join.get("p")), ("ca", None))
        agent = self.agent_trusting(server, authority.file)
        agent.start()
        agent.wait_connected()
        self.assertEqual(self.call(server).body, b"ok")

    def test_a_certificate_of_another_authority_is_refused(self):
        server, _ = self.scene_of()
        other = Authority(server.directory, "other")
        agent = self.agent_trusting(server, other.file)
        agent.start()
        agent.wait_for_log("the server's key is not the expected one")
        self.assertIsNone(server.agent("office"))

    def test_a_certificate_for_another_name_is_refused(self):
        server, authority = self.scene_of("DNS:example.test")
        agent = self.agent_trusting(server, authority.file)
        agent.start()
        agent.wait_for_log("the server's key is not the expected one")
        self.assertIsNone(server.agent("office"))


class Plaintext(SceneTest):
    def test_a_server_with_tls_speaks_no_plaintext(self):
        server = self.server()
        caller = Caller(server.tunnel_port)
        self.addCleanup(caller.close)
        caller.send(hello(decode_join(server.token())))
        data, _ = caller.until_end()
        self.assertNotIn(b"HTTP/1.1", data)
        self.assertIsNone(server.agent("raw"))

    def test_without_tls_only_an_agent_that_is_told_so_connects(self):
        server, upstream = self.server(tls="off"), self.upstream()
        join = server.token()
        self.assertEqual(decode_join(join)["m"], "off")
        self.agent(server, upstream, join=join)
        self.assertEqual(self.call(server).body, b"ok")
        secure = self.server()
        mixed = self.agent(server, upstream, "mixed", start=False,
                           join=secure.token(address=f"127.0.0.1:{server.tunnel_port}"))
        mixed.start()
        mixed.wait_for_log("no connection to")
        self.assertIsNone(server.agent("mixed"))

    def test_tls_ends_a_connection_whose_upgrade_is_not_one(self):
        server = self.server()
        caller = tls_to(server.tunnel_port)
        self.addCleanup(caller.close)
        refused = caller.exchange(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual((refused.status, refused.get(b"rockdove-reason")), (400, b"protocol"))
        with self.assertRaises(Ended):
            caller.some()


if __name__ == "__main__":
    unittest.main()
