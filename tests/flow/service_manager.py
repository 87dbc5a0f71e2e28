"""A service manager for tests: what a process says to $NOTIFY_SOCKET (sd_notify(3))."""

import socket
import time

from support import eventually

WATCHDOG = 0.2  # seconds between two signs of life, at most


class Manager:
    """A service manager's end. Its environment is for a process that it starts."""

    def __init__(self, test):
        self.name = f"@rockdove-test-{id(self)}-{time.monotonic_ns()}"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        test.addCleanup(self.socket.close)
        self.socket.bind("\0" + self.name[1:])
        self.socket.setblocking(False)
        self.heard = []  # (time, {key: value})
        self.environment = {"NOTIFY_SOCKET": self.name, "WATCHDOG_USEC": str(int(WATCHDOG * 1e6))}

    def states(self):
        """Everything so far but signs of life, in order: READY, RELOADING, STOPPING."""
        self.listen()
        return [key for _, message in self.heard for key in message if key in ("READY", "RELOADING", "STOPPING")]

    def beats(self):
        self.listen()
        return [at for at, message in self.heard if message.get("WATCHDOG") == "1"]

    def last(self, key):
        self.listen()
        return next(message for _, message in reversed(self.heard) if key in message)

    def listen(self):
        while True:
            try:
                text = self.socket.recv(4096).decode()
            except BlockingIOError:
                return
            message = dict(line.split("=", 1) for line in text.splitlines())
            self.heard.append((time.monotonic(), message))

    def wait_for(self, states):
        eventually(lambda: self.states() == states, timeout=30, what=f"{states}, not {self.states()}")
