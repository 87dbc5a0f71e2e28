"""An upstream as a process of its own, so that it can be killed; always on the same port."""

import os
import subprocess
import sys

from support import Upstream, fixed_port


class UpstreamProcess:
    """Runs `script upstream PORT ARGUMENTS`, which calls serve()."""

    def __init__(self, script, *arguments):
        self.command = [sys.executable, "-B", script, "upstream"]
        self.arguments, self.port, self.popen = [str(each) for each in arguments], fixed_port(), None
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.popen = subprocess.Popen([*self.command, str(self.port), *self.arguments],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.popen.stdout.readline()

    def kill9(self):
        self.popen.kill()
        self.popen.wait()
        self.popen.stdin.close()
        self.popen.stdout.close()


def serve(handler, port):
    """Until standard input ends: whoever started this process has gone then."""
    upstream = Upstream(handler, port)
    print(upstream.url, flush=True)
    sys.stdin.read()
    os._exit(0)
