"""Feishu at the edge: challenges, proof, duplicates, cards."""

import hashlib
import json
import signal
import time
import unittest

from inbox_scene import Script, route
from provider_scene import Feishu, InboxServer, ProviderTest, compact, eventually, field
from scene import SLOW, answer, request

CHALLENGE = b'{"challenge":"ajls384kdjx98XX","token":"vtoken","type":"url_verification"}'


class Challenges(ProviderTest):
    def assert_challenge(self, response, began):
        self.assertEqual(response.status, 200, response.body)
        self.assertEqual(response.get(b"content-type"), b"application/json")
        self.assertEqual(json.loads(response.body), {"challenge": "ajls384kdjx98XX"})
        self.assertLess(time.monotonic() - began, 1.0 * SLOW)

    def test_a_challenge_is_answered_within_a_second_though_no_agent_is_there(self):
        server = self.provided()
        for body in (CHALLENGE, self.feishu.seal(CHALLENGE)):
            began = time.monotonic()
            # It comes without any signature, also with an Encrypt Key.
            self.assert_challenge(self.post(server, body), began)
        self.assertEqual(self.provider(server)["challenges"], 2)
        self.assertEqual(server.inbox.events(), [])

    def test_a_server_without_configuration_takes_its_secrets_from_the_environment(self):
        env = {"ROCKDOVE_FEISHU_ENCRYPT_KEY": self.feishu.key, "ROCKDOVE_FEISHU_VERIFICATION_TOKEN": "vtoken"}
        server = self.take_in(InboxServer(start=False, tls="off", env=env)).start()
        began = time.monotonic()
        self.assert_challenge(self.post(server, self.feishu.seal(CHALLENGE), "/feishu/webhook"), began)
        self.assert_error(self.post(server, self.feishu.event(), "/feishu/webhook"), 401, "edge", "signature_missing")
        self.assertEqual(self.send(server, self.feishu.event(), target="/feishu/webhook").status, 200)
        server.inbox.wait_states(waiting=1)

    def test_a_server_without_secrets_answers_plain_challenges_and_checks_nothing(self):
        server = self.take_in(InboxServer(start=False, tls="off")).start()
        self.assert_challenge(self.post(server, CHALLENGE, "/feishu/webhook"), time.monotonic())
        self.assertEqual(self.post(server, self.feishu.event(), "/feishu/webhook").status, 200)
        self.assertEqual(self.provider(server, "feishu")["unchecked"], 1)
        self.assertFalse(self.provider(server, "feishu")["checks"])

    def test_a_challenge_with_another_token_is_refused(self):
        server = self.provided()
        self.assert_error(self.post(server, CHALLENGE.replace(b"vtoken", b"other")), 401, "edge", "signature_mismatch")

    def test_what_only_looks_like_a_challenge_gets_no_further(self):
        server, upstream = self.provided(), self.upstream()
        self.agent(server, upstream)
        event = json.loads(self.feishu.event())
        event["type"] = "url_verification"
        self.assert_error(self.post(server, compact(event)), 401, "edge", "signature_missing")
        self.assertEqual(upstream.requests, [])


