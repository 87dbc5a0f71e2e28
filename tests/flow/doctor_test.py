"""rockdove doctor: what it finds at both ends, and that it leaves running processes alone."""

import json
import re
import socket
import subprocess
import threading
import time
import unittest

from processes import BINARY, Process
from scene import Authority, SceneTest, answer, decode_join, hello, tls_to
from support import eventually, fixed_port, pass_on


class DoctorTest(SceneTest):
    def doctor(self, process, *arguments, env=None):
        """A run beside `process`, with its configuration: (exit code, standard output)."""
        role = process.arguments[1]
        done = subprocess.run([BINARY, "doctor", role, "--config", str(process.config), *arguments],
                              capture_output=True, text=True, timeout=120, cwd=process.directory,
                              env={**process.environment(), "LC_ALL": "C", **(env or {})})
        self.last_output = done.stdout + done.stderr
        return done.returncode, done.stdout

    def findings(self, process, *arguments, code=None, env=None):
        """What --json says: {id of the finding: the finding}."""
        done, out = self.doctor(process, "--json", *arguments, env=env)
        whole = json.loads(out)
        states = [each["state"] for each in whole["findings"]]
        self.assertEqual(done, 1 if "fail" in states else 0, self.last_output)
        self.assertEqual({key: whole["summary"][key] for key in ("ok", "warn", "fail")},
                         {key: states.count(key) for key in ("ok", "warn", "fail")})
        if code is not None:
            self.assertEqual(done, code, self.last_output)
        for each in whole["findings"]:
            self.assertEqual(set(each), {"check", "finding", "state", "text", "advice", "ms"})
            self.assertTrue(each["state"] == "ok" or each["advice"], each)
        return {each["finding"]: each for each in whole["findings"]}

    def assert_found(self, found, *ids):
        for each in ids:
            self.assertIn(each, found, self.last_output)

    def failures(self, found):
        """What failed, but for what only the machine that tests is to blame for."""
        return sorted(each["finding"] for each in found.values()
                      if each["state"] == "fail" and each["check"] not in ("fsync", "disk", "clock"))

    def pair(self, **options):
        """A server with an agent of it, connected."""
        server, upstream = self.server(), self.upstream()
        return server, self.agent(server, upstream, **options)


class Healthy(DoctorTest):
    def test_at_the_agent_every_step_of_the_way_is_well(self):
        server, agent = self.pair(upstream_keys='health = "/up"')
        found = self.findings(agent, code=0)
        self.assertEqual(self.failures(found), [])
        self.assert_found(found, "config.ok", "files.private", "proxy.none", "dns.address", "tcp.connected",
                          "tls.pinned", "link.welcome", "version.same", "skew.small", "upstream.healthy", "egress.off")
        self.assertIsInstance(found["tcp.connected"]["ms"], (int, float))
        self.assertIn(f"127.0.0.1:{server.tunnel_port}", found["tcp.connected"]["text"])

    def test_the_agents_links_stay_and_requests_go_on(self):
        server, agent = self.pair()
        before = server.agent("office")
        tunnels = server.get_json()["tunnels"][0]["links_accepted"]
        self.findings(agent, code=0)
        self.assertEqual(self.call(server).body, b"ok")
        after = server.agent("office")
        self.assertEqual(after["address"], before["address"])
        self.assertEqual(len(after["links"]), 2)
        for old, new in zip(before["links"], after["links"]):
            self.assertGreater(new["since_s"], old["since_s"])
        self.assertEqual(server.get_json()["tunnels"][0]["links_accepted"], tunnels)
        self.assertNotIn("another agent named", agent.log())

    def test_at_the_server_files_ports_disk_and_agents_are_well(self):
        server, _ = self.pair()
        found = self.findings(server)
        self.assertEqual(self.failures(found), [])
        self.assert_found(found, "config.ok", "data.ok", "tokens.ok", "inbox.ok", "disk.free", "certificate.own",
                          "port.served", "agents.connected", "reach.local")
        self.assertTrue({"server.ok", "server.degraded"} & set(found), self.last_output)
        self.assertTrue({"fsync.ok", "fsync.slow", "fsync.very_slow"} & set(found), self.last_output)
        self.assertIn("office", found["agents.connected"]["text"])

    def test_a_server_notices_nothing_and_nothing_is_left_in_its_directory(self):
        server, _ = self.pair()
        data = server.directory / "data"
        names = sorted(each.name for each in data.iterdir())
        self.findings(server)
        self.assertEqual(sorted(each.name for each in data.iterdir()), names)
        self.assertEqual(self.call(server).body, b"ok")

    def test_people_get_a_line_for_each_check_and_a_summary(self):
        _, agent = self.pair()
        code, out = self.doctor(agent)
        self.assertEqual(code, 0, self.last_output)
        lines = out.splitlines()
        self.assertRegex(lines[0], r"^ok    config      ")
        for line in lines[:-2]:
            self.assertRegex(line, r"^((ok|warn|fail) +[a-z]+ +\S|                  -> \S)")
        self.assertRegex(lines[-1], r"^\d+ (checks, all well|ok, \d+ to look at, none failed)\.$")

    def test_no_secret_is_ever_printed(self):
        server, agent = self.pair()
        secret = re.search(r'secret = "([^"]+)"', agent.config.read_text())[1]
        token = (server.directory / "data/admin-token").read_text().strip()
        joined = agent.config.read_text()
        for proxy in ("none", "http://user:hidden@127.0.0.1:9", "socks5://user:hidden@127.0.0.1:9"):
            agent.config.write_text(joined.replace("[agent]", f'[agent]\nproxy = "{proxy}"'))
            for process in (agent, server):
                for form in ((), ("--json",)):
                    self.doctor(process, *form)
                    for hidden in (secret, token, "hidden"):
                        self.assertNotIn(hidden, self.last_output)


