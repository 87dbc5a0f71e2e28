"""Calls of Lingxing by programs that have neither its token nor its sign: both come on at the server."""

import json
import signal
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fakes"))

from egress_scene import LOOPBACK, EgressTest  # noqa: E402
from lingxing import FakeLingxing  # noqa: E402
from scene import Authority, request, run_binary  # noqa: E402

SELLERS, ORDERS = "/erp/sc/data/seller/lists", "/erp/sc/data/mws/orders"
APP_ID, SECRET = "ak_test123456789", "se+cret/ with & of all kinds"
RULE = '[[egress.allow]]\ntunnel = "bot"\ndestinations = ["lingxing"]\n'


class Lingxing(EgressTest):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix="rockdove-lingxing-")
        self.addCleanup(folder.cleanup)
        self.directory = Path(folder.name)
        authority = Authority(self.directory)
        certificate, key = authority.issue("lingxing", "DNS:localhost,IP:127.0.0.1")
        self.lingxing = FakeLingxing(APP_ID, SECRET, certificate=certificate, key=key).start()
        self.addCleanup(self.lingxing.stop)
        self.secret = self.directory / "lingxing.secret"
        self.secret.write_text(SECRET + "\n")
        self.destination = (
            f'[[egress.destination]]\nname = "lingxing"\nurl = "https://localhost:{self.lingxing.port}"\n'
            f'ca_file = "{authority.file}"\n{LOOPBACK}\n'
            f'lingxing = {{ app_id = "{APP_ID}", app_secret = "file:{self.secret}", '
            f'buckets = {{ "{ORDERS}" = 2 }} }}\n')

    def start(self, rule=RULE):
        server = self.server(toml=rule + self.destination)
        return server, self.egress_agent(server)

    def get(self, agent, path=SELLERS):
        response = self.proxy_caller(agent).exchange(request("/lingxing" + path, host="127.0.0.1"))
        return response.status, json.loads(response.body)

    def post(self, agent, body, path=ORDERS):
        text = json.dumps(body).encode()
        response = self.proxy_caller(agent).exchange(
            request("/lingxing" + path, "127.0.0.1", "POST", ["Content-Type: application/json"], text))
        return response.status, json.loads(response.body)

    def test_a_program_without_secrets_gets_shops_and_orders(self):
        server, agent = self.start()
        status, sellers = self.get(agent)
        self.assertEqual((status, sellers["code"]), (200, 0), sellers)
        self.assertGreater(len(sellers["data"]), 0)
        status, orders = self.post(agent, {"start_date": "2025-06-01", "end_date": "2025-06-03", "offset": 0,
                                           "length": 5, "sid_list": [sellers["data"][0]["sid"]], "search": "",
                                           "note": "中文 & + %"})
        self.assertEqual((status, orders["code"]), (200, 0), orders)
        self.assertEqual(self.lingxing.codes(), [0, 0], "every sign was right the first time")
        self.assertEqual((self.lingxing.fetches, self.lingxing.refreshes), (1, 0))
        for text in (server.log(), agent.log(), json.dumps(server.get_json())):
            for secret in (SECRET, self.lingxing._token, APP_ID):
                self.assertNotIn(secret, text)

    def test_a_token_that_another_program_has_replaced_is_fetched_anew_once(self):
        _, agent = self.start()
        self.get(agent)
        self.lingxing.fetch_elsewhere()
        status, sellers = self.get(agent)
        self.assertEqual((status, sellers["code"]), (200, 0))
        self.assertEqual(self.lingxing.codes(), [0, 2001005, 0])

    def test_calls_of_one_path_stand_in_line_instead_of_being_refused(self):
        _, agent = self.start()
        self.lingxing.delay = 0.02
        results = []
        threads = [threading.Thread(target=lambda: results.append(self.get(agent))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual([(status, answer["code"]) for status, answer in results], [(200, 0)] * 8)
        self.assertEqual(self.lingxing.peak[SELLERS], 1)
        self.assertNotIn(3001008, self.lingxing.codes())

    def test_an_address_that_lingxing_does_not_know_is_told_so_in_its_own_words(self):
        _, agent = self.start()
        self.lingxing.allowed = {"203.0.113.7"}
        status, answer = self.get(agent)
        self.assertEqual((status, answer["code"]), (200, 3001002))
        self.assertIn("white list", answer["message"])

    def test_a_rule_that_only_allows_the_host_does_not_lend_the_token(self):
        _, agent = self.start(f'[[egress.allow]]\ntunnel = "bot"\nhosts = ["localhost:{self.lingxing.port}"]\n')
        status, answer = self.get(agent)
        self.assertEqual((status, answer["error"]["cause"]), (403, "destination_denied"))
        self.assertEqual(self.lingxing.records, [])

    def test_the_token_endpoints_and_signs_of_a_program_are_refused(self):
        _, agent = self.start()
        for path, wanted in (("/api/auth-server/oauth/refresh", 403), (SELLERS + "?sign=x", 400)):
            self.assertEqual(self.get(agent, path)[0], wanted)
        self.assertEqual(self.lingxing.records, [])

    def reload(self, server):
        mark = server.log_size()
        server.signal(signal.SIGHUP)
        server.wait_for_log("the configuration has been read again", after=mark)

    def test_a_reload_keeps_the_token_and_takes_a_new_secret(self):
        server, agent = self.start()
        self.get(agent)
        self.reload(server)
        self.assertEqual(self.get(agent)[1]["code"], 0)
        self.assertEqual(self.lingxing.fetches, 1)
        self.lingxing.secret = "rotated"
        self.secret.write_text("rotated")
        self.reload(server)
        self.assertEqual(self.get(agent)[1]["code"], 0)
        self.assertEqual(self.lingxing.fetches, 2)

    def test_a_reload_of_something_else_does_not_end_the_token_of_calls_in_line(self):
        server, agent = self.start()
        self.lingxing.delay = 0.05
        results = []

        def call():
            results.append(self.get(agent))
        threads = [threading.Thread(target=call) for _ in range(12)]
        for number, thread in enumerate(threads):
            thread.start()
            if number % 3:
                continue
            server.toml = f'[egress]\nfirst_byte_timeout = "{100 + number}s"\n{RULE}{self.destination}'
            server.write_config()
            self.reload(server)
        for thread in threads:
            thread.join(60)
        self.assertEqual([(status, answer["code"]) for status, answer in results], [(200, 0)] * 12)
        self.assertEqual((self.lingxing.fetches, self.lingxing.peak[SELLERS]), (1, 1))
        self.assertNotIn(2001005, self.lingxing.codes())

    def test_a_secret_that_is_missing_stops_the_start_but_not_the_check_of_the_file(self):
        server, _ = self.start()
        self.secret.unlink()
        server.run("config", "check", "--config", str(server.config))
        server.stop()
        done = run_binary(server, "server", "--config", str(server.config))
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(self.secret), done.stderr)


if __name__ == "__main__":
    unittest.main()
