"""rockdove-feishu-bot between a strict Feishu and a Lingxing that answers what a test says."""

import http.client
import json
import os
import sys
import unittest
from pathlib import Path

from scene import SceneTest, answer
from support import BINARY, Process, eventually

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fakes"))
from feishu import FakeFeishu  # noqa: E402  pylint: disable=wrong-import-position
from feishu_sender import CallbackError, ConsoleError  # noqa: E402  pylint: disable=wrong-import-position

BOT = os.environ.get("ROCKDOVE_FEISHU_BOT", str(Path(BINARY).parent / "rockdove-feishu-bot"))
TOKENS, REPLIES = ".*/tenant_access_token/internal", ".*/reply"


class Bot(Process):
    """A running bot. `feishu` and `lingxing` are base URLs."""

    def __init__(self, feishu, lingxing, keys="", env=None):
        super().__init__("feishu-bot", [], env)
        self.config = self.directory / "bot.toml"
        self.config.write_text(f'listen = "127.0.0.1:0"\n[feishu]\nurl = "{feishu}"\n{keys}\n'
                               f'[lingxing]\nurl = "{lingxing}"\n')
        self.arguments = [BOT, "--config", str(self.config)]
        self.port = 0

    def start(self):
        mark = self.log_size()
        super().start()
        self.port = int(self.wait_for_log(r"listens: http://127.0.0.1:(\d+)/feishu/webhook", after=mark)[1])
        return self

    @property
    def journal(self):
        return self.directory / "feishu-bot.journal"

    @property
    def webhook(self):
        return f"http://127.0.0.1:{self.port}/feishu/webhook"

    def ask(self, method, path, body=None, fields=None):
        """(status, JSON) of a request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, fields or {})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def health(self):
        return self.ask("GET", "/health")[1]


def said(value, status="200 OK"):
    return answer(json.dumps(value).encode(), status, ["Content-Type: application/json"])


def good(data, **more):
    return said({"code": 0, "message": "success", "error_details": [], "request_id": "r", "data": data, **more})


def seller(name, country="美国", status=1):
    return {"sid": 1, "mid": 1, "name": name, "seller_id": "A", "region": "NA", "country": country, "status": status}


def order(shop, state, amount="10.00", currency="USD"):
    return {"sid": 1, "seller_name": shop, "order_status": state, "order_total_amount": amount,
            "order_total_currency_code": currency}


class BotTest(SceneTest):
    """A bot with credentials, an Encrypt Key and a private chat, unless a test wants it otherwise."""

    encrypt_key = "ekey"
    token_life = 7200

    def setUp(self):
        super().setUp()
        self.feishu = FakeFeishu(encrypt_key=self.encrypt_key, speed=100_000, token_life=self.token_life).start()
        self.addCleanup(self.feishu.stop)
        self.lingxing = self.upstream(good([]))
        self.conversation = self.feishu.chat()

    def bot(self, keys=None, env=None, save=True, prefix=""):
        keys = self.keys() if keys is None else keys
        bot = Bot(self.feishu.url, self.lingxing.url + prefix, keys, env)
        self.take_in(bot).start()
        if save:
            self.feishu.save_request_url(bot.webhook)
        return bot

    def keys(self):
        return 'app_id = "cli_fake"\napp_secret = "fake-secret"\nverification_token = "vtoken"\n' \
            f'encrypt_key = "{self.encrypt_key}"'

    def asked(self, text, chat=None, **options):
        """What the bot replies to a message."""
        chat = chat or self.conversation
        push = self.feishu.say(chat, text, **options)
        self.assertTrue(push.wait(), push.attempts)
        return chat.wait_for_replies(1, push.message_id)[0]

    def assert_no_problems(self):
        self.assertEqual(self.feishu.platform.problems, [])

    def bot_at_work(self):
        """A bot that has acknowledged a message and waits for Lingxing: (gate, bot, push)."""
        gate = self.gate(json.dumps({"code": 0, "data": [seller("一店")]}).encode())
        self.lingxing.handler = gate
        bot = self.bot()
        push = self.feishu.say(self.conversation, "店铺")
        self.assertTrue(push.wait())
        gate.wait_inside()
        return gate, bot, push


class Commands(BotTest):
    def test_help_is_a_card_whose_buttons_work(self):
        self.bot()
        self.lingxing.handler = lambda connection, request: good([seller("北美一店")])
        card = self.asked("帮助")
        self.assertEqual(card.msg_type, "interactive")
        self.assertIn("店铺", card.text)
        self.assertEqual([each["command"] for each in card.buttons()], ["店铺", "订单", "订单 7"])
        self.assertEqual(self.feishu.press(self.conversation, card), {"toast": {"type": "info", "content": "正在查询店铺…"}})
        reply, = self.conversation.wait_for_replies(1, card.message_id)
        self.assertIn("北美一店", reply.text)
        self.assert_no_problems()

    def test_shops_are_listed(self):
        self.bot(prefix="/lingxing/")
        self.lingxing.handler = good([seller("北美一店"), seller("欧洲 <at user_id=\"all\"></at>", "德国", 2)])
        self.assertEqual(self.asked("店铺").text, "共 2 家店铺：\n· 北美一店　美国\n"
                         "· 欧洲 ＜at user_id=\"all\">＜/at>　德国（授权异常）")
        request = self.lingxing.last()
        self.assertEqual((request.method, request.target), (b"GET", b"/lingxing/erp/sc/data/seller/lists"))
        self.assert_no_problems()

    def test_orders_are_summed_up_over_all_pages(self):
        self.bot()
        orders = [order("一店", "Shipped")] * 1500 + [order("二店", "Pending", "", "")] * 2 + \
            [order("二店", "Unshipped", "0.995", "GBP")] * 2
        asked = []

        def page(connection, request):
            body = json.loads(connection.read_body(request))
            asked.append(body)
            return good(orders[body["offset"]:body["offset"] + body["length"]], total=len(orders))

        self.lingxing.handler = page
        text = self.asked("订单 3").text
        self.assertIn("最近 3 天", text)
        self.assertIn("合计 1504 单，GBP 1.99、USD 15,000.00\n已发货 1500、待处理 2、未发货 2", text)
        self.assertIn("· 一店：1500 单，USD 15,000.00（已发货 1500）\n· 二店：4 单，GBP 1.99（待处理 2、未发货 2）", text)
        self.assertEqual([(each["offset"], each["length"], each["date_type"]) for each in asked],
                         [(0, 1000, 1), (1000, 1000, 1)])
        self.assertEqual(len({(each["start_date"], each["end_date"]) for each in asked}), 1)
        self.assertEqual(self.lingxing.last().target, b"/erp/sc/data/mws/orders")
        self.assert_no_problems()

    def test_an_unknown_word_is_answered_with_the_way_to_help(self):
        self.bot()
        self.assertIn("发送“帮助”", self.asked("你好").text)
        self.assertIn("1 到 31", self.asked("订单 99").text)
        self.assertEqual(self.asked("img_x", msg_type="image").msg_type, "interactive")
        self.assert_no_problems()

    def test_in_a_group_only_mentions_are_answered_and_programs_never(self):
        bot, group = self.bot(), self.feishu.chat("group")
        for options in ({"mention": False}, {"sender_type": "app"}):
            self.assertTrue(self.feishu.say(group, "帮助", **options).wait())
        self.assertEqual(self.asked("帮助", group).msg_type, "interactive")
        self.assertEqual(len(group.replies()), 1)
        self.assertEqual(bot.health()["events"]["ignored"], 2)


class Failures(BotTest):
    def test_what_lingxing_refuses_is_said_kindly(self):
        self.bot()
        for handler, expected in (
                (said({"code": 3001002, "message": "ip not permit, please add ip to white list first."}), "白名单"),
                (said({"code": 3001008, "message": "too many"}), "正忙"),
                (said({"code": "2001005", "msg": "x"}), "令牌"),
                (said({"code": 123456, "message": "<at user_id=\"all\">"}), "123456：＜at"),
                (answer(b"<html>", "502 Bad Gateway"), "没看懂"),
                (answer(b"[1]"), "没看懂"),
                (said({"error": {"hop": "link", "cause": "no_agent"}}, "503 Service Unavailable"), "连不上"),
                (said({"error": {"hop": "edge", "cause": "timed_out"}}, "504 Gateway Timeout"), "没有及时"),
                (good({"unexpected": "object"}), "还没有已授权的店铺")):
            self.lingxing.handler = handler
            self.assertIn(expected, self.asked("店铺").text)
        self.lingxing.stop()
        self.assertIn("连不上", self.asked("店铺").text)

    def test_odd_payloads_are_refused_or_ignored_and_do_no_harm(self):
        bot = self.bot(keys='app_id = "cli_fake"\napp_secret = "fake-secret"', save=False)
        event = {"schema": "2.0", "header": {"event_type": "im.message.receive_v1", "event_id": "e"}}
        events = [event, {**event, "event": []}, {**event, "event": {"message": []}}, {**event, "header": "x"},
                  {**event, "event": {"message": {"message_id": "../x", "chat_id": "oc", "chat_type": "p2p"}}},
                  {**event, "event": {"message": {"message_id": 7, "chat_id": [], "content": "{"}}}]
        for body in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"encrypt":"AAAA"}', b'{"encrypt":7}', b"{}",
                     b'{"schema":"2.0"}', b"[" * 5000, *(json.dumps(each).encode() for each in events)):
            status, _ = bot.ask("POST", "/feishu/webhook", body)
            self.assertIn(status, (200, 400), body[:60])
        self.assertEqual(bot.ask("POST", "/feishu/webhook", b"x" * (1024 * 1024 + 1))[0], 413)
        self.assertEqual(bot.ask("GET", "/feishu/webhook")[0], 405)
        self.assertEqual(bot.ask("GET", "/other")[0], 404)
        self.assertEqual(bot.health()["replies"]["sent"], 0)

    def test_a_wrong_signature_is_refused(self):
        bot = self.bot()
        self.feishu.sender.encrypt_key = "other"
        self.assertFalse(self.feishu.say(self.conversation, "帮助").wait(20))
        with self.assertRaises(CallbackError):
            self.feishu.sender.press({"command": "店铺"}, "om_1", "oc_1")
        plain = b'{"schema":"2.0","header":{"event_id":"e","event_type":"im.message.receive_v1","token":"vtoken"}}'
        self.assertEqual(bot.ask("POST", "/feishu/webhook", plain)[0], 401)
        self.assertEqual(self.conversation.replies(), [])
        self.assertGreaterEqual(bot.health()["events"]["refused"], 6)

    def test_without_credentials_challenges_are_answered_and_events_left_for_later(self):
        bot = self.bot(keys='encrypt_key = "ekey"\nverification_token = "vtoken"')
        self.assertEqual((bot.health()["status"], bot.health()["missing"]), ("incomplete", ["app_id", "app_secret"]))
        push = self.feishu.say(self.conversation, "帮助")
        self.assertFalse(push.wait(20))
        self.assertEqual({each.status for each in push.attempts}, {503})
        toast = self.feishu.sender.press({"command": "店铺"}, "om_1", "oc_1")["toast"]
        self.assertEqual(toast["type"], "error")

    def test_the_environment_brings_what_the_file_does_not_have(self):
        self.bot(keys='app_id = "other"', env={"FEISHU_APP_ID": "cli_fake", "FEISHU_APP_SECRET": "fake-secret",
                                               "FEISHU_ENCRYPT_KEY": "ekey", "FEISHU_VERIFICATION_TOKEN": "vtoken"})
        self.assertEqual(self.asked("帮助").msg_type, "interactive")
        self.assert_no_problems()

    def test_a_wrong_verification_token_fails_the_challenge(self):
        bot = self.bot(save=False)
        self.feishu.sender.verification_token = "other"
        with self.assertRaises(ConsoleError):
            self.feishu.save_request_url(bot.webhook)


class Delivery(BotTest):
    def test_a_repeated_delivery_is_answered_once(self):
        bot = self.bot()
        push = self.feishu.say(self.conversation, "帮助")
        push.wait()
        self.conversation.wait_for_replies()
        for _ in range(3):
            self.assertTrue(self.feishu.sender.push_again(push).is_good)
        self.asked("帮助")  # all before it has been looked at
        self.assertEqual(len(self.conversation.replies(push.message_id)), 1)
        self.assertEqual(bot.health()["events"]["repeated"], 3)

    def test_a_delivery_repeated_to_the_next_process_is_answered_once_too(self):
        first = self.bot()
        push = self.feishu.say(self.conversation, "帮助")
        push.wait()
        self.conversation.wait_for_replies()
        first.stop()
        self.bot()
        self.assertTrue(self.feishu.sender.push_again(push).is_good)
        self.asked("帮助")
        self.assertEqual(len(self.conversation.replies(push.message_id)), 1)

    def test_more_than_five_a_second_wait_for_their_turn(self):
        self.bot()
        pushes = [self.feishu.say(self.conversation, "你好") for _ in range(8)]
        self.conversation.wait_for_replies(8)
        self.assertEqual({each.parent_id for each in self.conversation.replies()}, {each.message_id for each in pushes})
        self.assert_no_problems()  # no 429

    def test_a_429_is_waited_out_as_long_as_feishu_says(self):
        self.bot()
        self.feishu.platform.limit_next(2, reset=1)
        self.assertEqual(self.asked("帮助").msg_type, "interactive")
        self.assertEqual(self.feishu.platform.count(REPLIES), 3)
        self.assertEqual(len(self.conversation.replies()), 1)

    def test_a_token_is_kept_until_feishu_no_longer_takes_it(self):
        self.bot()
        for _ in range(3):
            self.asked("帮助")
        self.assertEqual(self.feishu.platform.count(TOKENS), 1)
        self.feishu.platform.expire_tokens()
        self.assertEqual(self.asked("帮助").msg_type, "interactive")
        self.assertEqual(self.feishu.platform.count(TOKENS), 2)
        self.assertEqual([each.split()[0] for each in self.feishu.platform.problems], ["99991663"])

    def test_what_was_acknowledged_is_answered_before_the_bot_ends(self):
        gate, bot, push = self.bot_at_work()
        bot.popen.terminate()
        bot.wait_for_log("stopping")
        gate.open()
        self.assertIn("一店", self.conversation.wait_for_replies(1, push.message_id)[0].text)
        self.assert_ends(bot)


class Crashes(BotTest):
    """What is acknowledged is answered, whatever becomes of the process."""

    def interrupted(self):
        """A bot that was killed between its acknowledgement and its reply: (bot, push)."""
        gate, bot, push = self.bot_at_work()
        bot.kill9()
        gate.open()
        self.assertEqual(self.conversation.replies(), [])
        return bot, push

    def assert_one_reply(self, bot, push):
        self.assertIn("一店", self.conversation.wait_for_replies(1, push.message_id)[0].text)
        eventually(lambda: bot.health()["events"]["unanswered"] == 0, 20, "nothing is left to do")
        self.assertEqual(len(self.conversation.replies(push.message_id)), 1)

    def test_kill_9_between_acknowledgement_and_reply_loses_no_answer(self):
        bot, push = self.interrupted()
        bot.start()
        self.assert_one_reply(bot, push)
        bot.kill9()
        bot.start()
        self.feishu.save_request_url(bot.webhook)
        self.assertTrue(self.feishu.sender.push_again(push).is_good)
        self.asked("帮助")  # all before it has been looked at
        self.assertEqual(len(self.conversation.replies(push.message_id)), 1)
        self.assert_no_problems()

    def test_kill_9_between_reply_and_its_note_shows_one_reply(self):
        bot, push = self.interrupted()
        before = bot.journal.read_bytes()
        bot.start()
        self.assert_one_reply(bot, push)
        bot.kill9()
        bot.journal.write_bytes(before)  # as if it had been killed before it noted that it has replied
        bot.start()
        eventually(lambda: self.feishu.platform.count(REPLIES) == 2, 20, "it replies again")
        self.assert_one_reply(bot, push)

    def test_a_line_that_the_crash_tore_does_not_matter(self):
        bot, push = self.interrupted()
        whole = bot.journal.read_bytes()
        self.assertEqual(whole.count(b"\n"), 1)
        bot.journal.write_bytes(whole + whole[:-20])
        bot.start()
        self.assert_one_reply(bot, push)

    def test_a_second_process_does_not_get_the_journal(self):
        bot = self.bot()
        second = Process("second-bot", [])
        second.arguments = [BOT, "--config", str(bot.config)]
        second.directory = bot.directory
        self.addCleanup(second.kill9)
        second.start()
        self.assertEqual(second.popen.wait(20), 1)
        self.assertIn("feishu-bot.journal.lock is locked by another process", second.log())


class ShortLivedTokens(BotTest):
    token_life = 2

    def test_a_token_is_renewed_before_its_end(self):
        self.bot()
        eventually(lambda: self.asked("帮助") and self.feishu.platform.count(TOKENS) >= 3, 20)
        self.assert_no_problems()


class Plain(BotTest):
    encrypt_key = ""

    def test_without_an_encrypt_key_the_verification_token_proves_events(self):
        self.bot()
        self.assertEqual(self.asked("帮助").msg_type, "interactive")
        self.assertEqual(self.feishu.sender.press_old({"command": "帮助"}, self.conversation.replies()[0].message_id)
                         ["toast"]["type"], "info")
        self.conversation.wait_for_replies(2)
        self.feishu.sender.verification_token = "other"
        push = self.feishu.say(self.conversation, "帮助")
        self.assertFalse(push.wait(20))
        self.assertEqual({each.status for each in push.attempts}, {401})


if __name__ == "__main__":
    unittest.main()
