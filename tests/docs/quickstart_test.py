"""The commands of docs/quickstart.md, run in their order as somebody would type them, with what they print.

Two machines are two directories on a loopback address of their own; VM, 127.0.0.1 and the ports become that
address and free ports. A test has no root and no systemd, so these have stand-ins: sudo runs the command,
apt looks whether the package is there, `rockdove service install server` starts the server with the
configuration that the package brings, and systemctl starts what the unit says. All else is the real program.

    sh vm | office | anywhere             runs in a shell of that machine
    sh MACHINE terminal                   goes on in a terminal of its own
    text                                  what the block above prints: these lines in this order, "…" is anything
    <!-- test: Ctrl-C COMMAND -->         before the next block: in the terminal in which COMMAND runs
    <!-- test: shown by COMMAND -->       the next text block is what that terminal shows
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from setting import DOCS, ROOT  # isort: skip
from markdown import Page
from processes import BINARY, eventually, fixed_port

LOOKS = re.compile(r"^(curl http|rockdove status|sudo rockdove events list)")  # may be looked at again
PATIENCE = 30

SUDO = '#!/bin/sh\nexec "$@"\n'
APT = '#!/bin/sh\n[ "$1" = install ] && [ -e "$2" ] && [ $# = 2 ]\n'
LOGINCTL = '#!/bin/sh\n[ "$*" = enable-linger ]\n'
# What the two commands of the page need of it: start a unit, and come back when it is ready.
SYSTEMCTL = """#!/bin/sh
[ "$1 $2" = "--user restart" ] || exit 0
unit=$XDG_CONFIG_HOME/systemd/user/$3
$(sed -n 's/^ExecStart=//p' "$unit") >"$HOME/service.log" 2>&1 &
echo $! >"$HOME/service.pid"
until grep -q 'connected to' "$HOME/service.log"; do sleep 0.02; done
"""
# Root's command, as the unit of the package starts the server.
SERVICE_INSTALL = """#!/bin/sh
[ "$*" = "service install server" ] || exec BINARY "$@"
BINARY server >"$HOME/service.log" 2>&1 &
echo $! >"$HOME/service.pid"
until grep -q 'listens: callers' "$HOME/service.log"; do kill -0 $! && sleep 0.02 || exit 1; done
"""


class Machine:
    def __init__(self, name, folder):
        self.name, self.home = name, folder / name
        self.bin = self.home / "bin"
        self.bin.mkdir(parents=True)
        (self.home / "rockdove_0.0.0_amd64.deb").touch()
        for program, text in (("sudo", SUDO), ("apt", APT), ("loginctl", LOGINCTL), ("systemctl", SYSTEMCTL)):
            self.program(program, text)
        self.env = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.home), "LC_ALL": "C.UTF-8",
                    "XDG_CONFIG_HOME": str(self.home / ".config")}

    def program(self, name, text):
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def service_log(self):
        path = self.home / "service.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop_service(self):
        path = self.home / "service.pid"
        if path.exists():
            pid = int(path.read_text())
            os.kill(pid, signal.SIGTERM)
            eventually(lambda: has_ended(pid), PATIENCE, f"{self.name}: the end of the service")


def has_ended(pid):
    """A process whose parent is gone: nobody here can wait for it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


class Terminal:
    """A window in which a command goes on."""

    def __init__(self, machine, text):
        self.text = text
        self.log_file = machine.home / f"terminal-{len(list(machine.home.iterdir()))}"
        with self.log_file.open("wb") as log:
            self.popen = subprocess.Popen(["bash", "-c", text], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          cwd=machine.home, env=machine.env, start_new_session=True)

    def log(self):
        return self.log_file.read_text(errors="replace")

    def ctrl_c(self):
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGINT)
        self.popen.wait(PATIENCE)


def missing_line(expected, output):
    """The first of the expected lines that does not come in its turn; None if all do. Columns may be wider."""
    lines = (" ".join(line.split()) for line in output.splitlines())
    for line in expected.splitlines():
        pattern = re.compile(".*".join(re.escape(part) for part in " ".join(line.split()).split("…")))
        if not any(pattern.fullmatch(each) for each in lines):
            return line
    return None


