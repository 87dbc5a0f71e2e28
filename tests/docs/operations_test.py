"""Backup and restore as docs/operations.md says them, with a running server and its agent.

The directories become this test's; `systemctl` and root's `install -o -g` have stand-ins.
"""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from setting import DOCS  # isort: skip
from markdown import Page
from scene import SceneTest, answer
from support import eventually

INSTALL = '#!/bin/sh\n[ "$1 $2 $3 $4 $5 $6" = "-m 0600 -o rockdove -g rockdove" ] || exit 1\nshift 6\n' \
          'exec /usr/bin/install -m 0600 "$@"\n'


@unittest.skipUnless(shutil.which("sqlite3"), "sqlite3 is not installed")
class Backup(SceneTest):
    def setUp(self):
        super().setUp()
        self.folder = Path(tempfile.mkdtemp(prefix="rockdove-backup-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for name, text in (("install", INSTALL), ("systemctl", "#!/bin/sh\n")):
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)
        (self.folder / "etc").mkdir()
        (self.folder / "etc" / "server.toml").touch()

    def run_block(self, word, server):
        block = next(each for each in Page(DOCS / "operations.md").blocks if each.words == ["sh", word])
        text = block.text.replace("/var/lib/rockdove", f"{server.directory}/data")
        text = text.replace("/var/backups/rockdove", f"{self.folder}/backups")
        text = text.replace("/etc/rockdove", f"{self.folder}/etc")
        text = re.sub(r"\d{4}-\d\d-\d\d", lambda _: next((self.folder / "backups").iterdir()).name, text)
        done = subprocess.run(["sh", "-eu", "-c", text], capture_output=True, text=True, timeout=60,
                              env={"PATH": f"{self.folder}:/usr/bin:/bin"})
        self.assertEqual((done.returncode, done.stderr), (0, ""), f"line {block.line}: {done.stdout}")

    def send(self, server, text):
        response = self.call(server, "/feishu/webhook", method="POST", body=text.encode())
        self.assertEqual((response.status, response.body), (200, b"{}"))

    def test_what_waited_at_the_backup_is_delivered_after_the_restore_by_agents_that_joined_before(self):
        server = self.server()
        upstream = self.upstream(answer(b"{}"))
        agent = self.agent(server, upstream, start=False)
        self.send(server, "one")
        self.send(server, "two")
        self.run_block("backup", server)
        self.send(server, "after the backup")
        server.kill9()  # which leaves a log of the old database behind
        for path in (server.directory / "data").iterdir():
            if not path.name.startswith("inbox.db"):
                path.unlink()
        self.run_block("restore", server)
        for path in (server.directory / "data").iterdir():
            self.assertEqual(path.stat().st_mode & 0o777, 0o600, path)
        server.start()
        agent.start()
        agent.wait_connected()
        eventually(lambda: len(upstream.requests) == 2, 20, "both events")
        self.assertEqual({each.body for each in upstream.requests}, {b"one", b"two"})

    def test_a_backup_is_for_root_alone(self):
        server = self.server()
        server.token()
        self.run_block("backup", server)
        day = next((self.folder / "backups").iterdir())
        self.assertEqual(day.stat().st_mode & 0o777, 0o700)
        self.assertEqual({path.name for path in day.iterdir()},
                         {"inbox.db", "tls-key.pem", "tls-certificate.pem", "tokens.json", "etc"})
        self.assertEqual((day / "inbox.db").stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
