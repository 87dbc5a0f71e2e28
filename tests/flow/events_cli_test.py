"""rockdove events: what a person and a script see of the inbox, and the API behind it."""

import json
import os
import pty
import re
import subprocess
import threading
import unittest

from inbox_scene import InboxTest, route
from scene import answer, request, run_binary
from support import Caller, eventually

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
NASTY = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\x00\u202edecrypt\u2066 \x7f"


class EventsTest(InboxTest):
    def setUp(self):
        super().setUp()
        self.rockdove = self.inbox_server(route("inbox", tunnel="bot"), route("inbox", "other", "/other"))

    def where(self):
        return ["--config", str(self.rockdove.config), "--admin", f"127.0.0.1:{self.rockdove.admin_port}"]

    def events(self, *arguments, stdin="", code=0):
        """The completed process of rockdove events."""
        done = run_binary(self.rockdove, "events", *arguments, *self.where(), stdin=stdin)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def json(self, *arguments):
        return json.loads(self.events(*arguments, "--json").stdout)

    def ids(self, *arguments):
        return [each["id"] for each in self.json("list", *arguments)["events"]]

    def store(self, count=1, target="/hook", body=b"{}"):
        """Ids of so many new events, the oldest first."""
        known = set(self.ids("--limit", "1000"))
        for _ in range(count):
            self.assertEqual(self.post(self.rockdove, body, target).status, 200)
        return [each for each in self.ids("--limit", "1000", "--oldest-first") if each not in known]


class Lists(EventsTest):
    def test_a_list_has_a_line_for_each_event_the_newest_first(self):
        self.assertEqual(self.events("list").stdout, "")
        first, second = self.store(1, "/hook?a=1") + self.store(1, "/other/b")
        lines = self.events("list").stdout.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertTrue(lines[0].startswith("ID"))
        for line, event, words in ((lines[1], second, "other waiting POST /other/b"),
                                   (lines[2], first, "hook waiting POST /hook?a=1")):
            self.assertTrue(line.startswith(event))
            for word in words.split():
                self.assertIn(word, line.split())

    def test_filters_restrict_and_combine(self):
        hooks, others = self.store(2), self.store(1, "/other", b'{"find":"me"}')
        upstream = self.upstream(lambda connection, message: answer(
            status="404 No" if connection.read_body(message) == b"bad" else "200 OK"))
        self.agent(self.rockdove, upstream)
        self.rockdove.inbox.wait_states(done=3)
        bad = self.store(1, "/hook", b"bad")
        self.rockdove.inbox.wait_states(done=3, dead=1)
        received = self.json("show", others[0])["event"]["received_at"]
        for arguments, expected in (
                (["--route", "hook"], hooks + bad), (["--route", "none"], []),
                (["--tunnel", "bot"], hooks + bad), (["--tunnel", "bo"], []),
                (["--status", "dead"], bad), (["--status", "done,dead"], hooks + others + bad),
                (["--status", "done", "--route", "other"], others), (["--text", '"find":"me"'], others),
                (["--text", "nowhere"], []), (["--since", "1h"], hooks + others + bad), (["--until", "1h"], []),
                (["--since", others[0]], others + bad), (["--until", others[0]], hooks),
                (["--since", received], others + bad)):
            with self.subTest(arguments):
                self.assertEqual(self.ids(*arguments, "--oldest-first"), expected)

    def test_pages_leave_nothing_out_and_repeat_nothing(self):
        ids = self.store(25)
        self.assertEqual(self.ids(), ids[::-1])
        self.assertEqual(self.ids("--limit", "7", "--oldest-first"), ids[:7])
        listed = self.events("list", "--limit", "7")
        self.assertEqual(len(listed.stdout.splitlines()), 8)
        self.assertIn("more", listed.stderr)
        page = self.json("list", "--limit", "7")
        self.assertTrue(page["next"])
        pages, cursor = [], None
        while True:
            query = f"?limit=7{f'&cursor={cursor}' if cursor else ''}"
            page = self.rockdove.inbox.must("GET", f"/api/v1/events{query}")
            pages += [each["id"] for each in page["events"]]
            self.store()  # what comes meanwhile moves no page
            cursor = page["next"]
            if not cursor:
                break
        self.assertEqual(pages, ids[::-1])

    def test_tail_prints_events_as_they_come_and_ends_by_sigterm(self):
        for arguments in ([], ["--json"], ["--route", "hook"]):
            with self.subTest(arguments):
                old = self.store()[0]
                tail = self.process("tail", "events", "tail", *arguments, *self.where())
                tail.start()
                eventually(lambda: self.store() and "evt_" in tail.log(), 20, "a first event")
                [new] = self.store()
                tail.wait_for_log(new)
                self.assertNotIn(old, tail.log())
                if "--json" in arguments:
                    self.assertEqual(json.loads(tail.log().splitlines()[-1])["id"], new)
                if "--route" in arguments:
                    [other] = self.store(1, "/other")
                    tail.wait_for_log(self.store()[0])
                    self.assertNotIn(other, tail.log())
                tail.signal(15)
                self.assert_ends(tail)
                self.assertEqual(len(set(found := re.findall("evt_[0-9a-z]{13}", tail.log()))), len(found))


