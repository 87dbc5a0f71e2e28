"""The sending side of the fake Feishu: challenges, events with their retries, callbacks of cards."""

import http.client
import json
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from feishu_crypto import seal, sign_card, sign_event

RETRIES = (15, 300, 3600, 21600)  # seconds after a failed push until the next one
CHALLENGE_LIMIT, LIMIT, CONNECT_LIMIT = 1.0, 3.0, 2.0  # seconds
TOASTS = ("info", "success", "error", "warning")


class ConsoleError(AssertionError):
    """What the developer console says when it does not save a request URL."""


class CallbackError(AssertionError):
    """What whoever pressed a button sees; `code` is the client's error code."""

    def __init__(self, code, why):
        super().__init__(f"{code}: {why}")
        self.code = code


@dataclass
class Attempt:
    """One request and how it ended: the answer, or `error` in words."""

    status: int = 0
    body: bytes = b""
    error: str = ""
    took: float = 0.0

    @property
    def is_good(self):
        return self.status == 200


def post(url, body, fields, limit, connect_limit=CONNECT_LIMIT):
    """POSTs within `limit` seconds in all, as strictly as the platform counts."""
    parts, attempt, began = urlsplit(url), Attempt(), time.monotonic()
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=min(connect_limit, limit))
    over = threading.Event()
    timer = None
    try:
        connection.connect()
        sock = connection.sock
        sock.settimeout(limit)

        def cut():
            over.set()
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

        timer = threading.Timer(max(0.001, limit - (time.monotonic() - began)), cut)
        timer.daemon = True
        timer.start()
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        connection.request("POST", target, body, {"Content-Type": "application/json; charset=utf-8", **fields})
        response = connection.getresponse()
        attempt.body = response.read()
        attempt.status = response.status
        if over.is_set():
            raise TimeoutError
    except TimeoutError:
        attempt.status, attempt.error = 0, f"no answer within {limit} s"
    except (OSError, http.client.HTTPException) as error:
        late = over.is_set()
        attempt.status, attempt.error = 0, f"no answer within {limit} s" if late else f"{type(error).__name__}: {error}"
    finally:
        if timer:
            timer.cancel()
        connection.close()
        attempt.took = time.monotonic() - began
    return attempt


class Push:
    """An event on its way; `attempts` grows until one is good or the retries are used up."""

    def __init__(self, event_id, body, message_id=""):
        self.event_id, self.body, self.message_id = event_id, body, message_id
        self.attempts = []
        self.ended = threading.Event()

    @property
    def is_delivered(self):
        return any(each.is_good for each in self.attempts)

    def wait(self, timeout=10):
        """Waits for the end and says whether the event was taken."""
        if not self.ended.wait(timeout):
            raise AssertionError(f"the push has not ended within {timeout} s: {self.attempts}")
        return self.is_delivered


