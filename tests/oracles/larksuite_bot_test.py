"""A bot on Feishu's official SDK, behind server and agent: what Feishu sends reaches it byte for byte and is accepted.

The SDK answers 200 with an empty body to what it rejects, so what counts is which of its handlers ran.
"""

import base64
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

from inbox_scene import InboxTest, route
from oracles import HERE, SEED, node
from support import eventually

ENCRYPT_KEY, TOKEN = "an Encrypt Key of tests", "a Verification Token of tests"


class Bot:
    """larksuite_bot.mjs, running; `seen` is what it says of each request."""

    def __init__(self):
        self.process = subprocess.Popen([shutil.which("node"), HERE / "larksuite_bot.mjs", ENCRYPT_KEY, TOKEN],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.seen = []
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().split()[1]}"
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.seen.append(json.loads(line))

    def stop(self):
        self.process.kill()
        self.process.wait()
        self._thread.join(10)
        self.process.stdout.close()


def requests():
    """What Feishu sends, as {kind, headers, body, text}."""
    print(f"\nSEED={SEED}", file=sys.stderr)
    lines = node("larksuite_requests.mjs", str(SEED), ENCRYPT_KEY, TOKEN).split("\n")
    found = [json.loads(line) for line in lines if line]
    return [{**each, "body": base64.b64decode(each["body"])} for each in found]


class LarksuiteBotTest(InboxTest):
    routes = ""

    def setUp(self):
        super().setUp()
        self.requests = requests()
        self.bot = Bot()
        self.addCleanup(self.bot.stop)
        self.server_ = self.inbox_server(self.routes)
        self.agent(self.server_, self.bot)

    def of_kind(self, kind):
        found = [each for each in self.requests if each["kind"] == kind]
        self.assertTrue(found)
        return found

    def send(self, path, sent):
        """The answer to a caller, and what the bot says of the request."""
        before = len(self.bot.seen)
        fields = [f"{name}: {value}" for name, value in sent["headers"]]
        response = self.call(self.server_, path, method="POST", fields=fields, body=sent["body"])
        seen = eventually(lambda: len(self.bot.seen) > before and self.bot.seen[before], what="a request at the bot")
        self.assert_same(sent, seen)
        return response, seen["handled"]

    def assert_same(self, sent, seen):
        self.assertEqual(base64.b64decode(seen["body"]), sent["body"])
        came = [(name.lower(), value) for name, value in seen["headers"]]
        for name, value in sent["headers"]:
            self.assertEqual([each for key, each in came if key == name.lower()], [value])

    def assert_event(self, sent, handled):
        self.assertEqual(handled and handled["what"], "event")
        self.assertEqual(json.loads(handled["data"]["message"]["content"]), {"text": sent["text"]})


class Live(LarksuiteBotTest):
    def test_encrypted_events_run_the_bots_handler(self):
        for sent in self.of_kind("event"):
            response, handled = self.send("/feishu", sent)
            self.assert_event(sent, handled)
            self.assertEqual((response.status, response.body), (200, b'"handled"'))

    def test_what_feishu_has_not_signed_runs_none(self):
        for sent in self.of_kind("forged"):
            response, handled = self.send("/feishu", sent)
            self.assertIsNone(handled)
            self.assertEqual((response.status, response.body), (200, b""))

    def test_callbacks_of_cards_are_answered_by_the_bot(self):
        for path, kind, text in (("/feishu", "card", "卡片交互成功"), ("/card", "card-v1", "旧卡片")):
            for sent in self.of_kind(kind):
                response, handled = self.send(path, sent)
                self.assertEqual(handled and handled["what"], kind)
                self.assertEqual(json.loads(response.body)["toast"]["content"], text)

    def test_the_challenge_is_answered(self):
        for sent in self.of_kind("challenge"):
            response, handled = self.send("/feishu", sent)
            self.assertIsNone(handled)
            self.assertEqual(json.loads(response.body), {"challenge": "ajls384kdjx98XX"})


class Stored(LarksuiteBotTest):
    routes = route("inbox", path="/feishu")

    def test_events_that_were_stored_run_the_bots_handler(self):
        for sent in self.of_kind("event"):
            response, handled = self.send("/feishu", sent)
            self.assertEqual(response.status // 100, 2)
            self.assert_event(sent, handled)
        self.server_.inbox.wait_states(done=len(self.of_kind("event")))


class Judged(LarksuiteBotTest):
    """The server knows the bot's secrets, too: what is not Feishu's does not reach it."""

    def setUp(self):
        with tempfile.TemporaryDirectory() as folder:
            secrets = {}
            for name, value in (("encrypt_key", ENCRYPT_KEY), ("verification_token", TOKEN)):
                file = Path(folder) / name
                file.write_text(value)
                secrets[name] = f"file:{file}"
            table = "{" + ", ".join(f"{name} = {json.dumps(place)}" for name, place in secrets.items()) + "}"
            self.routes = "".join(route("auto", name=name, path=f"/{name}", provider="feishu", secrets=table)
                                  for name in ("feishu", "card"))
            super().setUp()

    def test_events_run_the_bots_handler(self):
        for sent in self.of_kind("event"):
            response, handled = self.send("/feishu", sent)
            self.assert_event(sent, handled)
            self.assertEqual(response.status, 200)

    def test_callbacks_of_cards_are_answered_by_the_bot(self):
        for path, kind, text in (("/feishu", "card", "卡片交互成功"), ("/card", "card-v1", "旧卡片")):
            for sent in self.of_kind(kind):
                response, handled = self.send(path, sent)
                self.assertEqual(handled and handled["what"], kind)
                self.assertEqual(json.loads(response.body)["toast"]["content"], text)

    def test_the_bot_hears_of_no_forgery_and_of_no_challenge(self):
        for kind, status in (("forged", 401), ("challenge", 200)):
            for sent in self.of_kind(kind):
                fields = [f"{name}: {value}" for name, value in sent["headers"]]
                response = self.call(self.server_, "/feishu", method="POST", fields=fields, body=sent["body"])
                self.assertEqual(response.status, status)
        self.assertEqual(json.loads(response.body), {"challenge": "ajls384kdjx98XX"})
        event = self.of_kind("event")[0]
        _, handled = self.send("/feishu", event)  # the first that the bot sees
        self.assert_event(event, handled)
        self.assertEqual(len(self.bot.seen), 1)


if __name__ == "__main__":
    unittest.main()
