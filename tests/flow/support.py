"""What the flow tests are made of: the real binary as server and agent, and raw sockets at both ends."""

import atexit
import json
import socket
import sys
import threading
import time
import unittest

# All that a test needs comes from here.
from processes import BINARY, ROOT, Agent, Process, Server, eventually, fixed_port, is_sanitized  # noqa: F401
from wire import PATIENCE, Ended, Message, NotHttp, Reader, reset  # noqa: F401


def pass_on(source, target):
    """Copies what comes from one socket to the other, and the end of it, as relays do."""
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Connection(Reader):
    """One connection that the upstream has accepted."""

    def __init__(self, sock):
        super().__init__(sock, keep=8 << 20)
        sock.settimeout(None)  # the agent keeps it for as long as it likes; stop() ends every wait
        self.ended = None  # when the other side's end was seen, by time.monotonic()
        self.how = None

    def send(self, data):
        self.sock.sendall(data)

    def close(self):
        """FIN to the other side, and no more reading."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def reset(self):
        reset(self.sock)

    def wait_end(self):
        """Waits for the other side's end and remembers when that was."""
        _, self.how = self.until_end()
        self.ended = time.monotonic()
        return self.how


class Upstream:
    """A local service whose every answer a test scripts.

    `handler` is bytes to send, or a function (connection, request) called when a request's head is there. What
    the function returns is sent, once the request's body has been read; if it returns None it has done all
    that itself: connection.read_body(request), connection.send(...), connection.close().
    """

    OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    def __init__(self, handler=OK, port=None):
        self.handler = handler
        self.requests = []
        self.connections = []
        self.errors = []
        self.threads = []
        self.port = port or fixed_port()
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.url = f"http://127.0.0.1:{self.port}"
        self._spawn(self._accept)
        atexit.register(self.stop)

    def _spawn(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(sock)
            self.connections.append(connection)
            self._spawn(self._serve, connection)

    def _serve(self, connection):
        try:
            while connection.sock.fileno() >= 0:
                request = connection.request()
                self.requests.append(request)
                self._answer(connection, request)
        except Ended as end:
            connection.how, connection.ended = end.how, time.monotonic()
            connection.close()
        except OSError:
            connection.close()  # or the test has done so already
        except Exception as error:  # pylint: disable=broad-except
            self.errors.append(error)
            connection.close()

    def _answer(self, connection, request):
        handler = self.handler
        answer = handler(connection, request) if callable(handler) else handler
        if answer is None:
            return
        if not request.body:
            connection.read_body(request)
        connection.send(answer)

    def clear(self, handler=OK):
        """Forgets what was seen; `handler` answers from now on."""
        self.handler = handler
        self.requests.clear()
        self.connections = [each for each in self.connections if each.ended is None and each.sock.fileno() >= 0]
        self.errors.clear()

    def last(self):
        """The request that came last, once there is one."""
        return eventually(lambda: self.requests and self.requests[-1], what="a request at the upstream")

    def bytes_seen(self):
        return sum(each.size for each in self.connections)

    def stop(self):
        atexit.unregister(self.stop)
        for shut in (lambda: self.listener.shutdown(socket.SHUT_RDWR), self.listener.close):
            try:
                shut()
            except OSError:
                pass
        for connection in self.connections:
            connection.close()
        for thread in self.threads:
            thread.join(2)


class Caller(Reader):
    """A public HTTP client that sends exactly the bytes it is given."""

    def __init__(self, port, receive_buffer=None):
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(PATIENCE)
        try:
            sock.connect(("127.0.0.1", port))
        except OSError:
            sock.close()
            raise
        super().__init__(sock)

    def send(self, data):
        self.sock.sendall(data)

    def exchange(self, data, method=None):
        """Sends a request and reads its answer."""
        self.send(data)
        return self.response((method or data.split(b" ")[0]).decode("latin-1"))

    def end_sending(self):
        self.sock.shutdown(socket.SHUT_WR)

    def is_quiet(self, seconds=0.2):
        """True if nothing comes for so long."""
        if self.buffer:
            return False
        self.sock.settimeout(seconds)
        try:
            return self.sock.recv(1, socket.MSG_PEEK) is None
        except TimeoutError:
            return True
        except ConnectionResetError:
            return False
        finally:
            self.sock.settimeout(PATIENCE)

    def reset(self):
        reset(self.sock)

    def close(self):
        self.sock.close()


class FlowTest(unittest.TestCase):
    """Tests that share one server, agent and upstream. The logs of a test that fails are printed."""

    tls = "pin"
    server_keys = ""
    server_toml = ""
    upstream_keys = ""
    agent_links = 2

    @classmethod
    def setUpClass(cls):
        cls.upstream = Upstream()
        cls.addClassCleanup(cls.upstream.stop)
        cls.server = Server(cls.tls, cls.server_keys, cls.server_toml)
        cls.addClassCleanup(cls.server.stop)
        cls.agent = Agent(cls.server, cls.upstream, links=cls.agent_links, upstream_keys=cls.upstream_keys)
        cls.addClassCleanup(cls.agent.stop)

    def setUp(self):
        self.upstream.clear()

    def tearDown(self):
        self.assertEqual([repr(error) for error in self.upstream.errors], [])
        self.assertTrue(self.server.is_running(), "the server has ended")
        self.assertTrue(self.agent.is_running(), "the agent has ended")

    def run(self, result=None):
        marks = [(each, each.log_size()) for each in (self.server, self.agent)]
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for process, mark in marks:
                print(f"\n--- {self.id()}: log of {process.name}\n{process.log()[mark:]}", file=sys.stderr)
        return result

    def caller(self, **options):
        caller = Caller(self.server.ingress_port, **options)
        self.addCleanup(caller.close)
        return caller

    def call(self, data, method=None):
        """One request on a connection of its own."""
        return self.caller().exchange(data, method)

    def assert_error(self, response, status, hop, cause):
        """The answer is the error body that names hop and cause."""
        self.assertEqual(response.status, status)
        self.assertEqual(response.get(b"content-type"), b"application/json")
        error = json.loads(response.body)["error"]
        self.assertEqual((error["hop"], error["cause"]), (hop, cause))
        self.assertTrue(error["request_id"])
