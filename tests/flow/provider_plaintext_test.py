"""deliver = "verified-plaintext": the upstream needs to know our signature alone."""

import base64
import hashlib
import hmac
import json
import time
import unittest

from inbox_scene import Script
from provider_scene import ProviderTest, eventually, field, hmac_hex
from scene import answer

KEYS = [bytes(range(32)), bytes(range(100, 140))]
SECRETS = ["whsec_" + base64.b64encode(key).decode() for key in KEYS]


class Plaintext(ProviderTest):
    def plain(self, provider="feishu", secrets=None, signed_with=SECRETS[:1], **keys):
        return self.provided(provider, secrets, files={"deliver_secret": list(signed_with)},
                             deliver="verified-plaintext", **keys)

    def assert_signed(self, seen, keys=KEYS[:1]):
        """By the rules of standardwebhooks.com."""
        message_id, stamp = seen.get(b"webhook-id"), seen.get(b"webhook-timestamp")
        self.assertLess(abs(time.time() - int(stamp)), 60)
        text = b".".join([message_id, stamp, seen.body])
        expected = [b"v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()) for key in keys]
        self.assertEqual(seen.get(b"webhook-signature").split(b" "), expected)

    def assert_plain(self, seen, text):
        self.assertEqual(seen.body, text)
        self.assertEqual(seen.all(b"content-length"), [str(len(text)).encode()])
        self.assertEqual(seen.all(b"content-type"), [b"application/json"])
        for name in (b"x-lark-signature", b"x-lark-request-timestamp", b"x-lark-request-nonce"):
            self.assertEqual(seen.all(name), [])

    def test_the_upstream_gets_the_plain_event_signed_by_us(self):
        server, upstream = self.plain(), self.upstream()
        self.agent(server, upstream)
        text = self.feishu.event()
        self.assertEqual(self.send(server, text).status, 200)
        self.assert_plain(upstream.last(), text)
        self.assert_signed(upstream.last())
        event = server.inbox.only("done")
        self.assertEqual(upstream.last().get(b"webhook-id").decode(), event["id"])
        # The store keeps what came.
        kept = server.inbox.show(event["id"])["request"]
        self.assertIn("encrypt", json.loads(kept["body"]["text"]))
        self.assertIn("x-lark-signature", [name.lower() for name, _ in kept["fields"]])

    def test_each_attempt_is_signed_at_its_own_time(self):
        server = self.plain()
        upstream = self.upstream(Script(answer(b"", "500 Oh"), answer(b"ok")))
        self.send(server, self.feishu.event())
        server.stop()
        server.start()
        self.agent(server, upstream)
        event = server.inbox.only("done")
        server.inbox.replay(event["id"])
        eventually(lambda: len(upstream.requests) >= 3)
        for seen in upstream.requests:
            self.assert_plain(seen, self.feishu.event())
            self.assert_signed(seen)
        self.assertEqual({each.get(b"webhook-id").decode() for each in upstream.requests}, {event["id"]})

    def test_a_click_is_plain_too(self):
        card = b'{"toast":{"type":"success","content":"done"}}'
        server, upstream = self.plain(), self.upstream(Script(answer(card)))
        self.agent(server, upstream)
        self.assertEqual(self.send(server, self.feishu.card()).body, card)
        self.assert_plain(upstream.last(), self.feishu.card())
        self.assert_signed(upstream.last())

    def test_while_our_secret_is_replaced_both_sign(self):
        server, upstream = self.plain(signed_with=SECRETS), self.upstream()
        self.agent(server, upstream)
        self.send(server, self.feishu.event())
        self.assert_signed(upstream.last(), KEYS)

    def test_a_body_that_came_plain_stays_as_it_is(self):
        server, upstream = self.plain("github", {"secret": ["s3cret"]}), self.upstream()
        self.agent(server, upstream)
        body = b'{"zen": "a  b"}'
        fields = [field("X-Hub-Signature-256", "sha256=" + hmac_hex(b"s3cret", body)), field("X-GitHub-Event", "ping"),
                  field("X-GitHub-Delivery", "d1"), field("Content-Type", "application/json; a=b"),
                  field("Webhook-Id", "forged"), field("Webhook-Signature", "v1,forged"),
                  field("Webhook-Timestamp", "1")]
        self.assertEqual(self.post(server, body, fields=fields).status, 200)
        seen = upstream.last()
        self.assertEqual((seen.body, seen.get(b"content-type")), (body, b"application/json; a=b"))
        self.assertEqual(seen.all(b"x-hub-signature-256"), [])
        self.assertEqual(seen.get(b"x-github-event"), b"ping")
        self.assert_signed(seen)
        self.assertEqual(seen.all(b"webhook-id"), [server.inbox.only("done")["id"].encode()])

    def test_an_id_that_the_provider_has_signed_stays(self):
        server, upstream = self.plain("standard-webhooks", {"secret": SECRETS[1:]}), self.upstream()
        self.agent(server, upstream)
        stamp, body = str(int(time.time())), b'{"type":"a"}'
        text = b".".join([b"msg_1", stamp.encode(), body])
        signature = base64.b64encode(hmac.new(KEYS[1], text, hashlib.sha256).digest())
        fields = [field("webhook-id", "msg_1"), field("webhook-timestamp", stamp),
                  field("webhook-signature", "v1," + signature.decode())]
        self.assertEqual(self.post(server, body, fields=fields).status, 200)
        self.assertEqual(upstream.last().all(b"webhook-id"), [b"msg_1"])
        self.assert_signed(upstream.last())

    def test_what_was_stored_before_there_were_secrets_is_signed_only_if_it_is_proven_now(self):
        server, upstream = self.provided("github", {}), self.upstream()
        body = b'{"n":%d}'
        for number, signature in enumerate((hmac_hex(b"s3cret", body % 0), hmac_hex(b"guess", body % 1))):
            fields = [field("X-Hub-Signature-256", "sha256=" + signature), field("X-GitHub-Delivery", f"d{number}")]
            self.assertEqual(self.post(server, body % number, fields=fields).status, 200)
        server.stop()
        server.toml = self.provided_toml(server, "github", {"secret": ["s3cret"]}, deliver="verified-plaintext",
                                         files={"deliver_secret": SECRETS[:1]})
        server.start()
        self.agent(server, upstream)
        server.inbox.wait_states(done=1, dead=1)
        self.assertEqual([each.body for each in upstream.requests], [body % 0])
        self.assert_signed(upstream.last())
        dead = next(each for each in server.inbox.events() if each["state"] == "dead")
        self.assertEqual(server.inbox.attempts(dead["id"])[0]["status"], 422)

    def test_an_event_whose_secret_is_gone_is_a_dead_letter_and_holds_up_no_other(self):
        server, upstream = self.plain(), self.upstream()
        self.send(server, self.feishu.event())
        server.stop()
        self.write_secrets(server, "encrypt_key", ["other"])
        server.start()
        self.agent(server, upstream)
        event = server.inbox.only("dead")
        self.assertEqual(server.inbox.attempts(event["id"])[0]["status"], 422)
        self.assertEqual(upstream.requests, [])


if __name__ == "__main__":
    unittest.main()