class Shows(EventsTest):
    def test_show_has_the_request_and_every_attempt(self):
        self.post(self.rockdove, b'{"a":{"b":[1,2]}}', "/hook?q=1", fields=["X-Own: 1", "X-Own: 2"])
        self.agent(self.rockdove, self.upstream(answer(b"not today", "404 No")))
        event = self.rockdove.inbox.only("dead")
        shown = self.events("show", event["id"]).stdout
        for part in (event["id"], "dead", "POST /hook?q=1", "X-Own: 1", "X-Own: 2", '"b": [', "404", "not today",
                     "office"):
            self.assertIn(part, shown)
        found = self.json("show", event["id"])
        self.assertEqual([value for name, value in found["request"]["fields"] if name.lower() == "x-own"], ["1", "2"])
        self.assertEqual(found["request"]["body"]["text"], '{"a":{"b":[1,2]}}')
        self.assertEqual([each["status"] for each in found["attempts"]], [404])

    def test_show_body_gives_the_exact_bytes_to_a_pipe(self):
        body = bytes(range(256)) * 5
        [event] = self.store(1, "/hook", body)
        done = subprocess.run([self.rockdove.arguments[0], "events", "show", event, "--body", *self.where()],
                              capture_output=True, env=self.rockdove.environment(), timeout=60, check=True)
        self.assertEqual(done.stdout, body)

    def test_nothing_of_a_caller_or_upstream_plays_with_the_terminal(self):
        nasty = NASTY.encode()
        caller = Caller(self.rockdove.ingress_port)
        self.addCleanup(caller.close)
        body = b'{"text":"' + nasty + b'"}'
        caller.exchange(request("/hook?x=\x9b\x80\u202e", method="POST", body=body, fields=["X-Odd: \x9b31m\u202e"]))
        self.agent(self.rockdove, self.upstream(answer(nasty, "404 No", ["Content-Type: a/b"])))
        event = self.rockdove.inbox.only("dead")["id"]
        for arguments in (["list"], ["show", event], ["list", "--json"], ["show", event, "--json"]):
            with self.subTest(arguments):
                self.assertEqual(CONTROL.findall(self.events(*arguments).stdout), [])
        self.assertEqual(CONTROL.findall(self.on_terminal("show", event, "--body").replace("\r\n", "\n")), [])

    def on_terminal(self, *arguments):
        """What the command prints to a terminal."""
        ours, theirs = pty.openpty()
        done = subprocess.Popen([self.rockdove.arguments[0], "events", *arguments, *self.where()], stdout=theirs,
                                stderr=theirs, env=self.rockdove.environment())
        os.close(theirs)
        data = bytearray()
        try:
            while piece := os.read(ours, 4096):
                data += piece
        except OSError:
            pass  # the other end is closed
        os.close(ours)
        self.assertEqual(done.wait(20), 0)
        return data.decode()


