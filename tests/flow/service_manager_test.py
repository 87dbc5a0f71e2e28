"""What a service manager hears of the program: sd_notify(3), over a socket of the test's own."""

import signal
import time
import unittest

from scene import SceneTest, answer
from service_manager import WATCHDOG, Manager
from support import eventually, is_sanitized


class ServerUnderAManager(SceneTest):
    def test_it_is_ready_when_it_listens_and_says_when_it_stops(self):
        manager = Manager(self)
        server = self.server(env=manager.environment)
        manager.wait_for(["READY"])
        self.assertIn(f"127.0.0.1:{server.ingress_port}", manager.last("READY")["STATUS"])
        server.stop()
        manager.wait_for(["READY", "STOPPING"])

    def test_it_gives_signs_of_life_also_while_it_stops(self):
        manager = Manager(self)
        server = self.server(env=manager.environment, keys='drain = "20s"')
        gate = self.gate(b"slow")
        self.agent(server, self.upstream(gate))
        slow = self.call_beside(server, "/")
        gate.wait_inside()
        eventually(lambda: len(manager.beats()) >= 4)
        server.signal(signal.SIGTERM)
        manager.wait_for(["READY", "STOPPING"])
        before = len(manager.beats())
        eventually(lambda: len(manager.beats()) >= before + 4)
        gate.open()
        self.assertEqual(slow.result().body, b"slow")
        beats = manager.beats()
        if not is_sanitized():
            self.assertLess((beats[-1] - beats[0]) / (len(beats) - 1), WATCHDOG)

    def test_a_process_that_hangs_gives_none(self):
        manager = Manager(self)
        server = self.server(env=manager.environment)
        eventually(lambda: len(manager.beats()) >= 2)
        server.signal(signal.SIGSTOP)
        self.addCleanup(server.signal, signal.SIGCONT)
        eventually(lambda: server_state(server) == "T")
        manager.listen()
        before, until = len(manager.beats()), time.monotonic() + 3 * WATCHDOG
        eventually(lambda: time.monotonic() > until)
        self.assertEqual(len(manager.beats()), before)

    def test_reading_the_configuration_again_is_framed(self):
        manager = Manager(self)
        server = self.server(env=manager.environment)
        manager.wait_for(["READY"])
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        server.signal(signal.SIGHUP)
        manager.wait_for(["READY", "RELOADING", "READY"])
        self.assertGreaterEqual(int(manager.last("RELOADING")["MONOTONIC_USEC"]), before)
        server.config.write_text("[server]\nnonsense = 1\n")
        server.signal(signal.SIGHUP)
        manager.wait_for(["READY", "RELOADING", "READY", "RELOADING", "READY"])
        self.assertTrue(server.is_running())

    def test_a_watchdog_for_another_process_is_not_fed(self):
        manager = Manager(self)
        self.server(env={**manager.environment, "WATCHDOG_PID": "1"})
        manager.wait_for(["READY"])
        until = time.monotonic() + 2 * WATCHDOG
        eventually(lambda: time.monotonic() > until)
        self.assertEqual(manager.beats(), [])

    def test_a_manager_that_is_gone_is_no_reason_to_fail(self):
        manager = Manager(self)
        manager.socket.close()
        server = self.server(env=manager.environment)
        self.agent(server, self.upstream(answer(b"there")))
        self.assertEqual(self.call(server, "/").body, b"there")


class AgentUnderAManager(SceneTest):
    def test_it_is_ready_when_a_link_stands_and_says_when_it_stops(self):
        manager = Manager(self)
        server = self.server()
        agent = self.agent(server, self.upstream(answer(b"there")), env=manager.environment)
        manager.wait_for(["READY"])
        self.assertIn("tunnel bot", manager.last("READY")["STATUS"])
        agent.signal(signal.SIGHUP)
        manager.wait_for(["READY", "RELOADING", "READY"])
        agent.stop()
        manager.wait_for(["READY", "RELOADING", "READY", "STOPPING"])

    def test_without_a_server_it_is_not_ready_but_alive(self):
        manager = Manager(self)
        server = self.server()
        join = server.token()
        server.stop()
        agent = self.agent(server, env=manager.environment, join=join, start=False)
        agent.start()
        eventually(lambda: len(manager.beats()) >= 6)
        self.assertEqual(manager.states(), [])
        server.start()
        manager.wait_for(["READY"])


def server_state(process):
    """The one letter of proc(5)."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


if __name__ == "__main__":
    unittest.main()
