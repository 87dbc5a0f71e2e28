"""Events by their type to several targets, each with deliveries of its own."""

import unittest

from inbox_scene import Script
from provider_scene import ProviderTest, eventually
from scene import answer

MESSAGES = {"tunnel": "bot-a", "types": ["im.message.receive_v1", "im.chat.*"]}
CARDS = {"tunnel": "bot-b", "types": ["card.action.trigger"]}
ALL = {"tunnel": "bot-b"}


class Targets(ProviderTest):
    def bot(self, server, name, body=b"ok"):
        upstream = self.upstream(Script(answer(body)))
        self.agent(server, upstream, name, tunnel=name)
        return upstream

    def states(self, server):
        return sorted((each["route"], each["tunnel"], each["state"]) for each in server.inbox.events())

    def test_each_event_goes_where_its_type_is_wanted(self):
        server = self.provided(targets=[MESSAGES, CARDS], deadline="10s")
        a, b = self.bot(server, "bot-a", b"a"), self.bot(server, "bot-b", b"b")
        self.assertEqual(self.send(server, self.feishu.event("e1")).body, b"a")
        self.assertEqual(self.send(server, self.feishu.event("e2", "im.chat.updated_v1")).body, b"a")
        self.assertEqual(self.send(server, self.feishu.card()).body, b"b")
        self.assertEqual((len(a.requests), len(b.requests)), (2, 1))
        server.inbox.wait_states(done=2)
        self.assertEqual({each["route"] for each in server.inbox.events()}, {"hook/bot-a"})

    def test_what_nobody_wants_is_acknowledged_and_counted(self):
        server = self.provided(targets=[MESSAGES, CARDS])
        for kind in ("im.message.read_v1", "im.chat", "contact.user.created_v3"):
            response = self.send(server, self.feishu.event("e", kind))
            self.assertEqual((response.status, response.body), (200, b"{}"))
        self.assertEqual(self.provider(server)["unwanted"], 3)
        self.assertEqual(server.inbox.events(), [])

    def test_an_ack_without_a_body_is_one(self):
        server = self.provided(targets=[CARDS], ack="{ status = 204 }")
        response = self.send(server, self.feishu.event())
        self.assertEqual((response.status, response.body, response.all(b"content-length")), (204, b"", []))

    def test_a_target_that_is_away_holds_up_only_its_own_copies(self):
        server = self.provided(targets=[MESSAGES, ALL])
        a = self.bot(server, "bot-a", b"a")
        self.assertEqual(self.send(server, self.feishu.event("e1")).body, b"a")
        eventually(lambda: self.states(server) == [("hook/bot-a", "bot-a", "done"), ("hook/bot-b", "bot-b", "waiting")])
        # The same event again is nothing new to either.
        self.send(server, self.feishu.event("e1"))
        self.assertEqual(len(server.inbox.events()), 2)
        b = self.bot(server, "bot-b")
        server.inbox.wait_states(done=2)
        self.assertEqual(a.last().body, b.last().body)
        self.assertEqual((len(a.requests), len(b.requests)), (1, 1))

    def test_the_ack_comes_if_the_first_target_is_away(self):
        server = self.provided(targets=[MESSAGES, ALL], deadline="300ms")
        b = self.bot(server, "bot-b", b"b")
        self.assertEqual(self.send(server, self.feishu.event("e1")).body, b"{}")
        eventually(lambda: self.states(server) == [("hook/bot-a", "bot-a", "waiting"), ("hook/bot-b", "bot-b", "done")])
        self.assertEqual(len(b.requests), 1)

    def test_a_target_is_paused_and_replayed_on_its_own(self):
        server = self.provided(targets=[MESSAGES, ALL])
        a, b = self.bot(server, "bot-a"), self.bot(server, "bot-b")
        server.run("events", "pause", "hook/bot-b", "--config", str(server.config))
        self.send(server, self.feishu.event("e1"))
        eventually(lambda: self.states(server) == [("hook/bot-a", "bot-a", "done"), ("hook/bot-b", "bot-b", "waiting")])
        server.run("events", "resume", "hook/bot-b", "--config", str(server.config))
        server.inbox.wait_states(done=2)
        server.inbox.replay(next(each["id"] for each in server.inbox.events() if each["tunnel"] == "bot-a"))
        eventually(lambda: len(a.requests) == 2)
        self.assertEqual(len(b.requests), 1)

    def test_a_restart_forgets_no_copy(self):
        server = self.provided(targets=[MESSAGES, ALL], deadline="100ms")
        self.assertEqual(self.send(server, self.feishu.event("e1")).status, 200)
        server.kill9()
        server.start()
        a, b = self.bot(server, "bot-a"), self.bot(server, "bot-b")
        server.inbox.wait_states(done=2)
        self.assertEqual((len(a.requests), len(b.requests)), (1, 1))

    def test_one_tunnel_may_have_two_upstreams(self):
        targets = [{"tunnel": "bot", "upstream": "a"}, {"tunnel": "bot", "upstream": "b", "name": "second"}]
        server, a, b = self.provided(targets=targets), self.upstream(), self.upstream()
        self.agent(server, {"a": a, "b": b})
        self.send(server, self.feishu.event("e1"))
        eventually(lambda: len(a.requests) == 1 and len(b.requests) == 1)


if __name__ == "__main__":
    unittest.main()
