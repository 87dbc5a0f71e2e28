"""The API side of the fake Feishu: access tokens and messages, strict about everything that is documented."""

import json
import re
import secrets
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from feishu_chats import Chat, Message

TOKEN_PATH = "/open-apis/auth/v3/tenant_access_token/internal"
REPLY_PATH = re.compile(r"/open-apis/im/v1/messages/([^/]+)/reply")
SEND_PATH = "/open-apis/im/v1/messages"
RECEIVE_ID_TYPES = ("open_id", "user_id", "union_id", "email", "chat_id")
NEEDED = {"text": "text", "image": "image_key", "file": "file_key", "audio": "file_key", "media": "file_key",
          "sticker": "file_key", "share_chat": "chat_id", "share_user": "user_id", "system": "type"}
TEXT_MAX, CARD_MAX = 150 * 1024, 30 * 1024
PER_SECOND = 5  # messages to one person, or to one group from all bots
UUID_MAX, UUID_LIFE = 50, 3600
RENEWED_BELOW = 0.25  # of a token's life: 30 minutes of 2 hours


@dataclass
class Refusal(Exception):
    """What the platform answers in place of what was asked for."""

    status: int
    code: int
    msg: str
    fields: tuple = ()


def bad_parameter(ext):
    return Refusal(400, 230001, f"Your request contains an invalid request parameter, ext={ext}")


def check_content(msg_type, content, size):
    """Raises Refusal unless `content` is what a message of that type is made of."""
    if not isinstance(content, str):
        raise bad_parameter("content is not a string in json format")
    try:
        value = json.loads(content)
    except ValueError:
        raise bad_parameter("content is not a string in json format") from None
    if not isinstance(value, dict):
        raise bad_parameter("content is not a json object")
    if msg_type == "interactive":
        is_card = isinstance(value.get("elements"), list) or value.get("type") == "template" or \
            (value.get("schema") == "2.0" and isinstance(value.get("body"), dict))
        if not is_card:
            raise Refusal(400, 230099, "Failed to create card content, ext=ErrCode: 200621; parse card json err")
    elif msg_type == "post":
        if not value or not all(isinstance(each, dict) and isinstance(each.get("content"), list)
                                for each in value.values()):
            raise bad_parameter("content of post is invalid")
    else:
        key = NEEDED[msg_type]
        if not isinstance(value.get(key), str) or not value[key]:
            raise bad_parameter(f"{key} is empty")
        if msg_type == "text" and set(value) != {"text"}:
            raise bad_parameter("unknown member of a text")
    if size > (CARD_MAX if msg_type in ("interactive", "post") else TEXT_MAX):
        raise Refusal(400, 230025, "The length of the message content reaches its limit")


