"""Providers other than Feishu, whole ways: what they send, and what they want to hear."""

import base64
import hashlib
import hmac
import json
import os
import struct
import subprocess
import time
import unittest
from urllib.parse import quote

from provider_scene import ProviderTest, aes, compact, field, hmac_hex

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


class Sealed:
    """WeCom's and DingTalk's kind of envelope."""

    def __init__(self, token="QDG6eK", receiver="wx5823bf96d3bd56c7"):
        self.token, self.receiver = token, receiver.encode()
        last = LETTERS[LETTERS.index(AES_KEY[-1]) & ~3]  # the last letter's lowest bits mean nothing
        self.key = base64.b64decode(AES_KEY[:-1] + last + "=")

    def secrets(self):
        return {"token": [self.token], "aes_key": [AES_KEY], "receiver": [self.receiver.decode()]}

    def seal(self, text):
        frame = os.urandom(16) + struct.pack(">I", len(text)) + text + self.receiver
        pad = 32 - len(frame) % 32
        return base64.b64encode(aes(self.key, self.key[:16], frame + bytes([pad]) * pad, "-nopad")).decode()

    def open(self, sealed):
        frame = aes(self.key, self.key[:16], base64.b64decode(sealed), "-d", "-nopad")
        size = struct.unpack(">I", frame[16:20])[0]
        return frame[20:20 + size]

    def signature(self, stamp, nonce, sealed):
        return hashlib.sha1("".join(sorted([self.token, stamp, nonce, sealed])).encode()).hexdigest()

    def query(self, sealed, **more):
        stamp = str(int(time.time()))
        pairs = {"msg_signature": self.signature(stamp, "n1", sealed), "timestamp": stamp, "nonce": "n1", **more}
        return "/hook?" + "&".join(f"{key}={quote(value, safe='')}" for key, value in pairs.items())


