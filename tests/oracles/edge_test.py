"""The same requests to a running server with one route for each: what the library accepts is stored and delivered byte
for byte, or answered; what it refuses is refused."""

import collections
import json
import unittest

from inbox_scene import QUICK, InboxServer, InboxTest
from oracles import HOST, OracleTest, cases
from support import Caller, Upstream, eventually

REFUSALS = {"twilio": 403}  # all others: 401


def write_route(folder, number, case):
    """The [[route]] of a case's path, its secrets in files."""
    secrets = []
    for name, values in case.secrets.items():
        files = [folder / f"{number}.{name}.{index}" for index, _ in enumerate(values)]
        for file, value in zip(files, values):
            file.write_text(value + "\n")
        secrets.append(f"{name} = {json.dumps([f'file:{file}' for file in files])}")
    return "\n".join(["[[route]]", f'name = "route-{number}"', f'path = "{case.values["path"]}"',
                      f'provider = "{case.provider}"', f"secrets = {{{', '.join(secrets)}}}", 'mode = "inbox"',
                      'dedupe = "none"', f"retry = {QUICK}"])  # fmt: skip


class EdgeTest(InboxTest, OracleTest):
    def test_a_server_takes_what_the_providers_own_library_takes_and_nothing_else(self):
        all_cases = cases(f"http://{HOST}")
        server = InboxServer(start=False, tls="off")
        by_path = {case.values["path"]: case for case in all_cases}
        routes = [write_route(server.directory, number, case) for number, case in enumerate(by_path.values())]
        server.toml = "\n".join([*routes, '[[route]]\nname = "rest"\n'])
        self.take_in(server).start()
        upstream = self.upstream(Upstream.OK)
        self.agent(server, upstream)

        failures, sealed, stored = [], [], collections.Counter()
        caller = Caller(server.ingress_port)
        self.addCleanup(caller.close)
        for case in all_cases:
            response = caller.exchange(case.request())
            wanted = 200 if case.accepted else REFUSALS.get(case.provider, 401)
            if response.status != wanted:
                failures.append(f"{case.name}: {response.status} {response.body[:200]!r}, wanted {wanted}")
            elif case.accepted and case.answer:
                problem = self.assert_answer(case, response.body.decode(), sealed)
                failures += [problem] if problem else []
            elif case.accepted:
                stored[case.body] += 1
                if case.acknowledgement:
                    sealed.append((case.name, response.body.decode(), case.acknowledgement["sealed"]))
        self.assert_none(failures + self.judge_sealed(sealed))

        self.assertGreater(sum(stored.values()), 100)
        eventually(lambda: len(upstream.requests) >= sum(stored.values()), 60, "all events at the upstream")
        self.assertEqual(collections.Counter(each.body for each in upstream.requests), stored)
        server.inbox.wait_states(done=sum(stored.values()))


if __name__ == "__main__":
    unittest.main()
