"""nginx in front of callers and agents, with the two configurations of docs/in-front.md as they stand there.

Only ports, the certificate's place and the name (localhost) are this test's.
"""

import http.client
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from setting import DOCS  # isort: skip
from markdown import Page
from scene import SceneTest
from support import PATIENCE, Process, fixed_port

TARGET = "/a%2Fb//c/../d?x=%20y&z"  # what a proxy that normalises would change


class Nginx(Process):
    def __init__(self, folder, site):
        super().__init__("nginx", [])
        stores = "".join(f"{name}_temp_path {folder}/{name};\n"
                         for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = folder / "nginx.conf"
        config.write_text(f"daemon off;\nmaster_process off;\nerror_log stderr;\npid {folder}/pid;\nevents {{}}\n"
                          f"http {{\naccess_log off;\n{stores}{site}}}\n")
        self.arguments = ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(config)]


@unittest.skipUnless(shutil.which("nginx"), "nginx is not installed")
class InFront(SceneTest):
    def setUp(self):
        super().setUp()
        self.folder = Path(tempfile.mkdtemp(prefix="rockdove-in-front-"))
        self.addCleanup(shutil.rmtree, self.folder)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", f"{self.folder}/privkey.pem", "-out", f"{self.folder}/fullchain.pem",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                       capture_output=True, check=True, timeout=60)
        self.certificate = self.folder / "fullchain.pem"
        self.ports = {word: str(fixed_port()) for word in ("443", "8080", "8081", "8082")}
        blocks = Page(DOCS / "in-front.md").blocks
        site = next(each for each in blocks if each.words == ["nginx", "http"])
        config = next(each for each in blocks if each.words == ["toml", "server"] and "trusted_proxies" in each.text)
        self.nginx = Nginx(self.folder, self.here(site.text))
        self.config = self.folder / "server.toml"
        admin = f'admin = "127.0.0.1:{self.ports["8082"]}"'
        self.config.write_text(self.here(config.text).replace("[server]", f"[server]\n{admin}", 1))
        self.start()

    def here(self, text):
        text = re.sub(r"/etc/[\w./-]+/(fullchain|privkey)\.pem", rf"{self.folder}/\1.pem", text)
        text = text.replace("/var/lib/rockdove", f"{self.folder}/data").replace("hooks.example.com", "localhost")
        text = text.replace("listen 443", f"listen 127.0.0.1:{self.ports['443']}")
        return re.sub(r":(443|8080|8081)\b", lambda found: ":" + self.ports[found[1]], text)

    def start(self):
        """Server, nginx and an agent that has come through it."""
        server = self.process("server", "server", "--config", str(self.config))
        server.start()
        server.wait_for_log("listens: callers")
        self.take_in(self.nginx).start()
        join = server.run("token", "create", "feishu-bot", "--tls", "ca", "--config", str(self.config))
        self.local = self.upstream()
        file = self.folder / "agent.toml"
        file.write_text(f'[server]\nca_file = "{self.certificate}"\n[egress]\nlisten = ""\n')
        self.agent = self.process("agent", "agent", "--config", str(file), "--upstream", self.local.url)
        self.agent.run("join", "--config", str(file), "-", stdin=join)
        self.agent.start()
        self.agent.wait_for_log("connected to .*link 1")

    def request(self, method, target, body=None):
        """A caller's request by HTTPS; returns the answer, not read yet."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        caller = http.client.HTTPSConnection("localhost", int(self.ports["443"]), timeout=PATIENCE, context=context)
        self.addCleanup(caller.close)
        caller.request(method, target, body, {"X-Custom": "kept"})
        return caller.getresponse()

    def test_a_request_reaches_the_upstream_as_the_caller_sent_it(self):
        body = bytes(range(256)) * 8192  # 2 MiB: more than nginx takes unless told
        response = self.request("PUT", TARGET, body)
        self.assertEqual((response.status, response.read()), (200, b"ok"))
        seen = self.local.last()
        self.assertEqual((seen.target.decode(), seen.body == body), (TARGET, True))
        self.assertEqual(seen.get(b"host").decode(), f"localhost:{self.ports['443']}")
        self.assertEqual(seen.get(b"x-forwarded-proto"), b"https")
        self.assertEqual(seen.get(b"x-custom"), b"kept")

    def test_events_pass_one_by_one(self):
        goes_on = threading.Semaphore(0)
        self.addCleanup(goes_on.release, 3)

        def events(connection, _):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            for number in (1, 2):
                goes_on.acquire(timeout=PATIENCE)
                connection.send(b"data: %d\n\n" % number)
            connection.close()

        self.local.handler = events
        response = self.request("GET", "/events")
        goes_on.release()
        self.assertEqual(response.read1(), b"data: 1\n\n")
        goes_on.release()
        self.assertEqual(response.read(), b"data: 2\n\n")

    def test_agents_come_back_after_nginx_was_restarted(self):
        before = self.agent.log_size()
        self.nginx.stop()
        self.nginx.start()
        self.agent.wait_for_log("connected to .*link ", after=before)
        self.assertEqual(self.request("GET", "/").status, 200)


if __name__ == "__main__":
    unittest.main()
