#!/usr/bin/python3
"""A stand-in for the Feishu open platform, as strict as its documents: for tests, and to try a bot without an account.

    tests/fakes/feishu.py --bot http://127.0.0.1:5000/feishu/webhook [--port 5002] [--encrypt-key KEY] [WORD...]

    Saves the request URL, says each WORD to the bot in a private chat, presses the buttons of the cards that come
    back, and prints the chat. Without words it reads lines from the terminal. The bot reaches it by its Feishu URL:

    example: tests/fakes/feishu.py --bot http://127.0.0.1:5000/feishu/webhook 帮助 店铺 '订单 3' &
             FEISHU_APP_ID=cli_fake FEISHU_APP_SECRET=fake-secret rockdove-feishu-bot --config bot.toml
             with  [feishu] url = "http://127.0.0.1:5002"  in bot.toml
"""

import argparse
import json
import secrets
import sys
import threading
import time

from feishu_chats import Message
from feishu_platform import Platform, PlatformServer
from feishu_sender import CallbackError, ConsoleError, Sender


class FakeFeishu:
    """One app on the platform: `platform` is what it calls, `sender` what calls it.

    `speed`: by how much the waits between an event's retries are shorter than the real ones.
    `token_life`: seconds that an access token is valid.
    """

    def __init__(self, app_id="cli_fake", app_secret="fake-secret", encrypt_key="", verification_token="vtoken",
                 speed=1.0, token_life=7200, host="127.0.0.1", port=0):
        self.platform = Platform(app_id, app_secret, token_life)
        self.sender = Sender(app_id, encrypt_key, verification_token, speed)
        self._server = PlatformServer(self.platform, host, port)
        self.port = self._server.server_address[1]
        self.url = f"http://{host}:{self.port}"

    def start(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        self.sender.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def save_request_url(self, url):
        """As the console does: for events and for callbacks. Raises ConsoleError if the answer is not right."""
        self.sender.challenge(url)
        self.sender.request_url = self.sender.callback_url = url

    def chat(self, kind="p2p", person="小明"):
        return self.platform.new_chat(kind, person)

    def say(self, chat, text, mention=True, msg_type="text", sender_type="user"):
        """Somebody writes into a chat, in a group to the bot unless `mention` is false. Returns the Push."""
        mentions = []
        if chat.kind == "group" and mention:
            text = "@_user_1 " + text
            mentions = [{"key": "@_user_1", "name": "机器人", "tenant_key": "tenant",
                         "id": {"open_id": "ou_bot", "user_id": "", "union_id": "on_bot"}}]
        content = {"text": text} if msg_type == "text" else {f"{msg_type}_key": text}
        message = Message("om_" + secrets.token_hex(16), "ou_person", msg_type, json.dumps(content))
        chat.add(message)
        now = str(int(time.time() * 1000))
        event = {"sender": {"sender_id": {"union_id": "on_person", "user_id": "u1", "open_id": "ou_person"},
                            "sender_type": sender_type, "tenant_key": "tenant"},
                 "message": {"message_id": message.message_id, "create_time": now, "update_time": now,
                             "chat_id": chat.chat_id, "chat_type": chat.kind, "message_type": msg_type,
                             "content": message.content}}
        if mentions:
            event["message"]["mentions"] = mentions
        return self.sender.push("im.message.receive_v1", event, message_id=message.message_id)

    def press(self, chat, message, index=0):
        """Presses a button of a card; returns the answer, such as a toast."""
        return self.sender.press(message.buttons()[index], message.message_id, chat.chat_id)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bot", required=True, metavar="URL", help="the bot's request URL")
    parser.add_argument("--port", type=int, default=5002)
    parser.add_argument("--encrypt-key", default="")
    parser.add_argument("--verification-token", default="vtoken")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    fake = FakeFeishu(encrypt_key=options.encrypt_key, verification_token=options.verification_token,
                      port=options.port).start()
    print(f"Feishu's API: {fake.url}   app_id cli_fake   app_secret fake-secret")
    until = time.monotonic() + 30
    while True:
        try:
            fake.save_request_url(options.bot)
            break
        except ConsoleError as error:  # the bot may be about to start
            if time.monotonic() > until:
                sys.exit(f"{options.bot}: {error}")
            time.sleep(0.05)
    chat = fake.chat()
    for word in options.words or (line.strip() for line in sys.stdin):
        push = fake.say(chat, word)
        push.wait(60)
        for reply in chat.wait_for_replies(1, push.message_id, 150):
            for index, value in enumerate(reply.buttons() if reply.msg_type == "interactive" else []):
                before = len(chat.replies())
                try:
                    print(f"button {value}: {fake.press(chat, reply, index)}")
                    chat.wait_for_replies(before + 1, timeout=150)
                except CallbackError as error:
                    print(f"button {value}: {error}")
    print(chat.transcript())
    fake.stop()
    return 1 if fake.platform.problems else 0


if __name__ == "__main__":
    sys.exit(main())