class Changes(EventsTest):
    def dead_letters(self, count=3):
        upstream = self.upstream(answer(status="404 No"))
        self.agent(self.rockdove, upstream)
        ids = self.store(count)
        self.rockdove.inbox.wait_states(dead=count)
        upstream.clear()
        return upstream, ids

    def test_replay_by_id_and_by_filter(self):
        upstream, ids = self.dead_letters(5)
        self.assertEqual(self.json("replay", ids[0]), {"asked": 1, "replayed": 1})
        self.rockdove.inbox.wait_states(dead=4, done=1)
        self.assertIn("2 of 2", self.events("replay", ids[1], ids[2]).stdout)
        self.rockdove.inbox.wait_states(dead=2, done=3)
        self.events("replay", "--route", "hook", code=1)  # nobody says yes
        self.events("replay", "--route", "hook", "--yes")
        self.rockdove.inbox.wait_states(done=5)
        self.assertEqual({each.get(b"rockdove-replay") for each in upstream.requests}, {b"true"})
        self.assertEqual(len(upstream.requests), 5)

    def test_purge_removes_what_fits_and_nothing_else(self):
        _, ids = self.dead_letters(3)
        [kept] = self.store(1, "/other")
        self.rockdove.inbox.wait_states(dead=3, done=1)
        self.events("purge", "--status", "dead", code=1)
        self.assertEqual(len(self.ids()), 4)
        self.assertEqual(self.json("purge", "--status", "dead", "--yes"), {"purged": 3})
        self.assertEqual(self.ids(), [kept])
        self.events("show", ids[0], code=1)
        self.assertIn("1 event", self.events("purge", "--all", "--yes").stdout)
        self.assertEqual(self.ids(), [])

    def test_pause_and_resume(self):
        self.agent(self.rockdove, self.upstream())
        self.events("pause", "hook", "--reason", "moving")
        [event] = self.store()
        self.rockdove.inbox.wait_states(waiting=1)
        self.events("resume", "hook")
        self.rockdove.inbox.wait_states(done=1)
        self.assertEqual(self.json("show", event)["event"]["attempts"], 1)

    def test_pipes_that_close_are_no_disaster(self):
        self.store(200)
        with subprocess.Popen([self.rockdove.arguments[0], "events", "list", "--limit", "1000", *self.where()],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.rockdove.environment()) as done:
            done.stdout.readline()
            done.stdout.close()
            said = done.stderr.read().decode()
        self.assertNotIn("terminate", said)


class Access(EventsTest):
    def test_without_a_token_the_message_says_what_to_do(self):
        (self.rockdove.data / "admin-token").unlink()
        self.assertIn("admin-token", self.events("list", code=1).stderr)

    def test_a_wrong_token_is_refused_with_a_reason(self):
        (self.rockdove.data / "admin-token").write_text("A" * 43 + "\n")
        self.assertIn("token", self.events("list", code=1).stderr)

    def test_without_a_server_the_message_says_so(self):
        self.rockdove.stop()
        self.assertIn("no answer from", self.events("list", code=1).stderr)

    def test_what_is_typed_wrong_is_exit_code_2(self):
        for arguments in (["nonsense"], ["show"], ["show", "evt_1"], ["list", "--status", "lost"],
                          ["list", "--limit", "0"], ["list", "--since", "yesterday"], ["replay"], ["purge"],
                          ["purge", "--all", "--route", "a"], ["replay", "evt_0000000000000", "--rate", "fast"]):
            with self.subTest(arguments):
                self.assertTrue(self.events(*arguments, code=2).stderr)

    def test_an_event_that_is_not_there_is_exit_code_1(self):
        self.assertTrue(self.events("show", "evt_0000000000001", code=1).stderr)
        self.assertTrue(self.events("replay", "evt_0000000000001", code=1).stderr)
        self.assertTrue(self.events("pause", "no-such-route", code=1).stderr)

    def test_the_api_answers_nobody_without_its_token(self):
        inbox = self.rockdove.inbox
        right = inbox.token()
        self.assertEqual((self.rockdove.data / "admin-token").stat().st_mode & 0o777, 0o600)
        for path in ("/api/v1/events", "/api/v1/nothing", "/api/"):
            for wrong in ("x", right[:-1], right + "x", right.upper()):
                status, found = inbox.ask("GET", path, token=wrong)
                self.assertEqual((status, found["error"]["cause"]), (401, "unauthorized"))
        self.assertEqual(inbox.ask("GET", "/api/v1/nothing")[0], 404)
        self.assertEqual(inbox.ask("GET", "/api/v1/events?limit=0")[0], 400)
        self.assertEqual(inbox.ask("GET", "/api/v1/events?what=1")[0], 400)
        self.assertEqual(inbox.ask("DELETE", "/api/v1/events")[0], 405)

    def test_the_public_port_has_no_api(self):
        fields = [f"Authorization: Bearer {self.rockdove.inbox.token()}"]
        got = self.call(self.rockdove, "/api/v1/events", fields=fields)
        self.assertEqual(got.status, 503)  # a live route without its agent

    def test_many_questions_at_a_time_are_all_answered(self):
        self.store(50)
        wrong = []

        def ask():
            for _ in range(10):
                if len(self.rockdove.inbox.events()) != 50:
                    wrong.append("a list with holes")
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
