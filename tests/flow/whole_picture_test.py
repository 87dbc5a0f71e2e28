"""Feishu → server → agent → bot → egress → server → Lingxing, and the reply in the chat."""

import http.client
import json
import signal
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fakes"))

from egress_scene import LOOPBACK, EgressTest, destination  # noqa: E402
from feishu import FakeFeishu  # noqa: E402
from feishu_bot_test import Bot  # noqa: E402
from lingxing import FakeLingxing  # noqa: E402
from scene import Authority, request  # noqa: E402
from support import Caller, eventually, fixed_port  # noqa: E402

ENCRYPT_KEY, VERIFICATION_TOKEN = "an encrypt key", "a verification token"
APP_ID, APP_SECRET = "ak_test123456789", "the secret of lingxing's app"
SELLERS = "/erp/sc/data/seller/lists"


class WholePicture(EgressTest):
    def setUp(self):
        super().setUp()
        self.feishu = FakeFeishu(app_secret="the secret of feishu's app", encrypt_key=ENCRYPT_KEY,
                                 verification_token=VERIFICATION_TOKEN, speed=100_000).start()
        self.addCleanup(self.feishu.stop)
        folder = tempfile.TemporaryDirectory(prefix="rockdove-lingxing-")
        self.addCleanup(folder.cleanup)
        authority = Authority(Path(folder.name))
        certificate, key = authority.issue("lingxing", "DNS:localhost")
        self.lingxing = FakeLingxing(APP_ID, APP_SECRET, certificate=certificate, key=key).start()
        self.addCleanup(self.lingxing.stop)
        self.lingxing.allowed = {"127.0.0.1"}  # where the server's calls come from
        self.server_ = self.server(toml=self.egress_rules(authority), env={
            "ROCKDOVE_FEISHU_ENCRYPT_KEY": ENCRYPT_KEY, "ROCKDOVE_FEISHU_VERIFICATION_TOKEN": VERIFICATION_TOKEN,
            "LINGXING_SECRET": APP_SECRET})
        # An agent tells its proxy port once it runs, and the bot has to know it before.
        proxy_port = fixed_port()
        self.proxy = f"http://127.0.0.1:{proxy_port}"
        keys = f'app_id = "cli_fake"\napp_secret = "the secret of feishu\'s app"\nencrypt_key = "{ENCRYPT_KEY}"\n' \
               f'verification_token = "{VERIFICATION_TOKEN}"'
        self.bot = self.take_in(Bot(f"{self.proxy}/feishu", f"{self.proxy}/lingxing", keys)).start()
        self.agent_ = self.egress_agent(self.server_, f"127.0.0.1:{proxy_port}",
                                        upstream=f"http://127.0.0.1:{self.bot.port}")
        self.webhook = f"http://127.0.0.1:{self.server_.ingress_port}/feishu/webhook"
        self.feishu.save_request_url(self.webhook)
        self.chat = self.feishu.chat("group")

    def egress_rules(self, authority):
        lingxing = (f'ca_file = "{authority.file}"\n{LOOPBACK}\n'
                    f'lingxing = {{ app_id = "{APP_ID}", app_secret = "env:LINGXING_SECRET" }}')
        return ('[[egress.allow]]\ntunnel = "bot"\ndestinations = ["feishu", "lingxing"]\n'
                + destination("feishu", self.feishu.url)
                + destination("lingxing", f"https://localhost:{self.lingxing.port}", lingxing))

    def said(self, text):
        push = self.feishu.say(self.chat, text)
        self.assertTrue(push.wait(), push.attempts)
        return push

    def asked(self, text):
        return self.chat.wait_for_replies(1, self.said(text).message_id, 30)[0]

    def test_questions_in_a_chat_are_answered_with_what_lingxing_says(self):
        names = [each["name"] for each in self.lingxing_sellers()]
        shops = self.asked("店铺").text
        for name in names:
            self.assertIn(name, shops)
        self.assertIn("订单", self.asked("订单 3").text)
        card = self.asked("帮助")
        self.assertEqual(card.msg_type, "interactive")
        self.assertIn("toast", self.feishu.press(self.chat, card))
        self.chat.wait_for_replies(1, card.message_id, 30)
        self.assertEqual(self.feishu.platform.problems, [])
        self.assertNotIn(3001002, self.lingxing.codes())
        for process in (self.server_, self.agent_, self.bot):
            for secret in (ENCRYPT_KEY, VERIFICATION_TOKEN, APP_SECRET, "the secret of feishu"):
                self.assertNotIn(secret, process.log())

    def lingxing_sellers(self):
        response = self.proxy_caller(self.agent_).exchange(request("/lingxing" + SELLERS, host="127.0.0.1"))
        return json.loads(response.body)["data"]

    def test_lingxing_does_not_know_the_office_but_the_server(self):
        context = http.client.ssl._create_unverified_context()
        office = http.client.HTTPSConnection("127.0.0.1", self.lingxing.port, timeout=20, context=context,
                                             source_address=("127.0.0.9", 0))
        self.addCleanup(office.close)
        office.request("GET", SELLERS + "?access_token=a&app_key=b&timestamp=1&sign=c")
        self.assertEqual(json.loads(office.getresponse().read())["code"], 3001002)
        self.assertGreater(len(self.lingxing_sellers()), 0)

    def test_what_is_asked_while_the_office_is_away_is_answered_when_it_is_back_and_once(self):
        self.agent_.kill9()
        push = self.said("店铺")
        self.assertEqual(len(push.attempts), 1, "taken at once: Feishu need not try again")
        self.assertEqual(self.chat.replies(), [])
        self.assertEqual(self.feishu.sender.push_again(push).status, 200)
        self.agent_.start()
        self.chat.wait_for_replies(1, push.message_id, 30)
        eventually(lambda: self.open_events() == 0, 20)
        self.assertEqual(self.feishu.sender.push_again(push).status, 200)
        self.asked("帮助")
        self.assertEqual(len(self.chat.replies(push.message_id)), 1)

    def open_events(self):
        return sum(each["events"] for each in self.server_.get_json()["inbox"]["events"]
                   if each["status"] in ("waiting", "queued"))

    def test_a_click_on_a_card_while_the_office_is_away_gets_a_kind_toast(self):
        card = self.asked("帮助")
        self.agent_.kill9()
        answer = self.feishu.press(self.chat, card)
        self.assertIn("toast", answer)
        self.assertEqual(self.open_events(), 0, "nobody would see a later answer")

    def test_a_forged_event_reaches_nobody(self):
        before = len(self.lingxing.records)
        caller = Caller(self.server_.ingress_port)
        self.addCleanup(caller.close)
        _, event = self.feishu.sender.envelope("im.message.receive_v1", {})
        body = self.feishu.sender.seal(event)
        fields = [f"{name}: {value}" for name, value in self.feishu.sender.sign(body).items()]
        forged = body.replace(b'"encrypt": "', b'"encrypt":  "')
        response = caller.exchange(request("/feishu/webhook", method="POST", fields=fields, body=forged))
        self.assertEqual(response.status, 401)
        self.assertEqual(self.open_events(), 0)
        self.assertEqual(len(self.lingxing.records), before)

    def test_a_server_that_restarts_answers_the_challenge_and_loses_nothing(self):
        self.said("店铺")
        self.server_.signal(signal.SIGTERM)
        self.server_.popen.wait(20)
        self.server_.popen = None
        self.server_.start()
        self.feishu.sender.challenge(self.webhook)
        self.chat.wait_for_replies(1, None, 30)


if __name__ == "__main__":
    unittest.main()
