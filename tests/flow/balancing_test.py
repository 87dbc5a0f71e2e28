"""Many agents of one tunnel: who gets a request, and what becomes of it when an agent goes."""

import collections
import signal
import time
import unittest

from scene import Beside, Load, SceneTest, answer, request
from support import Caller, Ended, eventually


class Spread(SceneTest):
    def test_requests_that_take_long_are_spread_evenly(self):
        server, gates = self.server(), [self.gate(), self.gate()]
        upstreams = [self.upstream(gate) for gate in gates]
        for name, upstream in zip(("first", "second"), upstreams):
            self.agent(server, upstream, name)
        calls = []
        for count in range(1, 13):  # one after the other, so that each is counted before the next
            calls.append(self.call_beside(server))
            eventually(lambda count=count: sum(gate.inside for gate in gates) == count)
        self.assertEqual([gate.inside for gate in gates], [6, 6])
        for gate in gates:
            gate.open()
        self.assertEqual([call.result().status for call in calls], [200] * 12)

    def test_a_slow_agent_gets_less_than_a_quick_one(self):
        server, gate = self.server(), self.gate()
        slow, quick = self.upstream(gate), self.upstream()
        self.agent(server, slow, "slow")
        self.agent(server, quick, "quick")
        load = Load(server.ingress_port, 8)
        self.addCleanup(load.stop)
        load.wait_for(50)
        # Each link of the slow agent holds requests until those of the quick one have as many, and no more.
        self.assertLess(len(slow.requests), 8)
        gate.open()
        load.stop()
        self.assertEqual(load.failures, [])

    def test_requests_one_after_the_other_reach_every_agent(self):
        server = self.server()
        upstreams = [self.upstream(), self.upstream()]
        for name, upstream in zip("ab", upstreams):
            self.agent(server, upstream, name)
        for _ in range(40):
            self.assertEqual(self.call(server).status, 200)
        self.assertTrue(all(len(upstream.requests) > 0 for upstream in upstreams),
                        [len(upstream.requests) for upstream in upstreams])


class Leaving(SceneTest):
    def test_an_agent_that_leaves_ends_what_it_has_and_gets_nothing_new(self):
        server, gate = self.server(), self.gate(b"from the one that leaves")
        first = self.upstream(gate)
        leaving = self.agent(server, first, "leaving", keys='drain = "20s"')
        call = self.call_beside(server)
        gate.wait_inside()
        second = self.upstream(answer(b"from the other"))
        self.agent(server, second, "other")
        leaving.signal(signal.SIGTERM)
        eventually(lambda: server.agent("leaving")["draining"], what="the server knows")
        for _ in range(20):
            self.assertEqual(self.call(server).body, b"from the other")
        self.assertFalse(call.is_done())
        gate.open()
        self.assertEqual(call.result().body, b"from the one that leaves")
        self.assert_ends(leaving)
        self.assertEqual((len(first.requests), len(second.requests)), (1, 20))

    def test_no_request_fails_while_agents_leave_and_come_back_under_load(self):
        server, upstream = self.server(keys='agent_wait = "10s"'), self.upstream()
        agents = [self.agent(server, upstream, name) for name in ("one", "two")]
        load = Load(server.ingress_port)
        self.addCleanup(load.stop)
        for _ in range(3):
            for agent in agents:
                load.wait_for(30)
                agent.stop()
                agent.start()
                agent.wait_connected()
        load.stop()
        self.assertEqual(load.failures, [])

    def test_no_request_fails_while_the_only_agent_starts_again_under_load(self):
        server, upstream = self.server(keys='agent_wait = "20s"'), self.upstream()
        agent = self.agent(server, upstream)
        load = Load(server.ingress_port)
        self.addCleanup(load.stop)
        for _ in range(5):
            load.wait_for(30)
            agent.stop()
            agent.start()
            agent.wait_connected()
        load.wait_for(10)
        load.stop()
        self.assertEqual(load.failures, [])

    def test_once_a_killed_agent_is_gone_no_request_fails(self):
        server, upstream = self.server(), self.upstream()
        victim = self.agent(server, upstream, "victim")
        self.agent(server, upstream, "other")
        load = Load(server.ingress_port)
        self.addCleanup(load.stop)
        load.wait_for(100)
        victim.kill9()
        eventually(lambda: server.agent("victim") is None, 5, "its links are gone")
        gone = time.monotonic()
        load.wait_for(200)
        load.stop()
        self.assertEqual([each for each in load.failures if each[0] > gone], [])
        self.assertLessEqual(len(load.failures), 4, "more failed than were under way")


