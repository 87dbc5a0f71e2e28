#!/usr/bin/python3
"""The fake Feishu against published vectors, and against programs that get something wrong."""

import json
import threading
import time
import unittest
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import feishu_crypto
from feishu import FakeFeishu
from feishu_platform import SEND_PATH, TOKEN_PATH
from feishu_sender import CallbackError, ConsoleError

VECTORS = Path(__file__).parents[1] / "support" / "provider_vectors.json"
IV = bytes(range(16))
RIGHT = {"app_id": "cli_fake", "app_secret": "fake-secret"}
CHALLENGE = '{"challenge":"ajls384kdjx98XX","token":"vtoken","type":"url_verification"}'
# Accepted by @larksuiteoapi/node-sdk 1.74.0.
SEALED = ("AAECAwQFBgcICQoLDA0OD8dQRPuQu4G0c1Asj/xLYivx+w22y+EEVFy4/P5gVB8cqN6d7GEMQj8b9bOOBrguVOUSCmeO4zy3zP4b7hkm"
          "fWjVPxHX06nF0p+YZOy1GvrG")


def asks(url, body, token=None, kind="application/json; charset=utf-8", raw=None):
    """(status, JSON, fields) of a POST."""
    request = urllib.request.Request(url, raw if raw is not None else json.dumps(body).encode(), method="POST",
                                     headers={"Content-Type": kind})
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.loads(response.read()), response.headers
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read()), error.headers


class Bot:
    """A request URL whose every answer a test scripts: `answer`(body) gives (status, bytes)."""

    def __init__(self, answer):
        bot = self
        self.answer, self.requests = answer, []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                bot.requests.append((dict(self.headers.items()), body))
                status, data = bot.answer(body)
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    pass  # it was too late

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/feishu/webhook"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def echo_challenge(body):
    return 200, json.dumps({"challenge": json.loads(body).get("challenge")}).encode()


class FakeTest(unittest.TestCase):
    def fake(self, **options):
        fake = FakeFeishu(**options).start()
        self.addCleanup(fake.stop)
        return fake

    def bot(self, answer):
        bot = Bot(answer)
        self.addCleanup(bot.stop)
        return bot


class Vectors(unittest.TestCase):
    def test_bodies_are_sealed_as_the_documents_say(self):
        official = "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="
        self.assertEqual(feishu_crypto.unseal("test key", official), b"hello world")
        self.assertEqual(feishu_crypto.seal("ekey", CHALLENGE.encode(), IV), SEALED)
        self.assertNotEqual(feishu_crypto.seal("ekey", b"x"), feishu_crypto.seal("ekey", b"x"), "the IV is random")
        for size in range(40):
            plain = bytes(range(size))
            self.assertEqual(feishu_crypto.unseal("k", feishu_crypto.seal("k", plain)), plain)
        with self.assertRaises(ValueError):
            feishu_crypto.unseal("other", SEALED)

    def test_events_are_signed_as_the_official_libraries_expect(self):
        body = json.dumps({"encrypt": SEALED}, separators=(",", ":")).encode()
        self.assertEqual(feishu_crypto.sign_event("1700000000", "abc123", "ekey", body),
                         "e0c0c5f43999628232c0ed05a00599280c50ecc707d52aa405a6e14dc346d848")
        seen = 0
        for each in json.loads(VECTORS.read_text())["requests"]:
            fields = dict(each["fields"])
            if each["provider"] != "feishu" or "X-Lark-Signature" not in fields:
                continue
            (kind, secret), = each["secrets"]
            sign = feishu_crypto.sign_event if kind == "encrypt_key" else feishu_crypto.sign_card
            self.assertEqual(sign(fields["X-Lark-Request-Timestamp"], fields["X-Lark-Request-Nonce"], secret,
                                  each["body"].encode()), fields["X-Lark-Signature"], each["name"])
            seen += 1
        self.assertEqual(seen, 3)


