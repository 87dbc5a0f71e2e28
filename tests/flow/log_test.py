"""The log of both roles: levels by layer while they run, files that rotate, a journal, and never a secret."""

import base64
import json
import os
import re
import signal
import unittest

from egress_scene import LOOPBACK, EgressTest, allow, destination
from inbox_scene import Inbox, InboxServer, route
from processes import ROOT
from scene import answer, decode_join, hello, run_binary
from support import Caller, Ended, eventually

EVERYTHING = ('[log]\nlevel = "trace"\n'
              'levels = { link = "trace", inbox = "trace", egress = "trace", edge = "trace", net = "trace" }\n')


class LogTest(EgressTest):
    def server_logging_to_a_file(self, more=""):
        """(server, file); its standard error has nothing, so the ports are found in the file."""
        server = InboxServer(start=False)
        file = server.directory / "own.log"
        server.toml = f'[log]\nfile = "{file}"\n{more}'
        server.wait_for_log = lambda pattern, after=0, timeout=20: eventually(
            lambda: file.exists() and re.search(pattern, file.read_text()), timeout, pattern)
        self.take_in(server).start()
        return server, file


class Levels(LogTest):
    def test_every_layer_that_speaks_may_have_a_level(self):
        header = (ROOT / "src" / "net" / "log_layers.hpp").read_text()
        known = re.findall(r'"(\w+)"', re.search(r"layers\{([^}]*)\}", header)[1])
        spoken = set()
        for source in (ROOT / "src").rglob("*.cpp"):
            text = source.read_text()
            spoken |= set(re.findall(r'\blog::(?:trace|debug|info|warn|error)\(\s*"(\w+)"', text))
            spoken |= set(re.findall(r'\blog::(?:record|enabled)\(log::Level::\w+,\s*"(\w+)"', text))
        self.assertEqual(sorted(spoken), sorted(known))

    def test_the_configuration_counts_from_the_start_and_again_from_sighup(self):
        server = self.server(toml='[log]\nlevels = { request = "warn" }')
        self.agent(server, self.upstream())
        self.call(server, "/unseen")
        server.config.write_text(server.config.read_text().replace('request = "warn"', 'link = "off"'))
        server.signal(signal.SIGHUP)
        server.wait_for_log("has been read again")
        self.call(server, "/seen")
        server.wait_for_log(" /seen ")
        self.assertNotIn("/unseen", server.log())
        mark = server.log_size()
        self.agent(server, self.upstream(), "second")
        self.assertNotIn(" link ", server.log()[mark:])

    def test_an_agent_takes_its_levels_at_sighup_and_keeps_its_links(self):
        server = self.server()
        agent = self.agent(server, self.upstream())
        self.call(server, "/one")
        agent.wait_for_log(" /one ")
        agent.config.write_text(agent.config.read_text() + '[log]\nrequests = false\n')
        agent.signal(signal.SIGHUP)
        agent.wait_for_log("has been read again")
        self.assertEqual(self.call(server, "/two").status, 200)
        self.call(server, "/three")  # whose end comes after whatever is said of the one before
        for silent in ("/two", "/three"):
            self.assertNotIn(silent, agent.log())
        self.assertNotIn("takes effect at the next start", agent.log())

    def test_levels_change_by_the_api_and_the_command_until_the_next_reload(self):
        server = self.take_in(InboxServer(start=False)).start()
        self.agent(server, self.upstream())

        def says(path):
            mark, before = server.log_size(), server.route()["requests"]
            self.call(server, path)
            eventually(lambda: server.route()["requests"] > before)
            return f" {path} " in server.log()[mark:]
        self.assertTrue(says("/a"))
        self.assertEqual(server.inbox.ask("PUT", "/api/v1/log", {"levels": {"request": "off"}}),
                         (200, {"level": "info", "levels": {"request": "off"}}))
        self.assertFalse(says("/b"))
        at = ("--config", str(server.config), "--admin", f"127.0.0.1:{server.admin_port}")
        self.assertEqual(server.run("log-level", *at), "info\nrequest off\n")
        self.assertEqual(server.run("log-level", "default", "--layer", "request", *at), "info\n")
        self.assertTrue(says("/c"))
        self.assertEqual(json.loads(server.run("log-level", "debug", "--layer", "link", "--json", *at)),
                         {"level": "info", "levels": {"link": "debug"}})
        self.assertEqual(server.run("log-level", "off", *at), "off\nlink debug\n")
        self.assertFalse(says("/d"))
        server.signal(signal.SIGHUP)
        eventually(lambda: server.run("log-level", *at) == "info\n")
        self.assertTrue(says("/e"))

    def test_levels_are_not_for_everybody_and_mistakes_change_nothing(self):
        server = self.take_in(InboxServer(start=False)).start()
        status, _ = server.inbox.ask("PUT", "/api/v1/log", {"level": "off"}, token="x" * 43)
        self.assertEqual(status, 401)
        for content in ({"level": "loud"}, {"levels": {"nowhere": "info"}}, {"more": 1}, []):
            self.assertEqual(server.inbox.ask("PUT", "/api/v1/log", content)[0], 400, content)
        for arguments in (["loud"], ["info", "--layer", "nowhere"], ["--layer", "link"], ["default"]):
            self.assertEqual(run_binary(server, "log-level", *arguments).returncode, 2, arguments)
        self.assertEqual(server.inbox.must("GET", "/api/v1/log"), {"level": "info", "levels": {}})