class Platform:
    """Tokens, chats and their limits; what the HTTP handler below calls. `problems`: every request that a
    program should not have made, in words."""

    def __init__(self, app_id, app_secret, token_life):
        self.app_id, self.app_secret, self.token_life = app_id, app_secret, token_life
        self.chats, self.problems, self.calls = {}, [], []
        self.lock = threading.RLock()
        self._tokens = []  # (text, end), the newest last
        self._uuids = {}  # (chat, uuid) -> (message, end)
        self._limited = []  # resets of 429 answers to give whatever the count is

    # What a test asks for.

    def new_chat(self, kind="p2p", person="小明"):
        chat = Chat("oc_" + secrets.token_hex(16), kind, person)
        self.chats[chat.chat_id] = chat
        return chat

    def limit_next(self, count=1, reset=1):
        """The next messages are answered with 429 as if the limit were reached."""
        with self.lock:
            self._limited += [reset] * count

    def expire_tokens(self):
        """No token that was given out so far is valid any more."""
        with self.lock:
            self._tokens.clear()

    def count(self, path):
        return sum(1 for each in list(self.calls) if re.fullmatch(path, each))

    # What a program asks for.

    def token(self, body):
        if set(body) != {"app_id", "app_secret"}:
            raise Refusal(200, 10003, "invalid param")
        if body["app_id"] != self.app_id or body["app_secret"] != self.app_secret:
            raise Refusal(200, 10014, "app secret invalid")
        now = time.monotonic()
        with self.lock:
            self._tokens = [each for each in self._tokens if each[1] > now]
            if not self._tokens or self._tokens[-1][1] - now < RENEWED_BELOW * self.token_life:
                self._tokens.append(("t-" + secrets.token_hex(20), now + self.token_life))
            text, end = self._tokens[-1]
        return {"code": 0, "msg": "ok", "tenant_access_token": text, "expire": int(end - now)}

    def authorize(self, value):
        scheme, _, token = (value or "").partition(" ")
        if scheme != "Bearer" or not token:
            raise Refusal(400, 99991661, "Missing access token for authorization.")
        with self.lock:
            if not any(text == token and end > time.monotonic() for text, end in self._tokens):
                raise Refusal(400, 99991663, "Invalid access token for authorization.")

    def reply(self, message_id, body, size):
        self._check_members(body, {"content", "msg_type", "reply_in_thread", "uuid"})
        chat = next((each for each in list(self.chats.values()) if each.find(message_id)), None)
        if not chat:
            raise bad_parameter("message_id not exist")
        if not isinstance(body.get("reply_in_thread", False), bool):
            raise bad_parameter("reply_in_thread is not a bool")
        return self._post(chat, body, size, parent_id=message_id)

    def send(self, receive_id_type, body, size):
        if receive_id_type not in RECEIVE_ID_TYPES:
            raise Refusal(400, 99992402, "field validation failed, receive_id_type")
        self._check_members(body, {"receive_id", "content", "msg_type", "uuid"})
        receiver = body.get("receive_id")
        field = "chat_id" if receive_id_type == "chat_id" else "person"
        chat = next((each for each in list(self.chats.values()) if getattr(each, field) == receiver), None)
        if not chat:
            raise Refusal(400, 230002, "Bot/User can NOT be out of the chat.")
        return self._post(chat, body, size)

    @staticmethod
    def _check_members(body, known):
        if unknown := set(body) - known:
            raise bad_parameter(f"unknown members {sorted(unknown)}")
        if body.get("msg_type") not in (*NEEDED, "post", "interactive"):
            raise bad_parameter("invalid msg_type")
        uuid = body.get("uuid", "")
        if not isinstance(uuid, str) or len(uuid) > UUID_MAX:
            raise bad_parameter(f"uuid exceeds {UUID_MAX} characters")

    def _post(self, chat, body, size, parent_id=""):
        check_content(body["msg_type"], body.get("content"), size)
        uuid, now = body.get("uuid", ""), time.monotonic()
        with self.lock:
            self._check_rate(chat, now)
            earlier, end = self._uuids.get((chat.chat_id, uuid), (None, 0))
            if uuid and end > now:
                return self._describe(chat, earlier)
            message = Message("om_" + secrets.token_hex(16), "app", body["msg_type"], body["content"], parent_id, uuid)
            self._uuids[chat.chat_id, uuid] = (message, now + UUID_LIFE)
        chat.add(message)
        return self._describe(chat, message)

    def _check_rate(self, chat, now):
        chat.sent_at = [each for each in chat.sent_at if now - each < 1]
        if not self._limited and len(chat.sent_at) < PER_SECOND:
            chat.sent_at.append(now)
            return
        reset = self._limited.pop(0) if self._limited else 1
        raise Refusal(429, 99991400, "request trigger frequency limit",
                      (("x-ogw-ratelimit-limit", str(PER_SECOND)), ("x-ogw-ratelimit-reset", str(reset))))

    def _describe(self, chat, message):
        at = str(int(message.at * 1000))
        data = {"message_id": message.message_id, "msg_type": message.msg_type, "create_time": at, "update_time": at,
                "deleted": False, "updated": False, "chat_id": chat.chat_id,
                "sender": {"id": self.app_id, "id_type": "app_id", "sender_type": "app", "tenant_key": "tenant"},
                "body": {"content": message.content}}
        if message.parent_id:
            data |= {"root_id": message.parent_id, "parent_id": message.parent_id}
        return {"code": 0, "msg": "success", "data": data}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self):
        platform, url = self.server.platform, urlsplit(self.path)
        platform.calls.append(url.path)
        try:
            body, size = self.read_json()
            status, answer, fields = 200, self.ask(platform, url, body, size), ()
        except Refusal as refusal:
            status, fields = refusal.status, refusal.fields
            answer = {"code": refusal.code, "msg": refusal.msg}
            platform.problems.append(f"{refusal.code} {refusal.msg} ({self.path})")
        data = json.dumps(answer, ensure_ascii=False).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json; charset=utf-8"), *fields,
                            ("X-Tt-Logid", secrets.token_hex(16)), ("Content-Length", str(len(data)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def ask(self, platform, url, body, size):
        if url.path == TOKEN_PATH:
            return platform.token(body)
        platform.authorize(self.headers.get("Authorization"))
        if found := REPLY_PATH.fullmatch(url.path):
            return platform.reply(unquote(found[1]), body, size)
        if url.path == SEND_PATH:
            query = parse_qs(url.query)
            return platform.send(query.get("receive_id_type", [""])[0], body, size)
        raise Refusal(404, 404, "404 page not found")

    def read_json(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self.close_connection = True
            raise Refusal(411, 411, "Content-Length is missing")
        raw = self.rfile.read(int(length))
        kind = self.headers.get("Content-Type", "").lower().replace(" ", "")
        if kind not in ("application/json", "application/json;charset=utf-8"):
            raise Refusal(400, 9499, f"Bad Request: Content-Type {kind}")
        try:
            body = json.loads(raw.decode("utf-8"))
        except ValueError:
            raise Refusal(400, 9499, "Bad Request: the body is no JSON") from None
        if not isinstance(body, dict):
            raise Refusal(400, 9499, "Bad Request: the body is no JSON object")
        return body, len(raw)

    def do_GET(self):
        self.server.platform.calls.append(self.path)
        self.server.platform.problems.append(f"GET {self.path}")
        self.send_error(404)

    def log_message(self, *_):
        pass


class PlatformServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, platform, host, port):
        self.platform = platform
        super().__init__((host, port), Handler)