class Quickstart(unittest.TestCase):
    def setUp(self):
        folder = Path(tempfile.mkdtemp(prefix="rockdove-quickstart-"))
        self.addCleanup(shutil.rmtree, folder)
        self.address = "127.{}.{}.{}".format(*(1 + each % 254 for each in os.urandom(3)))
        ports = [fixed_port(self.address) for _ in range(4)]
        self.words = {"VM": self.address, "127.0.0.1": self.address,
                      **{old: str(new) for old, new in zip(("8080", "8081", "8082", "5000"), ports)}}
        self.machines = {name: Machine(name, folder) for name in ("vm", "office", "anywhere")}
        self.terminals = []
        self.set_up_vm(self.machines["vm"])
        (self.machines["office"].bin / "rockdove").symlink_to(BINARY)
        self.addCleanup(self.end_all)
        self.join = ""

    def set_up_vm(self, machine):
        """The configuration of the package, with this test's addresses and directory."""
        machine.program("rockdove", SERVICE_INSTALL.replace("BINARY", BINARY))
        config = machine.home / "server.toml"
        listens = {"ingress": "8080", "tunnel": "8081", "admin": "8082"}
        keys = [f'{name} = "{self.address}:{self.words[port]}"' for name, port in listens.items()]
        text = (ROOT / "deploy" / "server.toml").read_text().replace("/var/lib/rockdove", f"{machine.home}/data")
        config.write_text(text.replace("[server]", "\n".join(["[server]", *keys]), 1))
        machine.env["ROCKDOVE_CONFIG"] = str(config)

    def end_all(self):
        for terminal in self.terminals:
            if terminal.popen.poll() is None:
                os.killpg(terminal.popen.pid, signal.SIGKILL)
                terminal.popen.wait()
        for machine in self.machines.values():
            machine.stop_service()

    def here(self, text):
        """The text of a block with this test's addresses and ports."""
        pattern = r"\b(" + "|".join(re.escape(word) for word in self.words) + r")\b"
        return re.sub(pattern, lambda found: self.words[found[1]], text)

    def fail_with_logs(self, what):
        logs = [f"--- {each.text}\n{each.log()}" for each in self.terminals]
        logs += [f"--- service of {name}\n{each.service_log()}" for name, each in self.machines.items()]
        self.fail("\n".join([what, *logs]))

    def run_block(self, block, machine):
        text = self.here(block.text)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], input=self.join, capture_output=True, text=True,
                              timeout=PATIENCE, cwd=machine.home, env=machine.env)
        if done.returncode != 0:
            self.fail_with_logs(f"line {block.line}: ended with {done.returncode}: {text}{done.stdout}{done.stderr}")
        if joins := re.findall(r"^rockdove1\.\S+$", done.stdout, re.MULTILINE):
            self.join = joins[-1] + "\n"
        if machine.name == "office" and "join -" in block.text:
            self.name_the_upstream(machine)
        return f"{done.stdout}\n{done.stderr}"

    def name_the_upstream(self, machine):
        """The local service's default port is taken from the configuration here."""
        path = machine.home / ".config" / "rockdove" / "agent.toml"
        text = path.read_text()
        self.assertIn('url = "http://127.0.0.1:5000"', text)
        path.write_text(self.here(text) + '[egress]\nlisten = ""\n')

    def expect(self, block, output):
        """Waits until output() shows what the page promises."""
        expected = self.here(block.text)
        try:
            eventually(lambda: missing_line(expected, output()) is None, PATIENCE)
        except AssertionError:
            shown = output()
            self.fail_with_logs(f"line {block.line}: no line {missing_line(expected, shown)!r} in its turn; "
                                f"there is:\n{shown}")

    def terminal(self, command):
        running = [each for each in self.terminals if each.text.startswith(command)]
        self.assertTrue(running, f"no terminal runs {command}")
        return running[-1]

    def start(self, block):
        """Runs a block of commands; returns a function that gives what it prints."""
        language, name, *rest = block.words
        self.assertEqual((language, rest in ([], ["terminal"])), ("sh", True), f"line {block.line}: whose is it?")
        machine = self.machines[name]
        if rest:
            self.terminals.append(Terminal(machine, self.here(block.text)))
            return self.terminals[-1].log
        first = self.run_block(block, machine)
        if all(LOOKS.match(line) for line in block.text.splitlines()):
            return lambda: self.run_block(block, machine)
        return lambda: first

    def test_its_commands_bring_a_webhook_home_and_print_what_it_says(self):
        page, output = Page(DOCS / "quickstart.md"), None
        for block in page.blocks:
            for directive in block.directives:
                verb, _, command = directive.partition(" ")
                if verb == "Ctrl-C":
                    self.terminal(command).ctrl_c()
                else:
                    output = self.terminal(directive.removeprefix("shown by ")).log
            if block.language == "text":
                self.expect(block, output)
            else:
                output = self.start(block)
        seen = re.findall(r"^/feishu/webhook (.*)$", self.terminal("python3").log(), re.MULTILINE)
        self.assertEqual([json.loads(each)["text"] for each in seen], ["hello", "is anybody there?", "still there"])


if __name__ == "__main__":
    unittest.main()
