"""deploy/scripts/rockdove-agent.sh: an agent, and a server, in the background without systemd."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from scene import SceneTest
from support import BINARY, eventually

SCRIPTS = Path(__file__).resolve().parents[2] / "deploy" / "scripts"


def ids(text):
    """The process ids that the script names: supervisor and program."""
    return [int(each) for each in re.search(r"as process ([\d ]+)", text)[1].split()]


def is_there(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Script:
    """A script of deploy/scripts, its state in a directory of its own."""

    def __init__(self, test, name, config):
        self.path = SCRIPTS / name
        self.state = Path(tempfile.mkdtemp(prefix="rockdove-script-"))
        test.addCleanup(shutil.rmtree, self.state)
        test.addCleanup(self.run, "stop")
        clean = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        self.env = {**clean, "ROCKDOVE_PROGRAM": BINARY, "ROCKDOVE_STATE": str(self.state),
                    "ROCKDOVE_CONFIG": str(config), "HOME": str(self.state), "LC_ALL": "C"}

    def run(self, *arguments):
        """The process's end, with its code and output."""
        return subprocess.run([str(self.path), *arguments], capture_output=True, text=True, timeout=90, env=self.env,
                              stdin=subprocess.DEVNULL)

    def log(self, role="agent"):
        path = self.state / f"{role}.log"
        return path.read_text() if path.exists() else ""


class BackgroundAgent(SceneTest):
    def setUp(self):
        super().setUp()
        self.public = self.server()
        self.office = self.agent(self.public, start=False)
        self.script = Script(self, "rockdove-agent.sh", self.office.config)

    def start(self):
        done = self.script.run("start")
        self.assertEqual(done.returncode, 0, done.stderr + self.script.log())
        supervisor, program = ids(done.stdout)
        eventually(self.office.is_connected, 30, "the agent is connected")
        return supervisor, program

    def status(self):
        """(exit code, process ids)"""
        done = self.script.run("status")
        return done.returncode, ids(done.stdout) if done.returncode == 0 else []

    def assert_nothing_is_left(self, *pids):
        for pid in pids:
            self.assertFalse(is_there(pid), pid)
        self.assertEqual(self.status()[0], 3)
        self.assertEqual({path.name for path in self.script.state.iterdir()}, {"agent.log", "agent.err", "agent.lock"})

    def test_an_agent_is_started_once_and_stopped_without_a_trace(self):
        self.assertEqual(self.status()[0], 3)
        pids = self.start()
        self.assertEqual(self.status(), (0, [*pids]))
        again = self.script.run("start")
        self.assertEqual(again.returncode, 1)
        self.assertIn("is running already", again.stderr)
        self.assertEqual(self.status(), (0, [*pids]))
        beside = self.script.run("run")
        self.assertEqual((beside.returncode, beside.stderr), (1, "agent: is running already\n"))
        self.assertEqual(self.script.run("stop").returncode, 0)
        self.assert_nothing_is_left(*pids)
        self.assertEqual(self.script.run("stop").stdout, "agent: is not running\n")

    def test_an_agent_that_is_killed_is_started_again(self):
        supervisor, program = self.start()
        os.kill(program, signal.SIGKILL)
        eventually(lambda: self.status()[1][1:] not in ([], [program]), 20, "another program runs")
        eventually(self.office.is_connected, 30, "the agent is connected again")
        (_, (same, another)) = self.status()
        self.assertEqual(same, supervisor)
        self.assertIn("the agent ended with code 137", self.script.log())
        self.assertEqual(self.script.run("stop").returncode, 0)
        self.assert_nothing_is_left(supervisor, program, another)

    def test_an_agent_whose_supervisor_is_killed_is_still_found_and_not_doubled(self):
        supervisor, program = self.start()
        os.kill(supervisor, signal.SIGKILL)
        eventually(lambda: not is_there(supervisor), 10)
        self.assertEqual(self.status(), (0, [program]))
        self.assertEqual(self.script.run("start").returncode, 1)
        done = self.script.run("restart")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(is_there(program))
        self.assertEqual(self.status(), (0, ids(done.stdout)))

    def test_ids_in_an_old_file_that_others_have_now_are_left_alone(self):
        bystander = subprocess.Popen(["sleep", "60"])
        self.addCleanup(bystander.wait)
        self.addCleanup(bystander.kill)
        (self.script.state / "agent.pid").write_text(f"{bystander.pid}\n{bystander.pid}\n")
        self.assertEqual(self.status()[0], 3)
        self.assertEqual(self.script.run("stop").stdout, "agent: is not running\n")
        self.assertIsNone(bystander.poll())
        self.start()

    def test_an_agent_that_cannot_start_is_not_left_trying_and_says_why(self):
        self.office.config.write_text("[agent]\nlinks = 2\n")
        done = self.script.run("start")
        self.assertEqual(done.returncode, 1)
        self.assertIn('"rockdove join -" here', done.stderr)
        self.assert_nothing_is_left()

    def test_the_log_is_the_program_s_own_which_rotates_it(self):
        with self.office.config.open("a") as config:
            config.write('[log]\nmax_size = "64KiB"\nmax_files = 1\n')
        big = "x" * 70_000
        (self.script.state / "agent.log").write_text(big)
        self.start()
        eventually(lambda: (self.script.state / "agent.1.log").exists(), 10, "the log is rotated")
        self.assertTrue((self.script.state / "agent.1.log").read_text().startswith(big))
        self.assertIn("agent", self.script.log())
        self.assertEqual(self.script.run("log").stdout.splitlines()[-1], self.script.log().splitlines()[-1])


class BackgroundServer(SceneTest):
    def test_under_the_other_name_it_is_a_server_beside_an_agent(self):
        server = self.server()
        server.stop()
        script = Script(self, "rockdove-server.sh", server.config)
        done = script.run("start")
        self.assertEqual(done.returncode, 0, done.stderr + script.log("server"))
        # "started" says that it stays up for a second; a slow build listens later.
        eventually(lambda: "listens" in script.log("server"), 30, "it listens")
        self.assertEqual(server.get_json("/health")["status"], "ok")
        self.assertEqual(script.run("reload").returncode, 0)
        eventually(lambda: "configuration" in script.log("server"), 10, "the configuration is read again")
        self.assertEqual(script.run("stop").stdout, "server: stopped\n")
        self.assertRaises(OSError, server.get_json, "/health")


@unittest.skipUnless(shutil.which("shellcheck"), "shellcheck is not here")
class Shell(unittest.TestCase):
    def test_the_scripts_are_plain_sh(self):
        done = subprocess.run(["shellcheck", "--shell=sh", *map(str, SCRIPTS.glob("*.sh"))], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (0, ""))


class Windows(unittest.TestCase):
    def test_batch_files_have_the_line_ends_and_the_letters_that_cmd_reads(self):
        for file in SCRIPTS.glob("*.bat"):
            lines = file.read_bytes().split(b"\r\n")
            self.assertGreater(len(lines), 20, file)
            self.assertFalse(any(b"\n" in line or b"\r" in line for line in lines), file)
            file.read_text(encoding="ascii")


if __name__ == "__main__":
    unittest.main()
