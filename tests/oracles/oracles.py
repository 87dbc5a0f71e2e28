"""The providers' own libraries, run by Node.js: requests that they have signed or judged, and answers they judge."""

import base64
import json
import os
import random
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
HOST = "hooks.example.com"


def node(script, *arguments, stdin=""):
    """What a script prints. Fails, and never skips, where Node.js or the libraries are missing."""
    program = shutil.which("node")
    if not program:
        raise AssertionError("there is no node here: apt-get install nodejs npm, or run ./dev test")
    if not (HERE / "node_modules").is_dir():
        raise AssertionError(f"the libraries are missing: cd {HERE} && npm ci --ignore-scripts, or run ./dev test")
    done = subprocess.run([program, str(HERE / script), *arguments], input=stdin, capture_output=True, text=True,
                          timeout=120, check=False)
    if done.returncode != 0:
        raise AssertionError(f"node {script} {' '.join(arguments)} failed: {done.stderr[-4000:]}")
    return done.stdout


class Case:
    """A request, the secrets of its route, and whether it has to be accepted."""

    def __init__(self, values):
        self.values = values
        self.name, self.provider, self.accepted = values["name"], values["provider"], values["accepted"]
        self.body = base64.b64decode(values["body"])
        self.secrets = values["secrets"]
        self.answer, self.acknowledgement = values.get("answer"), values.get("acknowledgement")

    def request(self, target=None):
        """Its bytes on the wire."""
        lines = [f"{self.values['method']} {target or self.values['target']} HTTP/1.1", f"Host: {HOST}",
                 *(f"{name}: {value}" for name, value in self.values["headers"])]
        if self.values["method"] != "GET":
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def cases(base):
    """All cases of this run's seed; `base` is the public URL without its path."""
    print(f"\nSEED={SEED}", file=sys.stderr)
    return [Case(json.loads(line)) for line in node("cases.mjs", str(SEED), base).split("\n") if line]


def problems_with_sealed(answers):
    """For each (answer, its secrets and text): what the library finds wrong with it, or None."""
    lines = "".join(json.dumps({"answer": answer, "wanted": wanted}) + "\n" for answer, wanted in answers)
    return [json.loads(line) for line in node("judge_sealed.mjs", stdin=lines).split("\n") if line]


class OracleTest(unittest.TestCase):
    """Collects what differs over many cases, so that one run shows all of it."""

    def assert_none(self, failures):
        shown = "\n".join(str(failure) for failure in failures[:20])
        if failures:
            self.fail(f"SEED={SEED}: {len(failures)} cases differ:\n{shown}")

    def assert_answer(self, case, body, sealed):
        """What is wrong with an answer's body, or None. A sealed one is put into `sealed`, to be judged later."""
        wanted = case.answer
        if "sealed" in wanted:
            sealed.append((case.name, body, wanted["sealed"]))
            return None
        right = wanted["text"] == body if "text" in wanted else wanted["json"] == json.loads(body)
        return None if right else f"{case.name}: answered {body[:200]!r}"

    def judge_sealed(self, sealed):
        """What the library finds wrong with the sealed answers collected."""
        found = problems_with_sealed([(body, wanted) for _, body, wanted in sealed])
        return [f"{name}: {problem}" for (name, _, _), problem in zip(sealed, found) if problem]
