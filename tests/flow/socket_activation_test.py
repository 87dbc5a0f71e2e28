"""Sockets that a service manager holds (sd_listen_fds(3)): a restart of the server refuses nobody."""

import os
import socket
import subprocess
import tempfile
import unittest

from scene import Beside, SceneTest, answer, request
from support import BINARY, Caller, Server, eventually

FIRST = 300  # number of the first socket here; above all that a test with many connections has open


def handing_over(count):
    """What starts a program with `count` sockets as its descriptors from 3 on, and its own id in LISTEN_PID."""
    places = " ".join(f"{3 + at}<&{FIRST + at} {FIRST + at}<&-" for at in range(count))
    return ["/bin/bash", "-c", f'LISTEN_PID=$$ exec "$@" {places}', "bash"]


class ActivatedServer(Server):
    """A server whose sockets come from outside. `sockets`: by name."""

    def __init__(self, sockets):
        names = ":".join(sockets)
        super().__init__(start=False, env={"LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": names})
        self.sockets = sockets
        self.arguments = [*handing_over(len(sockets)), *self.arguments]

    def start(self):
        self.pass_fds = [FIRST + at for at in range(len(self.sockets))]
        for number, each in zip(self.pass_fds, self.sockets.values()):
            os.dup2(each.fileno(), number)
        try:
            return super().start()
        finally:
            for number in self.pass_fds:
                os.close(number)


class SocketActivation(SceneTest):
    def listening(self):
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.addCleanup(listener.close)
        return listener

    def activated(self, **sockets):
        return self.take_in(ActivatedServer(sockets)).start()

    def test_the_server_listens_on_what_it_is_given_and_opens_the_rest_itself(self):
        ingress, tunnel = self.listening(), self.listening()
        server = self.activated(tunnel=tunnel, ingress=ingress)
        self.assertEqual(server.ingress_port, ingress.getsockname()[1])
        self.assertEqual(server.tunnel_port, tunnel.getsockname()[1])
        self.agent(server, self.upstream(answer(b"there")))
        self.assertEqual(self.call(server, "/").body, b"there")
        self.assertEqual(server.get_json("/health")["active_connections"], 1)

    def test_callers_that_come_during_a_restart_wait_and_are_served(self):
        server = self.activated(ingress=self.listening(), tunnel=self.listening(), admin=self.listening())
        self.agent(server, self.upstream(answer(b"there")))
        port = server.ingress_port
        self.assertEqual(self.call(server, "/").body, b"there")
        server.stop()

        def call():
            caller = Caller(port)
            try:
                return caller.exchange(request("/health"))
            finally:
                caller.close()
        callers = [Beside(call) for _ in range(8)]
        eventually(lambda: sum(not each.is_done() for each in callers) == 8)
        server.start()
        self.assertEqual([each.result().status for each in callers], [200] * 8)
        self.assertEqual(server.ingress_port, port)
        eventually(lambda: server.get_json("/health")["active_connections"] == 1, 30)
        self.assertEqual(self.call(server, "/").body, b"there")

    def test_a_socket_whose_name_is_not_known_keeps_the_server_from_starting(self):
        os.dup2(self.listening().fileno(), FIRST)
        self.addCleanup(os.close, FIRST)
        env = {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "callers", "PATH": os.environ["PATH"]}
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([*handing_over(1), BINARY, "server", "--data", folder], pass_fds=[FIRST], env=env,
                                  capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn('called "callers": set FileDescriptorName= in its unit to one of ingress, tunnel, admin',
                      done.stderr)


if __name__ == "__main__":
    unittest.main()