class Languages(DoctorTest):
    def test_the_locale_or_an_option_chooses_chinese(self):
        _, agent = self.pair()
        for arguments, env in (((), {"LC_ALL": "zh_CN.UTF-8"}), (("--lang", "zh"), {"LC_ALL": "C"}),
                               ((), {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "zh_TW"})):
            code, out = self.doctor(agent, *arguments, env=env)
            self.assertEqual(code, 0, self.last_output)
            self.assertIn("可以连接", out)
        self.assertNotIn("可以连接", self.doctor(agent, "--lang", "en", env={"LC_ALL": "zh_CN.UTF-8"})[1])


class Usage(DoctorTest):
    def run_in(self, process, *arguments):
        return subprocess.run([BINARY, "doctor", *arguments], capture_output=True, text=True, timeout=60,
                              cwd=process.directory, env=process.environment())

    def test_the_role_is_found_by_the_configuration_that_is_there(self):
        home = Process("nobody", [])
        nothing = self.run_in(home)
        self.assertEqual(nothing.returncode, 2)
        self.assertIn("say server or agent", nothing.stderr)
        folder = home.directory / "rockdove"
        folder.mkdir()
        (folder / "agent.toml").write_text("")
        self.assertEqual(json.loads(self.run_in(home, "--json").stdout)["role"], "agent")
        (folder / "server.toml").write_text("")
        both = self.run_in(home)
        self.assertEqual(both.returncode, 2)
        self.assertIn("both", both.stderr)
        (folder / "agent.toml").unlink()
        self.assertEqual(json.loads(self.run_in(home, "--json").stdout)["role"], "server")

    def test_what_makes_no_sense_is_wrong_usage(self):
        home = Process("nobody", [])
        for arguments in (("gardener",), ("server", "--idle", "5"), ("agent", "--data", "x"), ("agent", "--lang", "fr"),
                          ("agent", "--idle", "0"), ("agent", "--idle", "3601"), ("agent", "extra")):
            self.assertEqual(self.run_in(home, *arguments).returncode, 2, arguments)

    def test_a_wrong_configuration_is_the_only_finding(self):
        _, agent = self.pair()
        agent.config.write_text("[server]\nadress = 1\n")
        found = self.findings(agent, code=1)
        self.assertEqual(list(found), ["config.wrong"])
        self.assertIn("adress", found["config.wrong"]["text"])

    def test_an_agent_that_has_not_joined_is_told_how(self):
        _, agent = self.pair()
        agent.config.write_text("")
        found = self.findings(agent, code=1)
        self.assert_found(found, "config.not_joined", "upstream.refused")
        self.assertIn("rockdove join", found["config.not_joined"]["advice"])