class Proof(ProviderTest):
    def test_a_signed_and_encrypted_event_arrives_byte_for_byte(self):
        server, upstream = self.provided(), self.upstream(lambda connection, message: (
            connection.read_body(message), answer(b'{"ok":1}'))[1])
        self.agent(server, upstream)
        body = self.feishu.seal(self.feishu.event())
        fields = self.feishu.sign(body)
        response = self.call(server, "/hook?a=%20b", method="POST", fields=fields, body=body)
        self.assertEqual((response.status, response.body), (200, b'{"ok":1}'))
        seen = upstream.last()
        self.assertEqual(seen.line, b"POST /hook?a=%20b HTTP/1.1")
        self.assertEqual(seen.body, body)
        sent = [tuple(each.encode().split(b": ", 1)) for each in [field("Host", "example.test"), *fields,
                                                                  field("Content-Length", len(body))]]
        self.assertEqual(self.foreign_fields(seen), [(name.lower(), value) for name, value in sent])
        self.assertEqual(self.provider(server)["accepted"], 1)

    def test_what_is_not_proven_is_a_401_and_reaches_nobody(self):
        server, upstream = self.provided(), self.upstream()
        self.agent(server, upstream)
        body = self.feishu.seal(self.feishu.event())
        fields = self.feishu.sign(body)
        flipped = body[:30] + bytes([body[30] ^ 1]) + body[31:]
        wrong = Feishu(key="other").sign(body)
        v1 = compact({"uuid": "u1", "token": "wrong", "type": "event_callback", "event": {"type": "x"}})
        cases = [(flipped, fields, "mismatch"), (body, wrong, "mismatch"), (body, fields[:3], "missing"),
                 (body, fields[:1] + fields[2:], "missing"), (body + b" ", fields, "mismatch"),
                 (body, [*fields[:3], field("X-Lark-Signature", "zz")], "malformed"), (v1, [], "missing"),
                 (b"", [], "missing"), (b"{}", [], "missing")]
        expected = {}
        for content, sent, outcome in cases:
            with self.subTest(outcome=outcome, content=content[:20]):
                response = self.call(server, "/hook", method="POST", fields=sent, body=content)
                self.assert_error(response, 401, "edge", "signature_" + outcome)
                self.assertNotIn(b"ekey", response.body)
                expected[outcome] = expected.get(outcome, 0) + 1
        response = self.call(server, "/hook")  # a GET can change nothing, and still comes from nobody known
        self.assert_error(response, 401, "edge", "signature_missing")
        expected["missing"] += 1
        self.assertEqual(self.provider(server)["refused"], expected)
        self.assertEqual(self.provider(server)["accepted"], 0)
        self.assertEqual((upstream.requests, server.inbox.events()), ([], []))
        self.assertNotIn("ekey", server.log())
        status = server.run("status", "--config", str(server.config))
        self.assertRegex(status, r"hook +feishu +0 +0 +0 +0 +\d+ \(.*malformed 1")

    def test_a_switch_of_protocols_cannot_be_proven(self):
        server = self.provided()
        response = self.call(server, "/hook", fields=["Connection: Upgrade", "Upgrade: websocket"])
        self.assert_error(response, 401, "edge", "signature_unrecognised")

    def test_without_an_encrypt_key_the_token_proves_an_event(self):
        server = self.provided(secrets={"verification_token": ["vtoken"]})
        self.assertEqual(self.post(server, self.feishu.event("e1")).status, 200)
        v1 = {"uuid": "u1", "token": "vtoken", "type": "event_callback", "event": {"type": "p2p_chat_create"}}
        self.assertEqual(self.post(server, compact(v1)).status, 200)
        self.assertEqual(self.post(server, compact(v1)).status, 200)  # its uuid says that it is the same
        self.assert_error(self.post(server, Feishu(token="x").event()), 401, "edge", "signature_mismatch")
        server.inbox.wait_states(waiting=2)

    def test_a_late_retry_is_taken_and_what_dedupe_may_have_forgotten_is_not(self):
        server = self.provided()
        self.assertEqual(self.send(server, self.feishu.event("e1")).status, 200)
        last_retry = 15 + 5 * 60 + 3600 + 6 * 3600
        self.assertEqual(self.send(server, self.feishu.event("e2"), age=last_retry + 60).status, 200)
        for age in (12 * 3600 + 60, 25 * 3600):  # somebody has kept what Feishu sent
            self.assert_error(self.send(server, self.feishu.event("e1"), age=age), 401, "edge", "signature_too_old")
        # A click is never sent again.
        self.assert_error(self.send(server, self.feishu.card(), age=360), 401, "edge", "signature_too_old")
        server.inbox.wait_states(waiting=2)

    def test_a_dedupe_window_that_forgets_too_soon_stops_the_start(self):
        server = InboxServer(start=False, tls="off")
        server.toml = self.provided_toml(server, dedupe_window="12h")
        with self.assertRaisesRegex(AssertionError, 'dedupe_window must be at least "1d": what feishu signs'):
            server.start()
        self.assertEqual(server.popen.wait(10), 1)

    def test_strangers_that_send_slowly_hold_up_neither_events_nor_other_routes(self):
        plain = route("inbox", name="plain", path="/plain", body_limit="200KiB")
        server = self.provided(body_limit="200KiB", more=plain + '[inbox]\nmemory = "1MiB"\n')
        head = request("/hook", method="POST", fields=["Content-Length: 200000"])
        strangers = [self.caller(server) for _ in range(18)]
        for stranger in strangers:
            stranger.send(head + b"x" * 150_000)  # and never the rest

        def refused():
            return [each for each in strangers if not each.is_quiet(0.01)]
        eventually(lambda: len(refused()) >= len(strangers) - 3)
        response = refused()[0].response("POST")
        self.assert_error(response, 503, "edge", "queue_full")
        self.assertTrue(response.get(b"retry-after"))
        self.assertEqual(self.send(server, self.feishu.event()).status, 200)
        self.assertEqual(self.post(server, b"p" * 200_000, "/plain").status, 200)
        self.assertGreaterEqual(len(strangers) - len(refused()), 2)  # they are still there
        server.inbox.wait_states(waiting=2)

    def test_a_body_over_the_limit_is_a_413(self):
        server = self.provided(body_limit="10KiB")
        self.assert_error(self.post(server, b"x" * 10_241), 413, "edge", "body_too_large")


