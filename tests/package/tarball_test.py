"""The tarball: what its programs need, and whether they serve in systems that are older than the one they were made in.
`./dev package --tarball --test` runs it, as root.

ROCKDOVE_TARBALL names the tarball; ROCKDOVE_OLD_BASE, if set, an old system to copy instead of making one.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "flow"))

from fresh_system import System, bootstrap, distribution  # noqa: E402
from scene import Authority, SceneTest, answer, request  # noqa: E402
from service_manager import Manager  # noqa: E402
from support import Caller, eventually  # noqa: E402

TARBALL = os.environ.get("ROCKDOVE_TARBALL", "")
GLIBC_MAX = (2, 28)  # CentOS 8, Debian 10
GLIBC = re.compile(r"lib(c\.so\.6|m\.so\.6|pthread\.so\.0|dl\.so\.2|rt\.so\.1)|ld-linux[\w-]*\.so\.\d")
# The oldest release of a mirror that has this machine's: glibc 2.31 both.
OLDEST = {"bookworm": "bullseye", "noble": "focal"}
PROGRAMS = ("rockdove", "rockdove-feishu-bot")
CONTENT, OLD = None, None

# glibc before 2.30 has no pthread_cond_clockwait: the program finds none, and says so here.
HIDES_CLOCKWAIT = """
void* dlvsym(void*, const char*, const char*);
int strcmp(const char*, const char*);
long write(int, const void*, unsigned long);
void* dlsym(void* handle, const char* name) {
  if (strcmp(name, "pthread_cond_clockwait") != 0) return dlvsym(handle, name, "GLIBC_2.2.5");
  write(2, "no clockwait here\\n", 18);
  return 0;
}
"""


def setUpModule():  # pylint: disable=invalid-name
    global CONTENT, OLD  # pylint: disable=global-statement
    folder = tempfile.mkdtemp(prefix="rockdove-tarball-")
    unittest.addModuleCleanup(shutil.rmtree, folder)
    subprocess.run(["tar", "--extract", "--file", TARBALL, "--directory", folder], check=True)
    CONTENT = next(Path(folder).iterdir())
    OLD = os.environ.get("ROCKDOVE_OLD_BASE")
    if not OLD:
        OLD = tempfile.mkdtemp(prefix="rockdove-old-")
        unittest.addModuleCleanup(shutil.rmtree, OLD)
        bootstrap(OLD, release=OLDEST[distribution()[0]])


def lines_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


class Content(unittest.TestCase):
    def test_one_directory_holds_all_of_it_root_s_and_for_everybody_to_read(self):
        with tarfile.open(TARBALL) as tar:
            members = tar.getmembers()
        top = CONTENT.name
        self.assertRegex(top, r"^rockdove_[\d.]+_linux_\w+$")
        self.assertEqual(Path(TARBALL).name, f"{top}.tar.gz")
        for member in members:
            self.assertEqual(member.name.split("/")[0], top)
            self.assertEqual((member.uid, member.gid), (0, 0), member.name)
            if not member.issym():
                wanted = 0o555 if member.isdir() or "/bin/" in member.name or member.name.endswith(".sh") else 0o444
                self.assertEqual(member.mode & 0o555, wanted, member.name)
                self.assertFalse(member.mode & 0o022, member.name)
        names = {member.name.partition("/")[2] for member in members}
        for name in ("LICENSE", "README.md", "README.zh-CN.md", "docs/install.md", "docs/install.zh-CN.md",
                     "bin/rockdove", "bin/rockdove-feishu-bot", "examples/agent.toml", "examples/server.toml",
                     "share/man/man1/rockdove.1.gz", "share/bash-completion/completions/rockdove",
                     "share/zsh/site-functions/_rockdove", "share/fish/vendor_completions.d/rockdove.fish",
                     "systemd/rockdove-agent.service", "systemd/user/rockdove-agent.service",
                     "scripts/rockdove-agent.sh", "scripts/rockdove-server.sh", "scripts/rockdove-agent.bat",
                     "licenses/libssl", "licenses/libnghttp2", "licenses/libjemalloc"):
            self.assertIn(name, names)

    def test_the_programs_need_glibc_2_28_and_nothing_else(self):
        for program in PROGRAMS:
            path = str(CONTENT / "bin" / program)
            needed = [line for line in lines_of("readelf", "--dynamic", path) if "(NEEDED)" in line]
            self.assertTrue(needed)
            for line in needed:
                self.assertRegex(line, GLIBC)
            self.assertNotRegex("\n".join(lines_of("readelf", "--dynamic", path)), "RPATH|RUNPATH|TEXTREL")
            versions = re.findall(r"Name: (\w+?)_([\d.]+)", "\n".join(lines_of("readelf", "--version-info", path)))
            self.assertGreater(len(versions), 5)
            for family, version in versions:
                self.assertEqual(family, "GLIBC")
                self.assertLessEqual(tuple(map(int, version.split("."))), GLIBC_MAX, f"{program}: GLIBC_{version}")


class Scrape(unittest.TestCase):
    def test_its_metrics_are_the_package_s(self):
        """They are written by code of the tarball's own: deploy/portable/prometheus.cpp."""
        done = subprocess.run([sys.executable, "-B", "-m", "unittest", "metrics_test"], cwd=ROOT / "tests" / "flow",
                              env={**os.environ, "ROCKDOVE_BINARY": str(CONTENT / "bin" / "rockdove")},
                              capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)


