"""The chats of the fake Feishu: who said what, kept to be asserted on and to be printed."""

import json
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Message:
    message_id: str
    sender: str  # "app", or a person's open_id
    msg_type: str
    content: str  # JSON, as it came
    parent_id: str = ""  # what it replies to
    uuid: str = ""
    at: float = field(default_factory=time.time)

    @property
    def body(self):
        return json.loads(self.content)

    @property
    def text(self):
        """What people see: the text, or a card's words."""
        if self.msg_type == "text":
            return self.body["text"]
        return "\n".join(_words(self.body))

    def buttons(self):
        """The values of a card's buttons, in order."""
        return [each["value"] for each in _objects(self.body) if each.get("tag") == "button"]


def _objects(value):
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _objects(each)


def _words(card):
    return [each["content"] for each in _objects(card) if isinstance(each.get("content"), str)]


class Chat:
    """One chat: "p2p" with a person, or a "group"."""

    def __init__(self, chat_id, kind, person):
        self.chat_id, self.kind, self.person = chat_id, kind, person
        self.messages = []
        self.sent_at = []  # when the app's latest messages came, for the limit of 5 a second
        self.changed = threading.Condition()

    def add(self, message):
        with self.changed:
            self.messages.append(message)
            self.changed.notify_all()

    def find(self, message_id):
        return next((each for each in self.messages if each.message_id == message_id), None)

    def replies(self, message_id=None):
        """What the app said, or what it said to one message."""
        return [each for each in list(self.messages)
                if each.sender == "app" and message_id in (None, each.parent_id)]

    def wait_for_replies(self, count=1, message_id=None, timeout=10):
        """The app's messages, once there are so many."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.replies(message_id)) >= count, timeout):
                raise AssertionError(f"{len(self.replies(message_id))} of {count} replies within {timeout} s:"
                                     f"\n{self.transcript()}")
            return self.replies(message_id)

    def transcript(self):
        lines = []
        for each in list(self.messages):
            who = "机器人" if each.sender == "app" else self.person
            kind = "" if each.msg_type == "text" else f"[{each.msg_type}] "
            text = f"{kind}{each.text}".replace("\n", "\n" + " " * 12)
            lines.append(f"{time.strftime('%H:%M:%S', time.localtime(each.at))}  {who}: {text}")
        return "\n".join(lines)
