"""deploy/docker: the files name what is there. No engine is needed, and none is tested."""

import fnmatch
import re
import shlex
import unittest
from pathlib import Path

try:
    import yaml
except ImportError:
    yaml = None

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "deploy" / "docker"


def instructions(text):
    """(instruction, the rest of its line and of those that continue it)"""
    plain = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    return re.findall(r"^([A-Z]+) (.*)$", plain.replace("\\\n", " "), flags=re.MULTILINE)


def is_ignored(path):
    """Whether .dockerignore keeps a path of the repository out, as a whole or with a directory above it."""
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    parts = Path(path).parts
    prefixes = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return any(fnmatch.fnmatch(prefix, pattern) or fnmatch.fnmatch(f"/{prefix}", pattern.replace("**/", "*/"))
               for prefix in prefixes for pattern in patterns)


class Dockerfile(unittest.TestCase):
    def setUp(self):
        self.lines = instructions((DOCKER / "Dockerfile").read_text())

    def of(self, name):
        return [rest for instruction, rest in self.lines if instruction == name]

    def test_what_is_copied_is_there_and_not_ignored(self):
        copied = [source for rest in self.of("COPY") for source in shlex.split(rest)[:-1]]
        self.assertIn("dev", copied)
        for source in copied:
            self.assertTrue((ROOT / source).exists(), source)
            self.assertFalse(is_ignored(source), source)

    def test_what_the_package_is_built_of_reaches_the_build(self):
        for source in ("CMakeLists.txt", "CMakePresets.json", "src/main.cpp", "apps/feishu-bot/main.cpp", "README.md",
                       "tools/command_help.py", "deploy/package.cmake", "deploy/debian/postinst", "docs/install.md",
                       "config/server.toml", "bench/CMakeLists.txt", "tests/CMakeLists.txt", "CHANGELOG.md"):
            self.assertTrue((ROOT / source).exists(), source)
            self.assertFalse(is_ignored(source), source)
        for kept_out in ("build/release/rockdove", ".git/config", "tests/oracles/node_modules/a/b", "deploy/x.key"):
            self.assertTrue(is_ignored(kept_out), kept_out)

    def test_it_runs_what_the_package_installs_as_the_package_s_user(self):
        self.assertEqual(self.of("ENTRYPOINT"), ['["/usr/bin/rockdove"]'])
        self.assertEqual(self.of("USER"), ["rockdove"])
        postinst = (ROOT / "deploy" / "debian" / "postinst").read_text()
        self.assertIn("adduser --system --group --quiet --home /var/lib/rockdove --no-create-home rockdove", postinst)
        self.assertEqual(self.of("VOLUME"), ["/var/lib/rockdove"])
        self.assertIn('data = "/var/lib/rockdove"', (ROOT / "deploy" / "server.toml").read_text())
        self.assertEqual([rest.split()[0] for rest in self.of("FROM")], ["debian:12", "debian:12-slim"])


@unittest.skipUnless(yaml, "python3-yaml is not here")
class Compose(unittest.TestCase):
    KEYS = {"image", "build", "restart", "stop_grace_period", "read_only", "tmpfs", "cap_drop", "security_opt",
            "logging", "profiles", "command", "ports", "ulimits", "volumes", "environment", "network_mode",
            "depends_on", "entrypoint", "healthcheck"}

    def setUp(self):
        self.text = (DOCKER / "compose.yaml").read_text()
        self.file = yaml.safe_load(self.text)
        self.services = self.file["services"]

    def test_it_has_the_keys_that_compose_knows(self):
        self.assertEqual(set(self.file), {"name", "x-rockdove", "services", "volumes"})
        self.assertEqual(set(self.services), {"server", "agent", "bot"})
        for name, service in self.services.items():
            self.assertLessEqual(set(service), self.KEYS, name)
            self.assertEqual((DOCKER / service["build"]["context"]).resolve(), ROOT)
            self.assertTrue((ROOT / service["build"]["dockerfile"]).exists())
            for volume in service.get("volumes", []):
                self.assertIn(volume.split(":")[0], self.file["volumes"])

    def test_roles_and_ports_are_the_program_s(self):
        self.assertEqual(self.services["server"]["command"], ["server"])
        self.assertEqual(self.services["server"]["ports"], ["8080:8080", "8081:8081"])
        self.assertEqual(self.services["agent"]["command"], ["agent"])
        self.assertEqual(self.services["bot"]["network_mode"], "service:agent")

    def test_with_all_comments_taken_out_it_is_still_right(self):
        self.assertTrue(yaml.safe_load(re.sub(r"^( *)#(?=[a-z]|- )", r"\1", self.text, flags=re.MULTILINE)))


if __name__ == "__main__":
    unittest.main()
