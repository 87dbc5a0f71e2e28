"""Scenes of egress: a destination, a server that may call it, an agent with its proxy port, and local programs."""

import ssl
import subprocess
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from scene import Authority, SceneTest
from support import Caller, eventually

LOOPBACK = 'networks = ["127.0.0.0/8", "::1"]'  # what an operator has to open, and tests need


class Echo(BaseHTTPRequestHandler):
    """Answers with the request's body, or else with its target."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length) if length else self.path.encode()
        self.server.seen.append((self.command, self.path, self.headers.items()))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Host", self.headers.get("Host", ""))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_):
        pass


class QuietServer(ThreadingHTTPServer):
    """Programs that break off are a part of the tests."""

    daemon_threads = True

    def handle_error(self, *_):
        pass


class HttpsDestination:
    """An HTTPS service on loopback whose certificate, for localhost, comes from an authority of its own."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="rockdove-destination-")
        authority = Authority(Path(self.directory.name))
        self.ca_file = authority.file
        certificate, key = authority.issue("service", "DNS:localhost,IP:127.0.0.1")
        self.server = QuietServer(("127.0.0.1", 0), Echo)
        self.server.seen = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.url = f"https://localhost:{self.port}"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def seen(self):
        return self.server.seen

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.directory.cleanup()


def allow(*hosts, networks=LOOPBACK, tunnel="bot", more=""):
    """One [[egress.allow]]."""
    names = ", ".join(f'"{host}"' for host in hosts)
    return f'[[egress.allow]]\ntunnel = "{tunnel}"\nhosts = [{names}]\n{networks}\n{more}\n'


def destination(name, url, more=LOOPBACK):
    """One [[egress.destination]]."""
    return f'[[egress.destination]]\nname = "{name}"\nurl = "{url}"\n{more}\n'


class EgressTest(SceneTest):
    """A scene in which egress_agent() has been asked for its proxy port."""

    def https_destination(self):
        made = HttpsDestination()
        self.addCleanup(made.stop)
        return made

    def egress_agent(self, server, listen="127.0.0.1:0", **options):
        agent = self.agent(server, toml=f'[egress]\nlisten = "{listen}"', **options)
        agent.proxy_port = int(agent.wait_for_log(r"egress: http://\S+:(\d+) is the proxy")[1])
        eventually(lambda: self.egress(server)["links"] > 0, 20, "the egress link")
        return agent

    def egress(self, server):
        return server.get_json()["egress"]

    def ended_calls(self, server, count, running=0):
        """The statistics once so many calls have ended, and so many are under way."""
        def ended():
            found = self.egress(server)
            return found if found["calls"] >= count and found["running"] == running else None
        return eventually(ended, 20, f"{count} calls that have ended")

    def curl(self, *arguments, stdin=None, fails=False):
        """What curl prints; with `fails`, its exit code and what it says."""
        done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "60", *map(str, arguments)],
                              input=stdin, capture_output=True, timeout=90, env={"PATH": "/usr/bin:/bin"}, check=False)
        if fails:
            return done.returncode, done.stderr.decode()
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def proxy_caller(self, agent):
        caller = Caller(agent.proxy_port)
        self.addCleanup(caller.close)
        return caller

    def tunnel_to(self, agent, port, host="localhost"):
        """A connection to the port, through a CONNECT that has succeeded."""
        caller = self.proxy_caller(agent)
        head = f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"
        response = caller.exchange(head.encode())
        self.assertEqual(response.status, 200, response.body)
        return caller