class Files(LogTest):
    def test_a_file_that_was_moved_away_is_opened_anew_at_sighup(self):
        server, file = self.server_logging_to_a_file()
        self.call(server, "/before")
        eventually(lambda: " /before " in file.read_text())
        file.rename(file.with_name("moved.log"))
        server.signal(signal.SIGHUP)
        eventually(file.exists)
        self.call(server, "/after")
        eventually(lambda: " /after " in file.read_text())
        self.assertNotIn("/after", file.with_name("moved.log").read_text())
        self.assertEqual(server.log(), "", "nothing goes to standard error")

    def test_a_full_file_is_rotated_and_so_many_are_kept(self):
        server, file = self.server_logging_to_a_file('max_size = "64KiB"\nmax_files = 2\n')
        caller = Caller(server.ingress_port)
        self.addCleanup(caller.close)
        third = file.with_name("own.2.log")

        def fill():
            for _ in range(50):
                caller.exchange(b"GET /" + b"x" * 200 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            return third.exists()
        server.config.write_text(server.config.read_text().replace("[server]", '[server]\nagent_wait = "0s"'))
        server.signal(signal.SIGHUP)
        eventually(lambda: "has been read again" in file.read_text())
        eventually(fill, 60)
        fill()
        kept = sorted(each.name for each in file.parent.glob("own*.log"))
        self.assertEqual(kept, ["own.1.log", "own.2.log", "own.log"])
        for name in kept:
            self.assertLessEqual((file.parent / name).stat().st_size, 64 * 1024)

    def test_a_file_of_another_day_is_put_aside(self):
        server, file = self.server_logging_to_a_file("daily = true\n")
        self.call(server, "/yesterday")
        eventually(lambda: " /yesterday " in file.read_text())
        server.stop()
        size = file.stat().st_size
        os.utime(file, (0, 0))
        server.start()
        old = file.with_name("own.1.log")
        eventually(lambda: old.exists() and file.exists() and "listens: " in file.read_text(), 20, "a new file")
        self.assertEqual(old.stat().st_size, size)
        self.assertNotIn("/yesterday", file.read_text())

    def test_a_journal_gets_the_priority_of_each_line(self):
        server = InboxServer(start=False)
        server.log_file.touch()
        found = os.stat(server.log_file)
        server.env = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        self.take_in(server).start()
        self.call(server, "/seen")
        server.wait_for_log(r"^<6>request \S+ GET /seen ")
        self.assertRegex(server.log(), r"(?m)^<6>server +rockdove ")
        self.assertEqual([line for line in server.log().splitlines() if not re.match(r"<[3467]>\w", line)], [])


class Secrets(LogTest):
    """Everything that may go wrong or right with a secret or a body in it, and then a look at all logs."""

    query, path_secret = "query-s3cret-0815", "user-s3cret-0816"
    bodies = ("request-b0dy-4711", "answer-b0dy-4712", "refused-b0dy-4713", "egress-b0dy-4714")
    header, cookie, bearer = "header-s3cret-4721", "cookie-s3cret-4722", "bearer-s3cret-4723"
    hook = "hook-s3cret-4731"

    def scene_of(self, log):
        server = InboxServer(start=False, tls="off")  # so that a stranger's hello is read
        secret = server.directory / "hook.secret"
        secret.write_text(self.hook + "\n")
        self.called = self.https_destination()
        server.toml = (log + route("inbox", name="stored", path="/stored")
                       + '[[route]]\nname = "github"\npath = "/github"\nprovider = "github"\nmode = "inbox"\n'
                       + f'secrets = {{ secret = "file:{secret}" }}\n'
                       + '[[route]]\nname = "default"\n'
                       + allow(f"localhost:{self.called.port}")
                       + destination("echo", self.called.url, f'{LOOPBACK}\nca_file = "{self.called.ca_file}"'))
        self.take_in(server).start()

        def by_target(connection, message):
            if message.target.startswith(b"/cut"):
                connection.read_body(message)
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + self.bodies[1].encode())
                connection.close()
                return None
            status = "500 No" if message.target.startswith(b"/fails") else "200 OK"
            return answer(self.bodies[1].encode(), status, (f"Set-Cookie: {self.cookie}",))
        agent = self.egress_agent_with(server, self.upstream(by_target), log)
        return server, agent

    def egress_agent_with(self, server, upstream, log):
        agent = self.agent(server, upstream, toml='[egress]\nlisten = "127.0.0.1:0"\n' + log)
        agent.proxy_port = int(agent.wait_for_log(r"egress: http://[^\s:]+:(\d+) is the proxy")[1])
        eventually(lambda: self.egress(server)["links"] > 0, 20, "the egress link")
        return agent

    def secrets_of(self, server, agent):
        join = decode_join(re.search(r"rockdove1\.\S+", server.token())[0])
        own = re.search(r'^secret = "(.+)"', agent.config.read_text(), re.MULTILINE)[1]
        admin = Inbox(server).token()
        plain = [self.query, self.path_secret, self.header, self.cookie, self.bearer, self.hook, *self.bodies,
                 join["s"], own, admin, "PRIVATE KEY"]
        coded = [base64.b64encode(each.encode()).decode().rstrip("=") for each in (*plain, f"user:{self.bearer}")]
        return plain + coded, join

    def send_everything(self, server, agent, join):
        fields = (f"Authorization: Bearer {self.bearer}", f"Cookie: {self.cookie}", f"X-Api-Key: {self.header}",
                  f"X-Hub-Signature-256: sha256={self.header}")
        body = self.bodies[0].encode()
        for target in ("/plain", "/stored/x", "/github", "/fails", "/cut", f"/{'x' * 9000}"):
            caller = Caller(server.ingress_port)
            self.addCleanup(caller.close)
            head = "\r\n".join([f"POST {target}?token={self.query} HTTP/1.1", "Host: a", *fields,
                                f"Content-Length: {len(body)}", "", ""])
            try:
                caller.exchange(head.encode() + body)
            except Ended:
                pass
        for raw in (f"GET http://{self.path_secret}:{self.query}@h/ HTTP/1.1\r\nHost: a\r\n\r\n",
                    f"GET / HTTP/1.1\r\nHost: a\r\n{self.header}\r\n\r\n", f"{self.query}\r\n\r\n",
                    f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n{self.bodies[2]}"):
            caller = Caller(server.ingress_port)
            self.addCleanup(caller.close)
            try:
                caller.exchange(raw.encode(), b"GET")
            except Ended:
                pass
        server.inbox.ask("GET", f"/api/v1/events?text={self.query}")
        server.inbox.ask("GET", "/api/v1/events", token=self.bearer)
        stranger = Caller(server.tunnel_port)
        self.addCleanup(stranger.close)
        try:
            stranger.exchange(hello({**join, "s": self.bearer}))
        except Ended:
            pass
        proxy = ("--proxy", f"http://user:{self.bearer}@127.0.0.1:{agent.proxy_port}")
        self.curl(f"http://127.0.0.1:{agent.proxy_port}/echo/path?token={self.query}",
                  "--data", self.bodies[3], "--header", f"Authorization: Bearer {self.bearer}")
        self.curl(*proxy, "--cacert", self.called.ca_file, f"{self.called.url}/?token={self.query}",
                  "--data", self.bodies[3])
        self.curl(*proxy, f"https://not-allowed.invalid/?token={self.query}", fails=True)

    def assert_silent(self, log):
        server, agent = self.scene_of(EVERYTHING + log)
        secrets, join = self.secrets_of(server, agent)
        self.send_everything(server, agent, join)
        eventually(lambda: server.inbox.tally().get("done", 0) >= 1, 30, "the stored event is delivered")
        for process in (server, agent):
            process.signal(signal.SIGHUP)
        agent.stop()
        server.stop()
        for process in (server, agent):
            text = process.log()
            self.assertGreater(len(text.splitlines()), 8)
            for secret in secrets:
                self.assertNotIn(secret, text, f"in the log of {process.name}")
        self.assertIn("/stored/x", server.log())
        self.assertIn("/stored/x", agent.log())

    def test_for_people(self):
        self.assert_silent("json = false\n")

    def test_for_machines(self):
        self.assert_silent("json = true\n")


if __name__ == "__main__":
    unittest.main()