class SecondTry(SceneTest):
    def dead_port(self):
        upstream = self.upstream()
        upstream.stop()
        return upstream.url

    def test_what_one_upstream_refuses_another_agent_gets(self):
        server, upstream = self.server(), self.upstream()
        for name in ("a", "z"):  # whichever is asked first by name or age
            self.agent(server, self.dead_port(), name)
        self.agent(server, upstream, "m")
        for count in range(8):
            response = self.call(server, method="POST", body=b"order %d" % count)
            self.assertEqual((response.status, response.body), (200, b"ok"))
        self.assertEqual([each.body for each in upstream.requests], [b"order %d" % count for count in range(8)])

    def test_a_body_that_waits_for_100_continue_is_not_lost_when_one_upstream_refuses(self):
        def go_on(connection, _):
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            return answer()
        server, upstream = self.server(), self.upstream(go_on)
        for name in ("a", "z"):
            self.agent(server, self.dead_port(), name)
        self.agent(server, upstream, "m")
        body = bytes(range(256)) * 200
        for _ in range(4):
            response = self.call(server, method="POST", fields=["Expect: 100-continue"], body=body)
            if response.status == 200:
                self.assertEqual(upstream.last().body, body)
            else:
                self.assertEqual(response.status, 502)

    def test_an_agent_whose_upstream_refused_is_asked_last(self):
        server, upstream = self.server(), self.upstream()
        self.agent(server, self.dead_port(), "down")
        eventually(lambda: self.call(server).status == 502, what="the agent meets its dead upstream")
        eventually(lambda: server.is_up("down") is False, what="the server is told")
        self.agent(server, upstream, "up")
        for _ in range(5):
            self.assertEqual(self.call(server).status, 200)

    def test_if_every_upstream_refuses_the_answer_says_so(self):
        server = self.server()
        for name in ("one", "two"):
            self.agent(server, self.dead_port(), name)
        self.assert_error(self.call(server, method="POST", body=b"{}"), 502, "upstream", "upstream_refused")


class SentOnce(SceneTest):
    def test_a_post_that_may_have_been_seen_is_not_sent_again_when_its_agent_dies(self):
        server, gate = self.server(), self.gate()
        first, second = self.upstream(gate), self.upstream()
        agent = self.agent(server, first, "first")
        call = self.call_beside(server, method="POST", body=b"pay once")
        gate.wait_inside()
        self.agent(server, second, "second")
        agent.kill9()
        self.assert_error(call.result(), 502, "link", "link_lost")
        self.assertEqual(self.call(server).status, 200)
        self.assertEqual((len(first.requests), len(second.requests)), (1, 1))  # the second one: the GET

    def test_no_post_arrives_twice_while_agents_are_killed(self):
        server = self.server(keys='agent_wait = "10s"')
        seen = collections.Counter()

        def count(connection, message):
            seen[bytes(connection.read_body(message))] += 1
            return answer(bytes(message.body))
        upstream = self.upstream(count)
        agents = [self.agent(server, upstream, name) for name in ("one", "two")]

        def post(name):
            accepted = []
            for number in range(150):
                body = f"{name}-{number}".encode() + b"." * (number * 97 % 20000)
                caller = Caller(server.ingress_port)
                try:
                    response = caller.exchange(request(method="POST", body=body))
                    if response.status == 200:
                        self.assertEqual(response.body, body)
                        accepted.append(body)
                except Ended:
                    pass
                finally:
                    caller.close()
            return accepted
        posts = [Beside(post, name) for name in range(4)]
        turn = 0
        while not all(each.is_done() for each in posts) and turn < 12:
            agents[turn % 2].kill9()
            agents[turn % 2].start()
            agents[turn % 2].wait_connected()
            turn += 1
        accepted = [body for each in posts for body in each.result(60)]
        self.assertGreater(turn, 1)
        self.assertGreater(len(accepted), 300)
        self.assertEqual([body[:20] for body, count in seen.items() if count > 1], [])
        self.assertEqual([body[:20] for body in accepted if seen[body] != 1], [])

    def test_an_upstream_that_resets_in_the_middle_of_an_upload_is_named_as_the_cause(self):
        def give_up(connection, message):
            next(connection.pieces(message))
            connection.reset()
        server = self.server()
        upstreams = [self.upstream(give_up), self.upstream(give_up)]
        for name, upstream in zip("ab", upstreams):
            self.agent(server, upstream, name)
        for count in range(1, 6):
            response = self.call(server, method="POST", body=bytes(900_000))
            self.assert_error(response, 502, "upstream", "upstream_reset")
            self.assertEqual(sum(len(upstream.requests) for upstream in upstreams), count)

    def test_an_upstream_that_hangs_up_gets_no_second_post(self):
        def hang_up(connection, message):
            connection.read_body(message)
            connection.close()
        server = self.server()
        upstreams = [self.upstream(hang_up), self.upstream(hang_up)]
        for name, upstream in zip("ab", upstreams):
            self.agent(server, upstream, name)
        self.assert_error(self.call(server, method="POST", body=b"{}"), 502, "upstream", "upstream_reset")
        self.assertEqual(sum(len(upstream.requests) for upstream in upstreams), 1)


if __name__ == "__main__":
    unittest.main()
