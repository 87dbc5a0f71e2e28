"""A custom bot of a Feishu group, as strict as Feishu's about what it is sent.

https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
"""

import base64
import hashlib
import hmac
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

HOUR = 3600
BODY_MAX = 20 * 1024
WELL = {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}


def sign(timestamp, secret):
    """The key is what is signed, the message is empty."""
    return base64.b64encode(hmac.new(f"{timestamp}\n{secret}".encode(), digestmod=hashlib.sha256).digest()).decode()


def refusal(code, message):
    return {"code": code, "data": {}, "msg": message}


class CustomBot:
    """Takes messages at `url`. `secret`: they have to be signed. `keyword`: it has to stand in each.

    `answers`: (status, JSON) for the next requests, whatever they are; a message that is answered so has not arrived.
    """

    def __init__(self, secret=None, keyword=None, hook="0c9a4f6e-hook", port=0):
        bot = self
        self.secret, self.keyword, self.path = secret, keyword, f"/open-apis/bot/v2/hook/{hook}"
        self.messages, self.tries, self.answers, self.refused = [], [], [], []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, answer = bot.take(self.path, self.headers.get("Content-Type", ""), body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}{self.path}"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def take(self, path, kind, body):
        """(status, JSON) of a request."""
        self.tries.append(body)
        if self.answers:
            return self.answers.pop(0)
        problem = self.problem(path, kind, body)
        if problem:
            self.refused.append(problem)
            return 200, problem
        self.messages.append(json.loads(body)["content"]["text"])
        return 200, WELL

    def problem(self, path, kind, body):
        if path != self.path:
            return refusal(19001, "param invalid: incoming webhook access token invalid")
        try:
            message = json.loads(body)
        except ValueError:
            message = None
        if not isinstance(message, dict) or not kind.startswith("application/json") or len(body) > BODY_MAX:
            return refusal(9499, "Bad Request")
        if self.secret and not self.is_signed(message):
            return refusal(19021, "sign match fail or timestamp is not within one hour from current time")
        content = message.get("content")
        text = content.get("text") if isinstance(content, dict) else None
        if message.get("msg_type") != "text" or not isinstance(text, str) or not text:
            return refusal(19002, "params error, msg_type need")
        if self.keyword and self.keyword not in text:
            return refusal(19024, "Key Words Not Found")
        return None

    def is_signed(self, message):
        timestamp = message.get("timestamp")
        if not isinstance(timestamp, str) or not timestamp.isdecimal():
            return False
        return abs(time.time() - int(timestamp)) < HOUR and message.get("sign") == sign(timestamp, self.secret)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
