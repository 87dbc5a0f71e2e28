#!/usr/bin/python3
"""The fake custom bot against a published way to sign, and against programs that get something wrong."""

import json
import time
import unittest
import urllib.request

from feishu_custom_bot import WELL, CustomBot, sign

TEXT = {"msg_type": "text", "content": {"text": "rockdove says hello"}}


class CustomBotTest(unittest.TestCase):
    def bot(self, **options):
        bot = CustomBot(**options)
        self.addCleanup(bot.stop)
        return bot

    def send(self, bot, body, url=None, kind="application/json"):
        """The JSON of its answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(url or bot.url, data, method="POST", headers={"Content-Type": kind})
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.loads(response.read())

    def signed(self, secret, at=None):
        timestamp = str(int(at if at is not None else time.time()))
        return {**TEXT, "timestamp": timestamp, "sign": sign(timestamp, secret)}

    def test_signs_as_openssl_does(self):
        # printf '' | openssl dgst -sha256 -hmac "$(printf '1599360473\ndemo-secret-7Qd')" -binary | base64
        self.assertEqual(sign("1599360473", "demo-secret-7Qd"), "iRiXPgKOTNHaXUQn0uBjrZMeslKEjrqoij/oy0jpSw8=")

    def test_takes_what_is_right(self):
        bot = self.bot(secret="s3cret", keyword="rockdove")
        self.assertEqual(self.send(bot, self.signed("s3cret")), WELL)
        self.assertEqual(bot.messages, ["rockdove says hello"])
        self.assertEqual(self.send(self.bot(), TEXT), WELL)

    def test_refuses_what_is_not(self):
        bot = self.bot(secret="s3cret", keyword="rockdove")
        right = self.signed("s3cret")
        for expected, body in ((19021, TEXT),
                               (19021, self.signed("other")),
                               (19021, self.signed("s3cret", time.time() - 3700)),
                               (19021, self.signed("s3cret", time.time() + 3700)),
                               (19021, {**right, "timestamp": int(right["timestamp"])}),
                               (19002, {**right, "msg_type": "card"}),
                               (19002, {**right, "content": "text"}),
                               (19024, {**right, "content": {"text": "hello"}}),
                               (9499, b"{"), (9499, b"[]")):
            self.assertEqual(self.send(bot, body)["code"], expected, body)
        self.assertEqual(self.send(bot, right, kind="text/plain")["code"], 9499)
        self.assertEqual(self.send(bot, right, url=bot.url + "x")["code"], 19001)
        self.assertEqual(bot.messages, [])

    def test_answers_as_a_test_says_first(self):
        bot = self.bot()
        bot.answers = [(200, {"code": 11232, "msg": "frequency limited"})]
        self.assertEqual(self.send(bot, TEXT)["code"], 11232)
        self.assertEqual(self.send(bot, TEXT)["code"], 0)
        self.assertEqual((len(bot.tries), len(bot.messages)), (2, 1))


if __name__ == "__main__":
    unittest.main()
