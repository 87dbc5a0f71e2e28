"""Egress: calls that wait in line, what that costs the others, and how a place in it is given up."""

import base64
import unittest

from egress_scene import LOOPBACK, EgressTest, allow, destination
from scene import Beside, answer, decode_join, request
from support import Caller, eventually

BODY = bytes(range(256)) * 4096  # 1 MiB


class Queueing(EgressTest):
    def scene_with(self, more, toml=""):
        self.gate_ = self.gate(b"done")
        self.plain = self.upstream(self.gate_)
        self.server_ = self.server(toml=toml + allow(f"127.0.0.1:{self.plain.port}") +
                                   destination("shop", self.plain.url, f"{LOOPBACK}\n{more}"))
        self.agent_ = self.egress_agent(self.server_)

    def call_beside(self, target):
        caller = self.proxy_caller(self.agent_)
        return Beside(caller.exchange, request(target, host="127.0.0.1"))

    def wait_counts(self, running, waiting):
        def one():
            found = self.egress(self.server_)["destinations"]
            return found and (found[0]["running"], found[0]["waiting"]) == (running, waiting)
        eventually(one, 20, f"{running} calls, {waiting} of them waiting")

    def test_calls_to_one_path_wait_for_each_other_and_other_paths_do_not(self):
        self.scene_with("concurrency_per_path = 1")
        first = [self.call_beside("/shop/lists?page=1")]
        self.gate_.wait_inside(1)
        first += [self.call_beside(f"/shop/lists?page={page}") for page in (2, 3)]
        self.wait_counts(3, 2)
        other = self.call_beside("/shop/orders")
        self.gate_.wait_inside(2)
        self.wait_counts(4, 2)
        self.assertEqual(self.gate_.inside, 2)
        self.gate_.open()
        for call in [*first, other]:
            self.assertEqual(call.result().body, b"done")
        self.assertEqual(self.ended_calls(self.server_, 4)["failures"], {})
        targets = [each.target for each in self.plain.requests if b"lists" in each.target]
        self.assertEqual(len(targets), 3)
        self.assertEqual(targets[0], b"/lists?page=1")

    def test_a_call_that_takes_too_long_gives_its_place_up(self):
        self.scene_with('concurrency_per_path = 1\nhold = "300ms"')
        first = self.call_beside("/shop/lists")
        self.gate_.wait_inside(1)
        second = self.call_beside("/shop/lists")
        self.gate_.wait_inside(2)
        self.gate_.open()
        self.assertEqual((first.result().body, second.result().body), (b"done", b"done"))

    def test_calls_to_one_host_wait_whichever_way_they_come(self):
        self.scene_with("concurrency = 1")
        first = self.call_beside("/shop/a")
        self.gate_.wait_inside(1)
        second = self.call_beside(f"{self.plain.url}/b")
        self.wait_counts(2, 1)
        self.assertEqual(self.gate_.inside, 1)
        self.gate_.open()
        self.assertEqual((first.result().body, second.result().body), (b"done", b"done"))

    def test_a_line_that_is_too_long_or_too_slow_is_a_503(self):
        self.scene_with('concurrency = 1\nwaiting = 1\nwait = "300ms"')
        first = self.call_beside("/shop/a")
        self.gate_.wait_inside(1)
        second = self.call_beside("/shop/b")
        self.wait_counts(2, 1)
        self.assert_error(self.call_beside("/shop/c").result(), 503, "edge", "queue_full")
        self.assert_error(second.result(), 503, "edge", "queue_full")
        self.gate_.open()
        self.assertEqual(first.result().body, b"done")

    def test_a_program_that_goes_away_leaves_the_line(self):
        self.scene_with("concurrency = 1")
        first = self.call_beside("/shop/a")
        self.gate_.wait_inside(1)
        gone = self.proxy_caller(self.agent_)
        gone.send(request("/shop/b", host="127.0.0.1"))
        self.wait_counts(2, 1)
        gone.close()
        self.wait_counts(1, 0)
        self.gate_.open()
        self.assertEqual(first.result().body, b"done")
        self.assertEqual(self.ended_calls(self.server_, 2)["failures"], {"cancelled": 1})

    def connect(self, *fields, port=None, more=b""):
        """A program that asks for a circuit to the destination."""
        caller = Caller(port or self.agent_.proxy_port)
        self.addCleanup(caller.close)
        lines = [f"CONNECT 127.0.0.1:{self.plain.port} HTTP/1.1", "Host: x", *fields]
        caller.send(("\r\n".join(lines) + "\r\n\r\n").encode() + more)
        return caller

    def test_a_connect_that_goes_away_leaves_the_line_at_once(self):
        self.scene_with("concurrency = 1")
        first = self.connect()
        self.assertEqual(first.response("CONNECT").status, 200)
        for more in (b"", b"a hello that comes early"):
            gone, heir = self.connect(more=more), self.connect()
            self.wait_counts(3, 2)
            gone.close()
            self.wait_counts(2, 1)
            heir.close()
            self.wait_counts(1, 0)
        heir = self.connect()
        first.close()
        self.assertEqual(heir.response("CONNECT").status, 200)
        heir.close()
        self.assertEqual(self.ended_calls(self.server_, 6)["failures"]["cancelled"], 4)

    def test_a_connect_to_the_proxy_port_that_goes_away_leaves_the_line_at_once(self):
        self.scene_with("concurrency = 1", '[egress]\nlisten = "127.0.0.1:0"\n')
        port = int(self.server_.wait_for_log(r"proxy port listens: \S+:(\d+)")[1])
        secret = decode_join(self.server_.token())["s"]
        field = "Proxy-Authorization: Basic " + base64.b64encode(f"bot:{secret}".encode()).decode()
        first = self.connect(field, port=port)
        self.assertEqual(first.response("CONNECT").status, 200)
        gone = self.connect(field, port=port)
        self.wait_counts(2, 1)
        gone.close()
        self.wait_counts(1, 0)


class Memory(EgressTest):
    def test_calls_of_one_tunnel_that_wait_do_not_stop_the_others_webhooks_or_calls(self):
        gate = self.gate(b"done")
        slow, quick = self.upstream(gate), self.upstream(answer(b"quick"))
        rules = allow(f"127.0.0.1:{slow.port}") + allow(f"127.0.0.1:{quick.port}", tunnel="other")
        rules += '[[route]]\nname = "other"\nhost = "other.example"\ntunnel = "other"\n'
        slow_one = destination("slow", slow.url, f"{LOOPBACK}\nconcurrency = 1")
        server = self.server(toml='[limits]\nlink_memory = "1MiB"\n' + rules + slow_one)
        stuck = self.egress_agent(server)
        webhooks = self.upstream(answer(BODY * 8))
        other = self.egress_agent(server, upstream=webhooks, name="else", tunnel="other")
        callers = []
        for number in range(12):
            callers.append(self.proxy_caller(stuck))
            body = request(f"/slow/{number}", method="POST", host="127.0.0.1", body=BODY)
            callers.append(Beside(callers[-1].sock.sendall, body))
            if number == 0:
                gate.wait_inside(1)
        eventually(lambda: self.egress(server)["memory"]["used"] > 1 << 20, 20, "the calls hold what they may")
        self.assertEqual(self.call(server, host="other.example").body, BODY * 8)
        port = other.proxy_port
        self.assertEqual(self.curl("--proxy", f"http://127.0.0.1:{port}", "--data-binary", "@-", f"{quick.url}/x",
                                   stdin=BODY), b"quick")
        self.assertLess(self.egress(server)["memory"]["used"], 4 << 20)
        gate.open()


if __name__ == "__main__":
    unittest.main()