class Broken(DoctorTest):
    def test_a_server_that_is_not_there(self):
        server, agent = self.pair()
        server.stop()
        found = self.findings(agent, code=1)
        self.assertEqual(self.failures(found), ["tcp.refused"])
        found = self.findings(server)
        self.assertEqual(self.failures(found), [])
        self.assert_found(found, "port.free", "server.down", "inbox.ok")

    def test_a_name_that_is_none(self):
        server, agent = self.pair()
        text = agent.config.read_text().replace(f"127.0.0.1:{server.tunnel_port}", "nobody.invalid:8081")
        agent.config.write_text(text)
        self.assertEqual(self.failures(self.findings(agent, code=1)), ["dns.failed"])

    def test_another_key_than_the_pinned_one(self):
        _, agent = self.pair()
        text = agent.config.read_text()
        pin = re.search(r'pin = "([^"]+)"', text)[1]
        agent.config.write_text(text.replace(pin, "A" * len(pin)))
        found = self.findings(agent, code=1)
        self.assertEqual(self.failures(found), ["tls.other_key"])
        self.assertIn('"rockdove"', found["tls.other_key"]["text"])
        self.assertNotIn("link.welcome", found)

    def test_a_revoked_token(self):
        server, agent = self.pair()
        server.run("token", "revoke", "bot", "--all", "--config", str(server.config))
        found = self.findings(agent, code=1)
        self.assertEqual(self.failures(found), ["link.unauthorized"])
        self.assertIn("token create bot", found["link.unauthorized"]["advice"])
        self.assert_found(self.findings(server), "tokens.none")

    def test_the_secret_of_another_tunnel(self):
        _, agent = self.pair()
        agent.config.write_text(agent.config.read_text().replace('tunnel = "bot"', 'tunnel = "other"'))
        self.assertEqual(self.failures(self.findings(agent, code=1)), ["link.other_tunnel"])

    def test_an_upstream_that_is_down_or_unwell(self):
        server = self.server()
        sick = self.upstream(answer(status="500 Internal Server Error"))
        agent = self.agent(server, {"default": "http://127.0.0.1:9", "sick": sick}, upstream_keys='health = "/up"')
        found = self.findings(agent, code=1)
        self.assertEqual(self.failures(found), ["upstream.refused", "upstream.unhealthy"])
        self.assertIn("500", found["upstream.unhealthy"]["text"])

    def test_files_that_others_can_read(self):
        server, agent = self.pair()
        agent.config.chmod(0o644)
        self.assert_found(self.findings(agent, code=1), "files.open")
        agent.config.chmod(0o640)
        self.assert_found(self.findings(agent, code=0), "files.group")
        data = server.directory / "data"
        data.chmod(0o755)
        (data / "admin-token").chmod(0o644)
        found = self.findings(server, code=1)
        self.assertEqual(self.failures(found), ["data.open", "files.open"])
        self.assertIn("admin-token", found["files.open"]["advice"])

    def test_a_port_that_another_program_has(self):
        server, _ = self.pair()
        server.stop()
        with socket.create_server(("127.0.0.1", server.ingress_port)):
            self.assertEqual(self.failures(self.findings(server, code=1)), ["port.taken"])

    def test_an_inbox_of_a_newer_program(self):
        server, _ = self.pair()
        server.stop()
        database = server.directory / "data/inbox.db"
        with database.open("r+b") as file:  # user_version (sqlite.org/fileformat.html)
            file.seek(60)
            file.write((99).to_bytes(4, "big"))
        self.assertEqual(self.failures(self.findings(server, code=1)), ["inbox.newer"])

    def test_a_secret_that_is_not_there(self):
        route = '[[route]]\nname = "hook"\npath = "/hook"\nprovider = "github"\n[route.secrets]\nsecret = "{}"\n'
        server = self.server()
        for source, expected in (("file:/nowhere/secret", "files.unreadable"),
                                 ("env:NOT_SET_HERE", "secrets.elsewhere")):
            server.toml = route.format(source)
            server.write_config()
            self.assert_found(self.findings(server), expected)

    def test_certificates_of_an_authority(self):
        server = self.server()
        authority, other = Authority(server.directory), Authority(server.directory, "other")
        certificate, key = authority.issue("server")
        secured = self.server(tls="certificate",
                              toml=f'certificate = "{certificate}"\nkey = "{key}"')
        agent = self.agent(secured, start=False)
        trusted = agent.config.read_text().replace("[server]", f'[server]\nca_file = "{authority.file}"')
        agent.config.write_text(trusted)
        found = self.findings(agent)
        self.assert_found(found, "tls.ends_soon", "link.welcome")  # it is made for two days
        self.assertIn('"authority"', found["tls.ends_soon"]["text"])
        agent.config.write_text(trusted.replace(str(authority.file), str(other.file)))
        self.assertIn("tls.untrusted", self.failures(self.findings(agent, code=1)))
        agent.config.write_text(trusted.replace(str(authority.file), str(agent.config)))
        self.assertIn("tls.authorities", self.failures(self.findings(agent, code=1)))
        self.assert_found(self.findings(secured), "certificate.soon", "port.served")

    def test_a_port_that_is_not_the_tunnels(self):
        server, agent = self.pair()
        text = agent.config.read_text()
        wrong = text.replace(f":{server.tunnel_port}", f":{server.ingress_port}")
        agent.config.write_text(wrong)
        self.assertIn("tls.failed", self.failures(self.findings(agent, code=1)))
        agent.config.write_text(re.sub(r"pin = .*\n", "", re.sub(r"tls = .*\n", "", wrong)).replace(
            "[server]", '[server]\ntls = "off"'))
        self.assertIn("link.foreign", self.failures(self.findings(agent, code=1)))


