"""The .deb in a fresh system: installed, run, upgraded, removed and purged. `./dev package --test` runs it, as root.

ROCKDOVE_PACKAGE names the .deb; ROCKDOVE_PACKAGE_BASE, if set, a fresh system to copy instead of making one.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "flow"))

from fresh_system import System, bootstrap, dependencies  # noqa: E402
from scene import SceneTest, answer, request  # noqa: E402
from service_manager import Manager  # noqa: E402
from support import Caller  # noqa: E402

PACKAGE = os.environ.get("ROCKDOVE_PACKAGE", "")
BASE = None
UNITS = ("rockdove-server.service", "rockdove-agent.service")
SOCKETS = tuple(f"rockdove-server-{name}.socket" for name in ("ingress", "tunnel", "admin"))


def setUpModule():  # pylint: disable=invalid-name
    global BASE  # pylint: disable=global-statement
    BASE = os.environ.get("ROCKDOVE_PACKAGE_BASE")
    if not BASE:
        BASE = tempfile.mkdtemp(prefix="rockdove-base-")
        unittest.addModuleCleanup(shutil.rmtree, BASE)
        bootstrap(BASE, dependencies(PACKAGE))


def changed_package(folder, version, line):
    """The package as a later version of it would be, with one more line in its server.toml."""
    content, package = Path(folder) / "content", Path(folder) / "later.deb"
    subprocess.run(["dpkg-deb", "--raw-extract", PACKAGE, str(content)], check=True)
    control, config = content / "DEBIAN" / "control", content / "etc" / "rockdove" / "server.toml"
    control.write_text(re.sub(r"^Version: .*$", f"Version: {version}", control.read_text(), flags=re.MULTILINE))
    config.write_text(config.read_text() + line)
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", str(content), str(package)], check=True,
                   capture_output=True)
    return package


class PackageTest(SceneTest):
    def setUp(self):
        super().setUp()
        self.system = System(BASE)
        self.addCleanup(self.system.close)
        self.config = self.system.root / "etc" / "rockdove" / "server.toml"
        self.data = self.system.root / "var" / "lib" / "rockdove"

    def install(self, package=PACKAGE):
        shutil.copy(package, self.system.root / "root" / "rockdove.deb")
        return self.system.run("dpkg", "--install", "--force-confold", "/root/rockdove.deb")

    def owner(self, path):
        return self.system.run("stat", "--format=%U:%G %a", path).stdout.strip()

    def start_server(self):
        """As the unit starts it, on ports that nobody has."""
        text = self.config.read_text()
        listens = "".join(f'{name} = "127.0.0.1:0"\n' for name in ("ingress", "tunnel", "admin"))
        self.config.write_text(text.replace("[server]\n", f"[server]\n{listens}", 1))
        manager = Manager(self)
        process = self.system.start("/usr/bin/rockdove", "server", "--config", "/etc/rockdove/server.toml",
                                    user="rockdove", env=manager.environment)
        try:
            manager.wait_for(["READY"])
        except AssertionError as error:
            raise AssertionError(f"{error}; the server's log: {self.system.log()}") from error
        ports = re.search(r"callers \S+:(\d+), agents \S+:(\d+)", manager.last("READY")["STATUS"])
        return process, int(ports[1]), int(ports[2])


class Install(PackageTest):
    def test_everything_has_its_place_and_owner_and_nothing_is_started(self):
        self.system.pretend_systemd()
        self.install()
        self.assertRegex(self.system.run("rockdove", "version").stdout, r"^rockdove \d")
        self.assertRegex(self.system.run("rockdove-feishu-bot", "--version").stdout, r"^rockdove-feishu-bot \d")
        self.assertEqual(self.owner("/var/lib/rockdove"), "rockdove:rockdove 700")
        self.assertEqual(self.owner("/etc/rockdove/server.toml"), "root:root 644")
        self.assertIn("nologin", self.system.run("getent", "passwd", "rockdove").stdout)
        self.assertEqual(self.system.said(), ["systemctl --system daemon-reload"])
        self.assertEqual(list(self.system.root.glob("etc/systemd/system/*/rockdove*")), [])
        listed = self.system.run("dpkg", "--listfiles", "rockdove").stdout.splitlines()
        for path in ("/usr/lib/systemd/user/rockdove-agent.service", "/usr/share/man/man1/rockdove.1.gz",
                     "/usr/share/bash-completion/completions/rockdove", "/usr/share/doc/rockdove/copyright",
                     *(f"/usr/lib/systemd/system/{unit}" for unit in (*UNITS, *SOCKETS))):
            self.assertIn(path, listed)
        for path in listed:
            found = self.system.root / path.lstrip("/")
            self.assertEqual((found.stat().st_uid, found.stat().st_mode & 0o022), (0, 0), path)

    def test_the_shipped_configuration_is_right(self):
        self.install()
        self.system.run("rockdove", "config", "check")

    def test_service_install_uses_the_units_of_the_package(self):
        self.install()
        self.system.pretend_systemd()
        self.system.run("rockdove", "service", "install", "server")
        self.assertEqual(self.system.said(), ["systemctl daemon-reload", f"systemctl enable {UNITS[0]}",
                                              f"systemctl restart {UNITS[0]}"])
        self.assertFalse((self.system.root / "etc" / "systemd" / "system" / UNITS[0]).exists())
        refused = self.system.run("rockdove", "service", "install", "agent", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("first: rockdove join --config /etc/rockdove/agent.toml -", refused.stderr)

    def test_a_program_elsewhere_brings_the_units_along(self):
        self.install()
        self.system.pretend_systemd()
        self.system.run("mv", "/usr/bin/rockdove", "/usr/local/bin/rockdove")
        self.system.run("rm", "-r", "/etc/rockdove")
        self.system.run("rockdove", "service", "install", "server")
        unit = (self.system.root / "etc" / "systemd" / "system" / UNITS[0]).read_text()
        shipped = (ROOT / "deploy" / "systemd" / UNITS[0]).read_text()
        self.assertEqual(unit, shipped.replace("ExecStart=/usr/bin/", "ExecStart=/usr/local/bin/"))
        self.assertEqual(self.config.read_text(), (ROOT / "deploy" / "server.toml").read_text())
        self.system.run("rockdove", "service", "remove", "server")
        self.assertFalse((self.system.root / "etc" / "systemd" / "system" / UNITS[0]).exists())
        self.assertTrue(self.config.exists())


class Run(PackageTest):
    def test_server_and_agent_serve_as_their_user_with_what_root_has_set_up(self):
        self.install()
        upstream = self.upstream(answer(b"from home"))
        server, ingress, tunnel = self.start_server()
        token = self.system.run("rockdove", "token", "create", "bot", "--address", f"127.0.0.1:{tunnel}").stdout
        self.system.run("rockdove", "join", "--config", "/etc/rockdove/agent.toml", "-", stdin=token)
        self.assertEqual(self.owner("/etc/rockdove/agent.toml"), "root:root 600")
        for path in self.data.iterdir():
            self.assertEqual(path.stat().st_uid, self.data.stat().st_uid, path)
        # systemd hands the agent a copy of its configuration (LoadCredential=).
        self.system.run("install", "-m", "0400", "-o", "rockdove", "/etc/rockdove/agent.toml", "/run/agent.toml")
        manager = Manager(self)
        agent = self.system.start("/usr/bin/rockdove", "agent", "--config", "/run/agent.toml", "--upstream",
                                  upstream.url, user="rockdove", env=manager.environment)
        manager.wait_for(["READY"])
        caller = Caller(ingress)
        self.addCleanup(caller.close)
        self.assertEqual(caller.exchange(request("/")).body, b"from home")
        self.assertEqual(self.system.stop(agent), 0, self.system.log())
        self.assertEqual(self.system.stop(server), 0, self.system.log())


class Upgrade(PackageTest):
    def test_what_the_administrator_changed_and_what_was_stored_stay(self):
        self.install()
        server, _, tunnel = self.start_server()
        self.system.run("rockdove", "token", "create", "bot", "--address", f"127.0.0.1:{tunnel}")
        before = self.config.read_text()
        self.assertEqual(self.system.stop(server), 0, self.system.log())
        self.system.pretend_systemd()
        with tempfile.TemporaryDirectory() as folder:
            self.install(changed_package(folder, "99.0", "# later\n"))
        self.assertEqual(self.system.run("dpkg-query", "-W", "-f", "${Version}", "rockdove").stdout, "99.0")
        self.assertEqual(self.config.read_text(), before)
        self.assertIn("bot", self.system.run("rockdove", "token", "list").stdout)
        self.assertEqual(self.system.said()[-1], f"deb-systemd-invoke try-restart {' '.join(UNITS)}")

    def test_a_configuration_that_nobody_changed_follows(self):
        self.install()
        with tempfile.TemporaryDirectory() as folder:
            self.install(changed_package(folder, "99.0", "# later\n"))
        self.assertTrue(self.config.read_text().endswith("# later\n"))


class Removal(PackageTest):
    def test_removing_stops_the_services_and_keeps_data_and_configuration(self):
        self.install()
        server, _, _ = self.start_server()
        self.assertEqual(self.system.stop(server), 0, self.system.log())
        self.system.pretend_systemd()
        self.system.run("dpkg", "--remove", "rockdove")
        self.assertIn(f"deb-systemd-invoke stop {' '.join((*SOCKETS, *UNITS))}", self.system.said())
        self.assertFalse((self.system.root / "usr" / "bin" / "rockdove").exists())
        self.assertTrue(self.config.exists())
        self.assertTrue((self.data / "admin-token").exists())

    def test_purging_leaves_nothing(self):
        before = self.system.files()
        self.install()
        server, _, tunnel = self.start_server()
        token = self.system.run("rockdove", "token", "create", "bot", "--address", f"127.0.0.1:{tunnel}").stdout
        self.system.run("rockdove", "join", "--config", "/etc/rockdove/agent.toml", "-", stdin=token)
        self.assertEqual(self.system.stop(server), 0, self.system.log())
        (self.system.root / "root" / "rockdove.deb").unlink()
        self.system.run("dpkg", "--purge", "rockdove")
        self.assertEqual(self.system.files() ^ before, set())
        self.assertNotEqual(self.system.run("getent", "passwd", "rockdove", check=False).returncode, 0)


class Words(unittest.TestCase):
    """Man pages and completions, as they are in the package."""

    @classmethod
    def setUpClass(cls):
        cls.content = Path(tempfile.mkdtemp(prefix="rockdove-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.content)
        subprocess.run(["dpkg-deb", "--extract", PACKAGE, str(cls.content)], check=True)

    def complete(self, line):
        script = (f". {self.content}/usr/share/bash-completion/completions/rockdove; COMP_WORDS=({line}); "
                  "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _rockdove /usr/bin/rockdove; "
                  "printf '%s\\n' \"${COMPREPLY[@]}\"")
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=30, check=True)
        return done.stdout.split()

    def test_bash_completes_commands_and_options(self):
        self.assertEqual(self.complete("rockdove ev"), ["events"])
        self.assertEqual(self.complete("rockdove events re"), ["replay", "resume"])
        self.assertEqual(self.complete("rockdove events replay --si"), ["--since"])
        self.assertEqual(self.complete("rockdove service install a"), ["agent"])

    def test_the_shells_that_are_here_can_read_their_files(self):
        for shell, place in (("bash", "bash-completion/completions"), ("zsh", "zsh/vendor-completions"),
                             ("fish", "fish/vendor_completions.d")):
            if shutil.which(shell):
                for file in (self.content / "usr" / "share" / place).iterdir():
                    done = subprocess.run([shell, "-n", str(file)], capture_output=True, text=True, timeout=30)
                    self.assertEqual((done.returncode, done.stderr), (0, ""), file)

    def test_man_pages_name_every_command_and_format_without_a_warning(self):
        for page in (self.content / "usr" / "share" / "man" / "man1").iterdir():
            done = subprocess.run(["man", "--warnings", "--local-file", str(page)], capture_output=True, text=True,
                                  timeout=30, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MANWIDTH": "100"})
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)
            if page.name == "rockdove.1.gz":
                for words in ("rockdove service install", "rockdove events replay", "--upstream URL"):
                    self.assertIn(words, done.stdout)


if __name__ == "__main__":
    unittest.main()