class Others(ProviderTest):
    def bot(self, server):
        upstream = self.upstream()
        self.agent(server, upstream)
        return upstream

    def assert_once(self, server, send, body, times=1):
        """The request is delivered as it came, also if it comes again; with a body changed it is refused."""
        upstream = self.bot(server)
        for _ in range(2):
            self.assertEqual(send(body).status, 200)
        self.assertEqual([each.body for each in upstream.requests], [body] * times)
        self.assertEqual(self.provider(server)["accepted"], 2)

    def test_github(self):
        server = self.provided("github", {"secret": ["It's a Secret to Everybody"]})

        def send(body, signed=None):
            signature = hmac_hex(b"It's a Secret to Everybody", signed or body)
            return self.post(server, body, fields=[field("X-Hub-Signature-256", "sha256=" + signature),
                                                   field("X-GitHub-Delivery", "72d3162e"), "X-GitHub-Event: push"])
        self.assert_once(server, send, b'{"a": 1}')
        self.assert_error(send(b'{"a": 2}', b'{"a": 1}'), 401, "edge", "signature_mismatch")

    def test_stripe(self):
        server = self.provided("stripe", {"secret": ["whsec_test"]})

        def send(body, stamp=None):
            stamp = stamp or int(time.time())
            signature = hmac_hex(b"whsec_test", b"%d." % stamp + body)
            return self.post(server, body, fields=[field("Stripe-Signature", f"t={stamp},v1={signature}")])
        self.assert_once(server, send, b'{"id":"evt_1","type":"charge.succeeded"}')
        self.assert_error(send(b"{}", int(time.time()) - 400), 401, "edge", "signature_too_old")
        self.assert_error(send(b"{}", int(time.time()) + 400), 401, "edge", "signature_too_new")

    def test_slack(self):
        server = self.provided("slack", {"secret": ["8f742231b10e8888abcd99yyyzzz85a5"]})

        def send(body):
            stamp = str(int(time.time()))
            signature = hmac_hex(b"8f742231b10e8888abcd99yyyzzz85a5", f"v0:{stamp}:".encode() + body)
            return self.post(server, body, fields=[field("X-Slack-Request-Timestamp", stamp),
                                                   field("X-Slack-Signature", "v0=" + signature)])
        challenge = b'{"token":"x","challenge":"3eZbrw1aB","type":"url_verification"}'
        self.assertEqual(json.loads(send(challenge).body), {"challenge": "3eZbrw1aB"})
        self.assertEqual(self.post(server, challenge).status, 401)  # Slack signs its challenge
        event = compact({"type": "event_callback", "event_id": "Ev1", "event": {"type": "app_mention"}})
        response = send(event)
        self.assertEqual((response.status, response.body), (200, b""))
        server.inbox.wait_states(waiting=1)

    def test_wecom(self):
        wecom = Sealed()
        server = self.provided("wecom", wecom.secrets())
        sealed = wecom.seal(b"1616140317555161061")
        response = self.call(server, wecom.query(sealed, echostr=sealed))
        self.assertEqual((response.status, response.body), (200, b"1616140317555161061"))
        self.assertEqual(self.call(server, wecom.query(sealed, echostr=wecom.seal(b"1"))).status, 401)
        # A message that somebody has seen on its way is not opened for him.
        sealed = wecom.seal(b"<xml><Content>secret</Content></xml>")
        response = self.call(server, wecom.query(sealed, echostr=sealed))
        self.assert_error(response, 401, "edge", "signature_unrecognised")
        self.assertNotIn(b"secret", response.body)

        text = b"<xml><FromUserName>u</FromUserName><MsgType>text</MsgType><MsgId>7</MsgId></xml>"
        for _ in range(2):  # the same message under two ciphertexts
            sealed = wecom.seal(text)
            body = f"<xml><ToUserName>a</ToUserName><Encrypt>{sealed}</Encrypt></xml>".encode()
            response = self.post(server, body, wecom.query(sealed))
            self.assertEqual((response.status, response.body), (200, b""))
        server.inbox.wait_states(waiting=1)

    def test_dingtalk(self):
        dingtalk = Sealed(receiver="ding1")
        server = self.provided("dingtalk", dingtalk.secrets(), deadline="100ms")
        for kind in ("check_url", "user_add_org"):  # a challenge, and an event: both get a sealed "success"
            sealed = dingtalk.seal(compact({"EventType": kind, "CorpId": "ding1"}))
            response = self.post(server, compact({"encrypt": sealed}), dingtalk.query(sealed))
            self.assertEqual(response.status, 200)
            said = json.loads(response.body)
            self.assertEqual(dingtalk.open(said["encrypt"]), b"success")
            self.assertEqual(said["msg_signature"],
                             dingtalk.signature(said["timeStamp"], said["nonce"], said["encrypt"]))
        server.inbox.wait_states(waiting=1)

    def test_the_signature_of_an_echostr_proves_nothing_else(self):
        server, stamp = self.provided("wechat-mp", {"token": ["tok"]}), str(int(time.time()))
        upstream = self.bot(server)
        signature = hashlib.sha1("".join(sorted(["tok", stamp, "n1"])).encode()).hexdigest()
        target = f"/hook?signature={signature}&timestamp={stamp}&nonce=n1"
        self.assertEqual(self.call(server, target + "&echostr=4711").body, b"4711")
        forged = b"<xml><MsgType>forged</MsgType></xml>"
        for method, echo in (("GET", ""), ("POST", ""), ("POST", "4711")):
            response = self.call(server, f"{target}&echostr={echo}", method=method, body=forged)
            self.assert_error(response, 401, "edge", "signature_unrecognised")
        self.assertEqual(upstream.requests, [])

    def test_line_sends_several_events_in_one_body_and_none_is_lost(self):
        server, secret = self.provided("line", {"secret": ["s3cret"]}), b"s3cret"
        upstream = self.bot(server)

        def send(*ids, again=False):
            events = [{"webhookEventId": each, "type": "message", "deliveryContext": {"isRedelivery": again},
                       "source": {"userId": "U1"}} for each in ids]
            body = compact({"destination": "U0", "events": events})
            signature = base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()
            self.assertEqual(self.post(server, body, fields=[field("X-Line-Signature", signature)]).status, 200)
            return body
        sent = [send("01A", "01B"), send("01A", "01C"), send("01A")]
        send("01A", "01C", again=True)  # other bytes, the same events
        server.inbox.wait_states(done=3)
        self.assertEqual([each.body for each in upstream.requests], sent)

    def test_dingtalks_events_have_no_id_and_a_captured_one_is_known_again(self):
        dingtalk = Sealed(receiver="ding1")
        server = self.provided("dingtalk", dingtalk.secrets(), deadline="100ms")
        captured = dingtalk.seal(compact({"EventType": "user_add_org"}))
        for sealed in (captured, captured, dingtalk.seal(compact({"EventType": "user_add_org"}))):
            self.assertEqual(self.post(server, compact({"encrypt": sealed}), dingtalk.query(sealed)).status, 200)
        server.inbox.wait_states(waiting=2)

    def test_discord_gets_its_401_and_its_pong(self):
        # Ed25519 by RFC 8032 section 7.1: the key of test 1.
        seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
        public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        server = self.provided("discord", {"public_key": [public]})

        def send(body, stamp, signed_at=None):
            signature = ed25519(server.directory, seed, str(signed_at or stamp).encode() + body)
            return self.post(server, body, fields=[field("X-Signature-Timestamp", stamp),
                                                   field("X-Signature-Ed25519", signature.hex())])
        now = int(time.time())
        self.assertEqual(json.loads(send(b'{"type":1}', now).body), {"type": 1})
        self.assert_error(send(b'{"type":1}', now, now - 1), 401, "edge", "signature_mismatch")
        self.assert_error(send(b'{"type":1}', now - 400), 401, "edge", "signature_too_old")


def ed25519(folder, seed, text):
    """The signature, by the openssl command; the key as in RFC 8410."""
    key, message = folder / "ed25519.der", folder / "message"
    key.write_bytes(bytes.fromhex("302e020100300506032b657004220420" + seed))
    message.write_bytes(text)
    command = ["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", str(key), "-in", str(message)]
    return subprocess.run(command, capture_output=True, check=True, timeout=30).stdout


if __name__ == "__main__":
    unittest.main()
