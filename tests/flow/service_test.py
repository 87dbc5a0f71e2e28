"""rockdove service, with a systemctl of the test's own; the units, as systemd reads and judges them."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from scene import SceneTest
from support import BINARY

UNITS = Path(__file__).resolve().parents[2] / "deploy" / "systemd"
SYSTEMCTL = """#!/bin/sh
echo "$@" >>"$SAID"
case " $* " in *" $FAILS "*) echo "systemctl says no" >&2; exit 5 ;; esac
"""


class UserService(SceneTest):
    def setUp(self):
        super().setUp()
        self.folder = Path(tempfile.mkdtemp(prefix="rockdove-service-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.said = self.folder / "said"
        self.unit = self.folder / "config" / "systemd" / "user" / "rockdove-agent.service"
        systemctl = self.folder / "bin" / "systemctl"
        systemctl.parent.mkdir()
        systemctl.write_text(SYSTEMCTL)
        systemctl.chmod(0o755)

    def rockdove(self, *arguments, stdin="", fails="nothing", path=None):
        env = {"PATH": path or f"{self.folder}/bin:/usr/bin:/bin", "HOME": str(self.folder), "SAID": str(self.said),
               "XDG_CONFIG_HOME": str(self.folder / "config"), "FAILS": fails}
        return subprocess.run([BINARY, *arguments], input=stdin, capture_output=True, text=True, timeout=60, env=env)

    def join(self):
        server = self.server()
        joined = self.rockdove("join", "-", stdin=server.token())
        self.assertEqual(joined.returncode, 0, joined.stderr)

    def calls(self):
        return self.said.read_text().splitlines() if self.said.exists() else []

    def test_a_joined_agent_is_installed_started_and_taken_away_again(self):
        self.join()
        done = self.rockdove("service", "install", "agent", "--user")
        self.assertEqual(done.returncode, 0, done.stderr)
        expected = (UNITS / "user" / "rockdove-agent.service").read_text()
        expected = expected.replace("ExecStart=/usr/bin/rockdove", f"ExecStart={os.path.realpath(BINARY)}")
        self.assertEqual(self.unit.read_text(), expected)
        self.assertEqual(self.unit.stat().st_mode & 0o777, 0o644)
        self.assertEqual(self.calls(), ["--user daemon-reload", "--user enable rockdove-agent.service",
                                        "--user restart rockdove-agent.service"])
        for line in (f"wrote {self.unit}", "+ systemctl --user restart rockdove-agent.service",
                     "journalctl --user -u rockdove-agent"):
            self.assertIn(line, done.stderr)
        self.said.unlink()
        self.assertEqual(self.rockdove("service", "status", "agent", "--user").returncode, 0)
        self.assertEqual(self.rockdove("service", "remove", "agent", "--user").returncode, 0)
        self.assertFalse(self.unit.exists())
        self.assertEqual(self.calls(), ["--user --no-pager status rockdove-agent.service",
                                        "--user disable --now rockdove-agent.service", "--user daemon-reload"])
        self.assertTrue((self.folder / "config" / "rockdove" / "agent.toml").exists())

    def test_an_agent_that_has_not_joined_is_told_how(self):
        done = self.rockdove("service", "install", "agent", "--user")
        self.assertEqual(done.returncode, 1)
        self.assertIn("first: rockdove join -", done.stderr)
        self.assertFalse(self.unit.exists())
        self.assertEqual(self.calls(), [])

    def test_what_systemctl_refuses_is_an_error_that_names_the_step(self):
        self.join()
        done = self.rockdove("service", "install", "agent", "--user", fails="enable")
        self.assertEqual(done.returncode, 1)
        self.assertIn("systemctl says no", done.stderr)
        self.assertIn('"systemctl --user enable rockdove-agent.service" ended with code 5', done.stderr)
        self.assertEqual(self.rockdove("service", "status", "agent", "--user", fails="status").returncode, 1)

    def test_a_machine_without_systemd_gets_a_clear_error(self):
        self.join()
        done = self.rockdove("service", "install", "agent", "--user", path=str(self.folder / "nothing"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("systemctl is not there", done.stderr)

    def test_wrong_usage_is_told_apart(self):
        for arguments in (["service"], ["service", "install"], ["service", "install", "caller"]):
            self.assertEqual(self.rockdove(*arguments).returncode, 2, arguments)
        done = self.rockdove("service", "install", "server", "--user")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--user is for agents", done.stderr)

    def test_a_service_of_the_machine_needs_root(self):
        command = [BINARY, "service", "install", "agent"]
        if os.geteuid() == 0:  # the binary's folder may be closed to others: a copy is not
            shutil.copy(BINARY, self.folder / "rockdove")
            self.folder.chmod(0o755)
            command = ["setpriv", "--reuid=65534", "--clear-groups", str(self.folder / "rockdove"), *command[1:]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("needs root: use sudo, or --user", done.stderr)


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
class Units(unittest.TestCase):
    def setUp(self):
        """systemd wants to see the programs that a unit starts."""
        self.folder = Path(tempfile.mkdtemp(prefix="rockdove-units-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def copy(self, name):
        text = (UNITS / name).read_text()
        self.assertIn("ExecStart=/usr/bin/rockdove ", text)
        path = self.folder / Path(name).name
        path.write_text(text.replace("ExecStart=/usr/bin/rockdove ", f"ExecStart={os.path.realpath(BINARY)} "))
        return str(path)

    def test_systemd_has_nothing_to_say_about_them(self):
        for name, manager in (("rockdove-server.service", "--system"), ("rockdove-agent.service", "--system"),
                              ("user/rockdove-agent.service", "--user")):
            with self.subTest(name):
                env = {**os.environ, "XDG_RUNTIME_DIR": str(self.folder)}
                done = subprocess.run(["systemd-analyze", manager, "--man=no", "verify", self.copy(name)],
                                      capture_output=True, text=True, timeout=60, env=env)
                self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_sockets_are_for_the_server_and_have_the_names_that_it_knows(self):
        service = self.copy("rockdove-server.service")
        for name in ("ingress", "tunnel", "admin"):
            path = shutil.copy(UNITS / f"rockdove-server-{name}.socket", self.folder)
            done = subprocess.run(["systemd-analyze", "--man=no", "verify", path, service], capture_output=True,
                                  text=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
            self.assertIn(f"\nFileDescriptorName={name}\n", Path(path).read_text())

    def test_services_of_the_machine_can_do_little(self):
        for name in ("rockdove-server.service", "rockdove-agent.service"):
            with self.subTest(name):
                done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20",
                                       "--no-pager", str(UNITS / name)], capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 0, done.stdout[-400:] + done.stderr)


if __name__ == "__main__":
    unittest.main()