class Duplicates(ProviderTest):
    def test_an_event_sent_again_under_another_ciphertext_is_delivered_once(self):
        server, upstream = self.provided(), self.upstream()
        self.assertEqual(self.send(server, self.feishu.event("e1")).body, b"{}")
        self.assertEqual(self.send(server, self.feishu.event("e1")).body, b"{}")
        self.assertEqual(self.send(server, self.feishu.event("e2")).body, b"{}")
        self.agent(server, upstream)
        server.inbox.wait_states(done=2)
        self.assertEqual(len(upstream.requests), 2)
        self.assertEqual(server.get_json()["inbox"]["requests"]["duplicates"], 1)

    def test_two_apps_may_count_their_events_alike(self):
        server = self.provided()
        for app in ("cli_1", "cli_2"):
            self.send(server, self.feishu.event("e1", app=app))
        server.inbox.wait_states(waiting=2)

    def test_events_of_one_chat_are_delivered_in_order(self):
        server = self.provided(order="chat")
        for number, chat in enumerate(("a", "b", "a", "a", "b")):
            self.send(server, self.feishu.event(f"e{number}", chat=f"oc_{chat}"))
        server.inbox.wait_states(waiting=2, queued=3)
        self.assertEqual([each["order_key"] for each in server.inbox.events()],
                         ["oc_a", "oc_b", "oc_a", "oc_a", "oc_b"])
        upstream = self.upstream()
        self.agent(server, upstream)
        server.inbox.wait_states(done=5)


