"""What the tests of the provider edge share: requests as providers sign and seal them, made without rockdove."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import time

from inbox_scene import QUICK, InboxServer, InboxTest
from processes import ROOT
from support import PATIENCE, eventually


def aes(key, iv, data, *options):
    """AES-256-CBC by the openssl command; PKCS#7 padding unless options say -nopad."""
    done = subprocess.run(["openssl", "enc", "-aes-256-cbc", "-K", key.hex(), "-iv", iv.hex(), *options],
                          input=data, capture_output=True, check=True, timeout=30)
    return done.stdout


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def field(name, value):
    return f"{name}: {value}"


class Feishu:
    """An app of Feishu's with its Encrypt Key and Verification Token."""

    def __init__(self, key="ekey", token="vtoken"):
        self.key, self.token = key, token

    def event(self, event_id="e1", kind="im.message.receive_v1", chat="oc_1", app="cli_1", **event):
        return compact({"schema": "2.0",
                        "header": {"event_id": event_id, "event_type": kind, "token": self.token, "app_id": app},
                        "event": {"message": {"chat_id": chat, "content": '{"text":"你好"}'}, **event}})

    def card(self, event_id="c1"):
        return self.event(event_id, "card.action.trigger", action={"value": {"key": "value"}, "tag": "button"},
                          context={"open_chat_id": "oc_1"})

    def seal(self, text):
        """The body that Feishu sends of it: another one each time."""
        iv = os.urandom(16)
        sealed = iv + aes(hashlib.sha256(self.key.encode()).digest(), iv, text)
        return compact({"encrypt": base64.b64encode(sealed).decode()})

    def sign(self, body, stamp=None, nonce="n0nce"):
        """The fields that prove the body."""
        stamp = str(stamp or int(time.time()))
        text = (stamp + nonce + self.key).encode() + body
        return [field("Content-Type", "application/json; charset=utf-8"), field("X-Lark-Request-Timestamp", stamp),
                field("X-Lark-Request-Nonce", nonce), field("X-Lark-Signature", hashlib.sha256(text).hexdigest())]


class ProviderTest(InboxTest):
    support = ROOT / "tests" / "support"

    def setUp(self):
        super().setUp()
        self.feishu = Feishu()

    def provided(self, provider="feishu", secrets=None, more="", **keys):
        """A server with a route for this provider. `secrets` are written to files, a list of values each."""
        server = InboxServer(start=False, tls="off")
        server.toml = self.provided_toml(server, provider, secrets, **keys) + more
        return self.take_in(server).start()

    def provided_toml(self, server, provider="feishu", secrets=None, name="hook", path="/hook", targets=(), files=None,
                      **keys):
        """The routes of its configuration."""
        lines = ["[[route]]", f'name = "{name}"', f'path = "{path}"', f'provider = "{provider}"']
        if keys.get("mode") != "live":
            lines.append(f"retry = {QUICK}")
        if secrets is None:
            secrets = {"encrypt_key": [self.feishu.key], "verification_token": [self.feishu.token]}
        if secrets:
            table = ", ".join(f"{key} = {json.dumps(self.write_secrets(server, key, values))}"
                              for key, values in secrets.items())
            lines.append("secrets = {" + table + "}")
        for key, value in (files or {}).items():
            lines.append(f"{key} = {json.dumps(self.write_secrets(server, key, value))}")
        for key, value in keys.items():
            lines.append(f"{key} = {value if value[:1] in '{[' else json.dumps(value)}")
        for target in targets:
            lines += ["[[route.target]]", *(f"{key} = {json.dumps(value)}" for key, value in target.items())]
        return "\n".join([*lines, '[[route]]\nname = "rest"']) + "\n"

    @staticmethod
    def write_secrets(server, name, values):
        """Writes one file a value and returns where they are, as the configuration names them."""
        places = []
        for index, value in enumerate(values):
            file = server.directory / f"{name}.{index}"
            file.write_text(value + "\n")
            places.append(f"file:{file}")
        return places

    def send(self, server, text, sealed=True, feishu=None, target="/hook", age=0):
        """Feishu sends an event, with a timestamp that is so many seconds old."""
        feishu = feishu or self.feishu
        body = feishu.seal(text) if sealed else text
        return self.call(server, target, method="POST", fields=feishu.sign(body, int(time.time()) - age), body=body)

    def provider(self, server, name="hook"):
        """What /stats says of the route's provider."""
        return server.route(name)["provider"]

    def toast(self, response):
        self.assertEqual(response.status, 200, response.body)
        return json.loads(response.body)["toast"]["i18n"]["en_us"]


def hmac_hex(key, text):
    return hmac.new(key, text, hashlib.sha256).hexdigest()


__all__ = ["PATIENCE", "Feishu", "InboxServer", "ProviderTest", "aes", "compact", "eventually", "field", "hmac_hex"]
