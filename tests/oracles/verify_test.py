"""`rockdove providers verify` says of every request what the provider's own library says."""

import json
import subprocess
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from oracles import HOST, OracleTest, cases
from processes import BINARY

OUTCOMES_OF_STRANGERS = {"mismatch", "malformed", "missing", "too_old", "undecipherable", "unrecognised", "no_secret"}


def verify(folder, number, case):
    """(exit code, what is printed as JSON)."""
    request = folder / f"{number}.http"
    request.write_bytes(case.request())
    arguments = []
    for name, values in case.secrets.items():
        for index, value in enumerate(values):
            secret = folder / f"{number}.{name}.{index}"
            secret.write_text(value + "\n")
            arguments += ["--secret-file", f"{name}={secret}"]
    done = subprocess.run([BINARY, "providers", "verify", str(request), "--provider", case.provider, "--json",
                           *arguments], capture_output=True, text=True, timeout=60, check=False,
                          env={"HOME": str(folder)}, cwd=folder)  # fmt: skip
    return done.returncode, json.loads(done.stdout) if done.stdout else {"error": done.stderr}


class VerifyTest(OracleTest):
    def test_every_request_is_judged_as_by_the_providers_own_library(self):
        failures, sealed = [], []
        all_cases = cases(f"https://{HOST}")
        self.assertGreater(len(all_cases), 500)
        self.assertGreater(sum(case.values["judged"] for case in all_cases), len(all_cases) * 3 / 4)
        with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as pool:
            folder = Path(name)
            results = pool.map(lambda pair: verify(folder, *pair), enumerate(all_cases))
            for case, (code, said) in zip(all_cases, results):
                if code != (0 if case.accepted else 1):
                    failures.append(f"{case.name}: exit code {code}, {said}")
                elif not case.accepted and said["outcome"] not in OUTCOMES_OF_STRANGERS:
                    failures.append(f"{case.name}: {said}")
                elif not case.accepted and case.name.endswith("an old time") and said["outcome"] != "too_old":
                    failures.append(f"{case.name}: {said}")
                elif case.accepted and (case.answer is None) != ("challenge_answer" not in said):
                    failures.append(f"{case.name}: {said}")
                elif case.accepted and case.answer:
                    problem = self.assert_answer(case, said["challenge_answer"], sealed)
                    failures += [problem] if problem else []
        self.assert_none(failures + self.judge_sealed(sealed))
        self.assertTrue(sealed)


if __name__ == "__main__":
    unittest.main()