class Secrets(ProviderTest):
    def test_while_a_secret_is_replaced_both_are_good(self):
        server = self.provided(secrets={"encrypt_key": ["newkey", "ekey"]})
        for number, key in enumerate(("ekey", "newkey")):
            feishu = Feishu(key)
            self.assertEqual(self.send(server, feishu.event(f"e{number}"), feishu=feishu).status, 200)
        feishu = Feishu("third")
        self.assert_error(self.send(server, feishu.event("e3"), feishu=feishu), 401, "edge", "signature_mismatch")
        server.inbox.wait_states(waiting=2)

    def test_sighup_reads_the_secrets_again(self):
        server = self.provided()
        new = Feishu("newkey")
        self.assertEqual(self.send(server, new.event(), feishu=new).status, 401)
        self.write_secrets(server, "encrypt_key", ["newkey"])
        server.signal(signal.SIGHUP)
        eventually(lambda: self.send(server, new.event(), feishu=new).status == 200)
        self.assertEqual(self.send(server, self.feishu.event()).status, 401)

    def test_a_secret_that_cannot_be_read_changes_nothing_by_sighup(self):
        server = self.provided()
        (server.directory / "encrypt_key.0").unlink()
        before = server.log_size()
        server.signal(signal.SIGHUP)
        server.wait_for_log(r"stays as it was: .*encrypt_key.*encrypt_key\.0", after=before)
        self.assertEqual(self.send(server, self.feishu.event()).status, 200)

    def test_a_secret_that_cannot_be_read_stops_the_start(self):
        server = self.provided()
        server.stop()
        for spoil, cause in ((lambda each: each.unlink(), "No such file"),
                             (lambda each: each.write_text("\n"), "empty")):
            file = server.directory / "encrypt_key.0"
            spoil(file)
            with self.assertRaisesRegex(AssertionError, f'route "hook": secret encrypt_key: .*{cause}'):
                server.start()
            server.popen.wait()
            server.popen = None
            file.write_text("ekey")
        server.start()


class Cards(ProviderTest):
    def test_a_click_gets_the_upstreams_answer_and_is_never_stored(self):
        card = b'{"toast":{"type":"success","content":"done"}}'
        server, upstream = self.provided(), self.upstream(Script(answer(card)))
        self.agent(server, upstream)
        self.assertEqual(self.send(server, self.feishu.card()).body, card)
        self.assertEqual(server.inbox.events(), [])

    def test_a_click_gets_a_toast_by_the_deadline_if_the_bot_is_slow(self):
        gate = self.gate()
        server, upstream = self.provided(deadline="200ms"), self.upstream(gate)
        self.agent(server, upstream)
        began = time.monotonic()
        self.assertIn("try again", self.toast(self.send(server, self.feishu.card())))
        self.assertLess(time.monotonic() - began, 2.5 * SLOW)
        self.assertEqual(server.inbox.events(), [])

    def test_a_click_gets_a_toast_in_time_if_the_bot_is_away(self):
        server = self.provided()
        began = time.monotonic()
        self.assertIn("try again", self.toast(self.send(server, self.feishu.card())))
        self.assertLess(time.monotonic() - began, 2.9 * SLOW)
        self.assertEqual(server.inbox.events(), [])

    def test_an_old_card_is_proven_by_the_token_and_gets_a_toast(self):
        server = self.provided(deadline="100ms")
        body = compact({"open_id": "ou_x", "open_message_id": "om_1", "token": "c-1", "action": {"tag": "button"}})
        old = Feishu(key="vtoken")
        stamp = str(int(time.time()))
        signature = hashlib.sha1(stamp.encode() + b"abc" + b"vtoken" + body).hexdigest()
        fields = [field("X-Lark-Request-Timestamp", stamp), field("X-Lark-Request-Nonce", "abc")]
        response = self.post(server, body, fields=[*fields, field("X-Lark-Signature", signature)])
        self.assertIn("try again", self.toast(response))
        self.assertEqual(self.post(server, body, fields=old.sign(body)).status, 401)

    def test_the_fallback_can_be_set(self):
        server = self.provided(deadline="100ms", fallback='{ status = 200, body = "{\\"a\\":1}" }')
        self.assertEqual(self.send(server, self.feishu.card()).body, b'{"a":1}')

    def test_by_mode_inbox_a_click_is_stored_like_everything_else(self):
        server = self.provided(mode="inbox")
        self.assertEqual(self.send(server, self.feishu.card()).body, b"{}")
        server.inbox.wait_states(waiting=1)

    def test_a_live_route_is_checked_too(self):
        server, upstream = self.provided(mode="live"), self.upstream()
        self.agent(server, upstream)
        self.assertEqual(self.send(server, self.feishu.event()).status, 200)
        self.assertEqual(self.post(server, self.feishu.event()).status, 401)
        self.assertEqual(len(upstream.requests), 1)
        self.assertEqual(server.inbox.events(), [])


if __name__ == "__main__":
    unittest.main()