class Platform(FakeTest):
    def setUp(self):
        self.feishu = self.fake()
        self.conversation = self.feishu.chat()
        self.message = self.feishu.say(self.conversation, "hi")
        self.token = asks(self.feishu.url + TOKEN_PATH, RIGHT)[1]["tenant_access_token"]

    def reply(self, token=None, message_id=None, **changes):
        body = {"msg_type": "text", "content": '{"text":"hello"}', **changes}
        path = f"{SEND_PATH}/{message_id or self.message.message_id}/reply"
        status, answer, fields = asks(self.feishu.url + path, body, self.token if token is None else token)
        return status, answer["code"], answer.get("data"), fields

    def test_a_token_costs_the_right_secret_and_stays_the_same(self):
        _, answer, _ = asks(self.feishu.url + TOKEN_PATH, RIGHT)
        self.assertEqual((answer["code"], answer["tenant_access_token"]), (0, self.token))
        self.assertLessEqual(answer["expire"], 7200)
        for wrong in ({**RIGHT, "app_secret": "other"}, {**RIGHT, "app_id": "other"}, {"app_id": "cli_fake"},
                      {**RIGHT, "more": 1}):
            self.assertNotEqual(asks(self.feishu.url + TOKEN_PATH, wrong)[1]["code"], 0, wrong)
        for kind, raw in (("text/plain", None), ("application/json", b"{"), ("application/json", b"[]")):
            self.assertEqual(asks(self.feishu.url + TOKEN_PATH, RIGHT, kind=kind, raw=raw)[0], 400)

    def test_a_new_token_comes_near_the_old_ones_end_and_both_are_good(self):
        feishu = self.fake(token_life=2)
        first = asks(feishu.url + TOKEN_PATH, RIGHT)[1]["tenant_access_token"]
        until = time.monotonic() + 5
        while (second := asks(feishu.url + TOKEN_PATH, RIGHT)[1]["tenant_access_token"]) == first:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.02)
        for token in (first, second):
            self.assertNotEqual(asks(feishu.url + SEND_PATH, {}, token)[1]["code"], 99991663)
        feishu.platform.expire_tokens()
        self.assertEqual(asks(feishu.url + SEND_PATH, {}, second)[1]["code"], 99991663)

    def test_a_reply_stands_in_the_chat(self):
        status, code, data, _ = self.reply(uuid="u")
        self.assertEqual((status, code), (200, 0))
        reply, = self.conversation.replies(self.message.message_id)
        self.assertEqual((reply.text, reply.message_id), ("hello", data["message_id"]))
        self.assertIn("机器人: hello", self.conversation.transcript())
        self.assertEqual(self.feishu.platform.problems, [])

    def test_what_a_reply_gets_wrong_is_refused(self):
        for expected, changes in (
                ((400, 99991661), {"token": ""}), ((400, 99991663), {"token": "t-other"}),
                ((400, 230001), {"message_id": "om_other"}), ((400, 230001), {"content": {"text": "x"}}),
                ((400, 230001), {"content": "hello"}), ((400, 230001), {"content": "[]"}),
                ((400, 230001), {"content": '{"text":""}'}), ((400, 230001), {"content": '{"text":"x","more":1}'}),
                ((400, 230001), {"msg_type": "card"}), ((400, 230099), {"msg_type": "interactive"}),
                ((400, 230001), {"msg_type": "post"}), ((400, 230001), {"uuid": "x" * 51}),
                ((400, 230001), {"reply_in_thread": "no"}), ((400, 230001), {"unknown": 1}),
                ((400, 230025), {"content": json.dumps({"text": "x" * (150 * 1024)})}),
                ((400, 230025), {"msg_type": "interactive",
                                 "content": json.dumps({"elements": ["x" * (30 * 1024)]})})):
            with self.subTest(**{key: str(value)[:40] for key, value in changes.items()}):
                before = len(self.feishu.platform.problems)
                self.assertEqual(self.reply(**changes)[:2], expected)
                self.assertEqual(len(self.feishu.platform.problems), before + 1)
        self.assertEqual(self.conversation.replies(), [])

    def test_the_same_uuid_sends_once(self):
        first, second = self.reply(uuid="same")[2], self.reply(uuid="same")[2]
        self.assertEqual(first["message_id"], second["message_id"])
        self.assertEqual(len(self.conversation.replies()), 1)
        self.reply()
        self.reply()
        self.assertEqual(len(self.conversation.replies()), 3)

    def test_the_sixth_message_in_a_second_is_too_much(self):
        self.assertEqual([self.reply()[1] for _ in range(5)], [0] * 5)
        status, code, _, fields = self.reply()
        self.assertEqual((status, code, fields["x-ogw-ratelimit-limit"], fields["x-ogw-ratelimit-reset"]),
                         (429, 99991400, "5", "1"))

    def test_messages_are_sent_to_a_chat_by_its_id(self):
        body = {"receive_id": self.conversation.chat_id, "msg_type": "text", "content": '{"text":"news"}'}
        url = self.feishu.url + SEND_PATH
        self.assertEqual(asks(url + "?receive_id_type=chat_id", body, self.token)[1]["code"], 0)
        self.assertEqual(asks(url, body, self.token)[1]["code"], 99992402)
        self.assertEqual(asks(url + "?receive_id_type=open_id", body, self.token)[1]["code"], 230002)
        self.assertEqual([each.text for each in self.conversation.replies()], ["news"])


