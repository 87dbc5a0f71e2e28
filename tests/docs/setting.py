"""Where the tests of the docs stand. Imported first: it lets them find the tools of the flow tests."""

import socket
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "tests" / "flow"))


def free_port(address="127.0.0.1"):
    """A port that nobody has just now."""
    with socket.socket() as sock:
        sock.bind((address, 0))
        return sock.getsockname()[1]