class Proxy:
    """A CONNECT proxy that answers with `status`, and passes bytes on if that is 200."""

    def __init__(self, status):
        self.status = status
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = near.recv(4096)
            if not piece:
                return near.close()
            head += piece
        near.sendall(f"HTTP/1.1 {self.status}\r\n\r\n".encode())
        if not self.status.startswith("200"):
            return near.close()
        host, port = head.split()[1].decode().rsplit(":", 1)
        far = socket.create_connection((host, int(port)))
        threading.Thread(target=pass_on, args=(far, near), daemon=True).start()
        return pass_on(near, far)

    def stop(self):
        self.listener.close()


class InBetween(DoctorTest):
    def proxy(self, status):
        proxy = Proxy(status)
        self.addCleanup(proxy.stop)
        return proxy

    def through(self, agent, url):
        text = agent.config.read_text()
        agent.config.write_text(re.sub(r"^proxy = .*\n", "", text, flags=re.MULTILINE)
                                .replace("[agent]", f'[agent]\nproxy = "{url}"'))

    def test_a_proxy_that_lets_us_through(self):
        _, agent = self.pair()
        self.through(agent, self.proxy("200 OK").url)
        found = self.findings(agent, code=0)
        self.assert_found(found, "proxy.used", "tcp.by_proxy", "tls.pinned", "link.welcome")

    def test_a_proxy_that_refuses(self):
        _, agent = self.pair()
        self.through(agent, self.proxy("403 Not Today").url)
        found = self.findings(agent, code=1)
        self.assertEqual(self.failures(found), ["proxy.refused"])
        self.assertIn("403 Not Today", found["proxy.refused"]["text"])

    def test_a_proxy_that_is_none_or_not_there(self):
        _, agent = self.pair()
        with socket.create_server(("127.0.0.1", 0)) as unused:
            dead = unused.getsockname()[1]
        self.through(agent, f"http://127.0.0.1:{dead}")
        self.assertEqual(self.failures(self.findings(agent, code=1)), ["proxy.unreachable"])


class EgressPort(DoctorTest):
    def test_the_port_is_free_or_the_agents_or_taken(self):
        server = self.server()
        port = fixed_port()
        agent = self.agent(server, self.upstream(), toml=f'[egress]\nlisten = "127.0.0.1:{port}"')
        self.assert_found(self.findings(agent, code=0), "egress.agent")
        agent.stop()
        self.assert_found(self.findings(agent, code=0), "egress.free")
        with socket.create_server(("127.0.0.1", port)):
            self.assertEqual(self.failures(self.findings(agent, code=1)), ["egress.taken"])