class Serve(SceneTest):
    """Server and agent in a system with nothing but its essential packages."""

    def setUp(self):
        super().setUp()
        self.system = System(OLD)
        self.addCleanup(self.system.close)
        shutil.copytree(CONTENT, self.system.root / "opt" / "rockdove", symlinks=True)
        self.home = self.system.root / "home" / "dove"
        self.system.run("useradd", "--create-home", "dove")
        (self.system.root / "etc" / "hosts").write_text("127.0.0.1 localhost\n")

    def rockdove(self, *arguments, stdin=""):
        return self.system.run("env", "HOME=/home/dove", "/opt/rockdove/bin/rockdove", *arguments, user="dove",
                               stdin=stdin).stdout

    def start(self, *arguments, preload=None):
        manager = Manager(self)
        program = ["/usr/bin/env", *([f"LD_PRELOAD={preload}"] if preload else []), "/opt/rockdove/bin/rockdove"]
        process = self.system.start(*program, *arguments, user="dove",
                                    env={"HOME": "/home/dove", **manager.environment})
        try:
            manager.wait_for(["READY"])
        except AssertionError as error:
            raise AssertionError(f"{error}; the log: {self.system.log()}") from error
        return process, manager.last("READY")["STATUS"]

    def start_server(self, toml="", preload=None):
        """(process, ingress port, tunnel port)"""
        listens = "".join(f'{name} = "127.0.0.1:0"\n' for name in ("ingress", "tunnel", "admin"))
        (self.home / "server.toml").write_text(f'[server]\n{listens}data = "/home/dove/data"\n{toml}')
        process, status = self.start("server", "--config", "/home/dove/server.toml", preload=preload)
        ports = re.search(r"callers \S+:(\d+), agents \S+:(\d+)", status)
        return process, int(ports[1]), int(ports[2])

    def join(self, tunnel):
        token = self.rockdove("token", "create", "bot", "--config", "/home/dove/server.toml", "--address",
                              f"localhost:{tunnel}")  # a name: looked up by the system's own glibc
        self.rockdove("join", "-", stdin=token)

    def call(self, ingress, target="/", **options):
        caller = Caller(ingress)
        self.addCleanup(caller.close)
        return caller.exchange(request(target, **options))

    def assert_serves(self, preload=None):
        upstream = self.upstream(answer(b"from home"))
        server, ingress, tunnel = self.start_server(preload=preload)
        self.join(tunnel)
        agent, _ = self.start("agent", "--upstream", upstream.url)
        self.assertEqual(self.call(ingress).body, b"from home")
        stored = self.call(ingress, "/feishu/webhook", method="POST", body=b'{"header":{"event_id":"e1"}}')
        self.assertEqual(stored.body, b"from home")
        self.assertEqual(self.system.stop(agent), 0, self.system.log())
        late = self.call(ingress, "/feishu/webhook", method="POST", body=b'{"header":{"event_id":"e2"}}')
        self.assertEqual(late.body, b"{}")
        agent, _ = self.start("agent", "--upstream", upstream.url)
        eventually(lambda: len(upstream.requests) == 3, 30, "the event is delivered")
        self.assertEqual(self.system.stop(agent), 0, self.system.log())
        self.assertEqual(self.system.stop(server), 0, self.system.log())

    def test_requests_and_events_reach_their_upstream(self):
        self.assert_serves()

    def test_so_they_do_without_what_glibc_2_30_brought(self):
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "hide.c"
            source.write_text(HIDES_CLOCKWAIT)
            subprocess.run(["cc", "-shared", "-fPIC", "-nostdlib", "-fno-builtin", "-w", "-o",
                            str(self.system.root / "opt" / "hide.so"), str(source),
                            str(ROOT / "build" / "release" / "old-glibc" / "libdl.so.2"),
                            str(ROOT / "build" / "release" / "old-glibc" / "libc.so.6")], check=True)
        self.assert_serves(preload="/opt/hide.so")
        self.assertIn("no clockwait here", self.system.log())

    def test_authorities_are_found_where_red_hat_has_them(self):
        for place in ("usr/lib/ssl", "etc/ssl"):
            shutil.rmtree(self.system.root / place, ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            authority = Authority(Path(folder))
            for file in authority.issue("server", "DNS:localhost"):
                shutil.copy(file, self.home / file.name)
                (self.home / file.name).chmod(0o644)
            bundle = self.system.root / "etc" / "pki" / "tls" / "certs" / "ca-bundle.crt"
            bundle.parent.mkdir(parents=True)
            shutil.copy(authority.file, bundle)
        _, ingress, tunnel = self.start_server('[tunnel_tls]\nmode = "certificate"\n'
                                               'certificate = "/home/dove/server.crt"\nkey = "/home/dove/server.key"\n')
        self.join(tunnel)
        self.assertIn('tls = "ca"', (self.home / ".config" / "rockdove" / "agent.toml").read_text())
        self.start("agent", "--upstream", self.upstream(answer(b"from home")).url)
        self.assertEqual(self.call(ingress).body, b"from home")

    def test_the_script_runs_an_agent_in_the_background(self):
        _, _, tunnel = self.start_server()
        self.join(tunnel)
        script = "/opt/rockdove/scripts/rockdove-agent.sh"
        said = self.system.run("env", "HOME=/home/dove", "sh", "-ec", f"{script} start; {script} status; {script} stop",
                               user="dove").stdout
        self.assertRegex(said, r"^agent: started, as process \d+ \d+; .*\nagent: running, .*\nagent: stopped\n$")

    def test_the_bot_starts(self):
        said = self.system.run("/opt/rockdove/bin/rockdove-feishu-bot", "--version").stdout
        self.assertRegex(said, r"^rockdove-feishu-bot \d")


if __name__ == "__main__":
    unittest.main()