class Sender:
    """`speed` shortens the waits between retries, not the time limits."""

    def __init__(self, app_id, encrypt_key, verification_token, speed):
        self.app_id, self.encrypt_key, self.verification_token = app_id, encrypt_key, verification_token
        self.speed = speed
        self.request_url = self.callback_url = ""
        self.stopped = threading.Event()

    def seal(self, value):
        """The body of a request that says `value`. Each has an IV of its own."""
        plain = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return json.dumps({"encrypt": seal(self.encrypt_key, plain)}).encode() if self.encrypt_key else plain

    def sign(self, body):
        """The fields beside an event or a new callback: without an Encrypt Key there is no signature."""
        timestamp, nonce = str(int(time.time())), secrets.token_hex(8)
        if not self.encrypt_key:
            return {}
        return {"X-Lark-Request-Timestamp": timestamp, "X-Lark-Request-Nonce": nonce,
                "X-Lark-Signature": sign_event(timestamp, nonce, self.encrypt_key, body)}

    def challenge(self, url):
        """Raises ConsoleError unless `url` answers a challenge as the console wants it. It is never signed."""
        word = secrets.token_hex(8)
        body = self.seal({"challenge": word, "token": self.verification_token, "type": "url_verification"})
        attempt = post(url, body, {}, CHALLENGE_LIMIT)
        if attempt.error:
            raise ConsoleError(f"请求超时或连接失败: {attempt.error}")
        if attempt.status != 200:
            raise ConsoleError(f"返回的 HTTP 状态码是 {attempt.status}, 应为 200: {attempt.body[:200]!r}")
        try:
            answer = json.loads(attempt.body)
        except ValueError:
            raise ConsoleError(f"返回数据不是合法的 JSON 格式: {attempt.body[:200]!r}") from None
        if not isinstance(answer, dict) or answer.get("challenge") != word:
            raise ConsoleError(f"Challenge code 没有返回: {answer!r}")
        return attempt

    def envelope(self, event_type, event, version=2):
        """(event id, what an event of that type says), as schema 2.0 or as the old one."""
        event_id = secrets.token_hex(16)
        if version == 1:
            return event_id, {"ts": f"{time.time():.7f}", "uuid": event_id, "token": self.verification_token,
                              "type": "event_callback",
                              "event": {"app_id": self.app_id, "tenant_key": "tenant", "type": event_type, **event}}
        header = {"event_id": event_id, "token": self.verification_token, "create_time": str(int(time.time() * 1000)),
                  "event_type": event_type, "tenant_key": "tenant", "app_id": self.app_id}
        return event_id, {"schema": "2.0", "header": header, "event": event}

    def push(self, event_type, event, version=2, message_id=""):
        """Sends an event, again by the schedule while it is not taken. Returns at once."""
        event_id, value = self.envelope(event_type, event, version)
        push = Push(event_id, value, message_id)
        if self.request_url:
            threading.Thread(target=self._deliver, args=(push,), daemon=True).start()
        else:
            push.ended.set()  # nobody has asked for events
        return push

    def push_again(self, push):
        """One more delivery of the same event, as happens although it was taken."""
        body = self.seal(push.body)
        return post(self.request_url, body, self.sign(body), LIMIT)

    def _deliver(self, push):
        try:
            for wait in (*RETRIES, None):
                push.attempts.append(self.push_again(push))
                if push.is_delivered or wait is None or self.stopped.wait(wait / self.speed):
                    return
        finally:
            push.ended.set()

    def press(self, value, message_id, chat_id, open_id="ou_person"):
        """card.action.trigger: the answer's JSON. Raises CallbackError as the client would show it."""
        event = {"operator": {"tenant_key": "tenant", "user_id": "u1", "open_id": open_id},
                 "token": "c-" + secrets.token_hex(17), "action": {"value": value, "tag": "button"},
                 "host": "im_message", "context": {"open_message_id": message_id, "open_chat_id": chat_id}}
        body = self.seal(self.envelope("card.action.trigger", event)[1])
        return self._call_back(body, self.sign(body))

    def press_old(self, value, message_id, open_id="ou_person"):
        """card.action.trigger_v1: plain, signed with the Verification Token."""
        body = json.dumps({"open_id": open_id, "user_id": "u1", "open_message_id": message_id, "tenant_key": "tenant",
                           "token": "c-" + secrets.token_hex(17), "action": {"value": value, "tag": "button"}}).encode()
        timestamp, nonce = str(int(time.time())), secrets.token_hex(8)
        return self._call_back(body, {"X-Lark-Request-Timestamp": timestamp, "X-Lark-Request-Nonce": nonce,
                                      "X-Lark-Signature": sign_card(timestamp, nonce, self.verification_token, body)})

    def _call_back(self, body, fields):
        if not self.callback_url:
            raise CallbackError(200340, "no callback address")
        attempt = post(self.callback_url, body, fields, LIMIT)
        if attempt.error:
            raise CallbackError(200341, attempt.error)
        if attempt.status != 200:
            raise CallbackError(200671, f"HTTP {attempt.status}: {attempt.body[:200]!r}")
        try:
            answer = json.loads(attempt.body)
        except ValueError:
            raise CallbackError(200672, f"no JSON: {attempt.body[:200]!r}") from None
        if not isinstance(answer, dict) or set(answer) - {"toast", "card"}:
            raise CallbackError(200672, f"unknown members: {answer!r}")
        toast = answer.get("toast", {"content": "-"})
        if not isinstance(toast, dict) or set(toast) - {"type", "content", "i18n"} or \
                toast.get("type", "info") not in TOASTS or not toast.get("content"):
            raise CallbackError(200672, f"not a toast: {toast!r}")
        card = answer.get("card", {"type": "raw", "data": {}})
        if not isinstance(card, dict) or card.get("type") not in ("raw", "template") or "data" not in card:
            raise CallbackError(200673, f"not a card: {card!r}")
        return answer