class Idle(DoctorTest):
    def test_a_path_that_keeps_silent_connections(self):
        _, agent = self.pair()
        found = self.findings(agent, "--idle", "1", code=0)
        self.assertIn("1 s", found["idle.held"]["text"])

    def test_a_path_that_cuts_them(self):
        server, agent = self.pair()
        relay = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(relay.close)

        def cut_when_silent(near):
            far = socket.create_connection(("127.0.0.1", server.tunnel_port))
            near.settimeout(0.02)
            far.settimeout(0.02)
            heard = time.monotonic()
            while time.monotonic() - heard < 0.8:
                for source, target in ((near, far), (far, near)):
                    try:
                        piece = source.recv(65536)
                        if not piece:
                            heard = 0
                        target.sendall(piece)
                        heard = heard and time.monotonic()
                    except TimeoutError:
                        pass
                    except OSError:
                        heard = 0
            near.close()
            far.close()

        def accept():
            while True:
                try:
                    near, _ = relay.accept()
                except OSError:
                    return
                threading.Thread(target=cut_when_silent, args=(near,), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()
        text = agent.config.read_text()
        agent.config.write_text(text.replace(f":{server.tunnel_port}", f":{relay.getsockname()[1]}"))
        self.assertEqual(self.failures(self.findings(agent, "--idle", "3", code=1)), ["idle.short"])


class Probes(DoctorTest):
    """What the server does with probes, seen from a socket."""

    def open(self, server, join):
        caller = tls_to(server.tunnel_port)
        self.addCleanup(caller.close)
        caller.send(hello(join, Rockdove_Direction="probe"))
        return caller

    def test_only_so_many_run_at_a_time_and_none_is_an_agent(self):
        server = self.server()
        join = decode_join(server.token())
        callers = [self.open(server, join) for _ in range(9)]
        heads = [caller.head() for caller in callers]
        self.assertEqual([head.status for head in heads], [101] * 8 + [503])
        self.assertEqual(heads[-1].get(b"rockdove-reason"), b"busy")
        self.assertLess(abs(int(heads[0].get(b"rockdove-time-ms")) / 1000 - time.time()), 60)
        self.assertEqual(server.get_json("/health")["active_connections"], 0)
        callers[0].close()
        eventually(lambda: self.open(server, join).head().status == 101, what="a free place")

    def test_the_doctor_says_so_if_it_has_to_come_back_later(self):
        server = self.server()
        agent = self.agent(server, self.upstream())
        join = decode_join(server.token())
        callers = [self.open(server, join) for _ in range(8)]
        self.assertEqual({caller.head().status for caller in callers}, {101})
        found = self.findings(agent, "--idle", "1", code=0)
        self.assert_found(found, "link.later", "idle.skipped")
        self.assertIn("10 s", found["link.later"]["text"])

    def test_pings_are_answered_until_the_token_is_revoked(self):
        server = self.server()
        caller = self.open(server, decode_join(server.token()))
        self.assertEqual(caller.head().status, 101)
        ping, pong = b"\x89\x82\0\0\0\0hi", b"\x8a\x02hi"  # RFC 6455 section 5.2
        caller.send(ping + ping)
        self.assertEqual(caller.exactly(8), pong + pong)
        server.run("token", "revoke", "bot", "--all", "--config", str(server.config))
        caller.send(ping)
        self.assertEqual(caller.until_end()[0], b"")

    def test_anything_but_a_ping_ends_it(self):
        server = self.server()
        join = decode_join(server.token())
        for frame in (b"\x82\x82\0\0\0\0hi", b"\x88\x80\0\0\0\0", b"\x81\x80\0\0\0\0", b"\x89\x02hi"):
            caller = self.open(server, join)
            self.assertEqual(caller.head().status, 101)
            caller.send(frame)
            self.assertEqual(caller.until_end()[0], b"", frame)

    def test_a_stopping_server_does_not_wait_for_them(self):
        server = self.server()
        caller = self.open(server, decode_join(server.token()))
        self.assertEqual(caller.head().status, 101)
        server.stop()
        self.assertEqual(caller.until_end()[0], b"")


if __name__ == "__main__":
    unittest.main()