class Sender(FakeTest):
    def test_a_request_url_is_saved_only_with_the_right_answer_in_time(self):
        feishu = self.fake()
        bot = self.bot(echo_challenge)
        feishu.save_request_url(bot.url)
        self.assertNotIn("X-Lark-Signature", bot.requests[0][0])
        for answer, complaint in ((lambda body: (500, echo_challenge(body)[1]), "500"),
                                  (lambda body: (200, b"ok"), "JSON"),
                                  (lambda body: (200, b'{"challenge":"other"}'), "Challenge"),
                                  (lambda body: (time.sleep(1.2), echo_challenge(body))[1], "1.0 s")):
            bot.answer = answer
            with self.assertRaisesRegex(ConsoleError, complaint):
                feishu.save_request_url(bot.url)
        with self.assertRaises(ConsoleError):
            feishu.save_request_url("http://127.0.0.1:9/")

    def test_events_come_sealed_and_signed_and_again_until_they_are_taken(self):
        feishu = self.fake(encrypt_key="ekey", speed=3000)
        statuses = [500, 404, 200]
        bot = self.bot(lambda body: (statuses.pop(0), b""))
        feishu.sender.request_url = bot.url
        push = feishu.say(feishu.chat(), "hi")
        self.assertTrue(push.wait())
        self.assertEqual([each.status for each in push.attempts], [500, 404, 200])
        plains = []
        for fields, body in bot.requests:
            sealed = json.loads(body)
            self.assertEqual(set(sealed), {"encrypt"})
            plains.append(json.loads(feishu_crypto.unseal("ekey", sealed["encrypt"])))
            signature = feishu_crypto.sign_event(fields["X-Lark-Request-Timestamp"], fields["X-Lark-Request-Nonce"],
                                                 "ekey", body)
            self.assertEqual(signature, fields["X-Lark-Signature"])
        self.assertEqual({each["header"]["event_id"] for each in plains}, {push.event_id})
        self.assertEqual(len({body for _, body in bot.requests}), 3)

    def test_after_four_retries_an_event_is_lost(self):
        feishu = self.fake(speed=300_000)
        bot = self.bot(lambda body: (500, b""))
        feishu.sender.request_url = bot.url
        push = feishu.sender.push("p2p_chat_create", {}, version=1)
        self.assertFalse(push.wait())
        self.assertEqual(len(push.attempts), 5)
        self.assertEqual(json.loads(bot.requests[0][1])["uuid"], push.event_id)

    def test_an_answer_after_three_seconds_is_none(self):
        feishu = self.fake(speed=300_000)
        bot = self.bot(lambda body: (len(bot.requests) > 1 or time.sleep(3.3), (200, b""))[1])
        feishu.sender.request_url = bot.url
        push = feishu.say(feishu.chat(), "hi")
        self.assertTrue(push.wait(20))
        self.assertEqual([each.status for each in push.attempts], [0, 200])
        self.assertGreaterEqual(push.attempts[0].took, 3)

    def test_callbacks_give_their_answer_or_the_clients_error(self):
        feishu = self.fake()
        with self.assertRaisesRegex(CallbackError, "200340"):
            feishu.sender.press({"a": 1}, "om_1", "oc_1")
        bot = self.bot(lambda body: (200, b'{"toast":{"type":"info","content":"ok"}}'))
        feishu.sender.callback_url = bot.url
        self.assertEqual(feishu.sender.press({"a": 1}, "om_1", "oc_1")["toast"]["content"], "ok")
        self.assertEqual(feishu.sender.press_old({"a": 1}, "om_1")["toast"]["content"], "ok")
        for answer, code in (((500, b""), 200671), ((200, b""), 200672), ((200, b'{"msg":"x"}'), 200672),
                             ((200, b'{"toast":{"type":"loud","content":"x"}}'), 200672),
                             ((200, b'{"card":{}}'), 200673)):
            bot.answer = lambda body, answer=answer: answer
            with self.assertRaises(CallbackError) as caught:
                feishu.sender.press({"a": 1}, "om_1", "oc_1")
            self.assertEqual(caught.exception.code, code)


if __name__ == "__main__":
    unittest.main()
