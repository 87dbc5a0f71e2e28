"""W3C Trace Context: one trace from the caller to the upstream and into the logs of both ends, however late."""

import json
import re
import threading
import unittest

from inbox_scene import InboxTest, Script, route
from metrics_test import Metrics
from scene import answer
from support import eventually

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
VALID = f"00-{TRACE}-00f067aa0ba902b7-01"
MADE = re.compile(rb"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-01")
JSON_LOG = "[log]\njson = true\n"


def lines(process, layer="request"):
    """What the log, which is JSON, has of a layer."""
    found = [json.loads(line) for line in process.log().splitlines() if line.startswith("{")]
    return [line for line in found if line["layer"] == layer]


class Trace(InboxTest):
    def start(self, upstream, keys="", toml=""):
        server = self.server(keys=keys, toml=toml + JSON_LOG)
        return server, self.agent(server, upstream, toml=JSON_LOG)

    def test_a_valid_one_reaches_the_upstream_byte_for_byte(self):
        upstream = self.upstream()
        server, agent = self.start(upstream)
        for value in (VALID, f"00-{TRACE}-00f067aa0ba902b7-00", f"cc-{TRACE}-00f067aa0ba902b7-01-later"):
            with self.subTest(value=value):
                self.call(server, fields=(f"traceparent: {value}", "tracestate: a=1,b=x y ", "Tracestate: c=3"))
                seen = upstream.last()
                self.assertEqual(seen.all(b"traceparent"), [value.encode()])
                self.assertEqual(seen.all(b"tracestate"), [b"a=1,b=x y", b"c=3"])
        for process in (server, agent):
            eventually(lambda process=process: len(lines(process)) == 3, what=process.name)
            self.assertEqual([line["trace"] for line in lines(process)], [TRACE] * 3)

    def test_one_is_made_where_there_is_none_and_both_ends_name_it(self):
        upstream = self.upstream()
        server, agent = self.start(upstream)
        traces = []
        for fields in ((), ("tracestate: a=1",), ("traceparent: 00-zero", "tracestate: a=1"),
                       (f"traceparent: {VALID}", f"traceparent: {VALID}"), (f"traceparent: {VALID.upper()}",)):
            self.call(server, "/path?token=s", fields=fields)
            seen = upstream.last()
            upstream.clear()
            made = MADE.fullmatch(seen.get(b"traceparent"))
            self.assertTrue(made, seen.get(b"traceparent"))
            self.assertEqual(seen.all(b"tracestate"), [])
            traces.append(made[1].decode())
        self.assertEqual(len(set(traces)), len(traces))
        eventually(lambda: len(lines(server)) == len(lines(agent)) == len(traces))
        for process in (server, agent):
            self.assertEqual([line["trace"] for line in lines(process)], traces)
        self.assertEqual([line["id"] for line in lines(server)], [line["id"] for line in lines(agent)])

    def test_a_request_line_has_what_one_looks_for(self):
        server, agent = self.start(self.upstream(answer(b"12345")))
        self.call(server, "/path?token=s3cret", method="POST", body=b"1234567")
        eventually(lambda: lines(server) and lines(agent))
        (ours,), (theirs,) = lines(server), lines(agent)
        expected = {"method": "POST", "path": "/path", "status": 200, "bytes_in": 7, "bytes_out": 5}
        for line in (ours, theirs):
            self.assertEqual({key: line[key] for key in expected}, expected)
        self.assertEqual((ours["route"], ours["tunnel"], ours["agent"]), ("default", "bot", "office"))
        self.assertEqual((ours["peer"], theirs["upstream"]), ("127.0.0.1", "default"))
        self.assertGreater(ours["upstream_ms"], 0)
        self.assertLessEqual(ours["edge_ms"] + ours["link_ms"] + ours["upstream_ms"], ours["ms"] + 0.01)

    def test_a_failure_names_its_trace_and_its_hop(self):
        server, agent = self.start("http://127.0.0.1:9", keys='agent_wait = "0s"')
        response = self.call(server, fields=(f"traceparent: {VALID}",))
        self.assert_error(response, 502, "upstream", "upstream_refused")
        self.assertEqual(json.loads(response.body)["error"]["trace_id"], TRACE)
        eventually(lambda: lines(server) and lines(agent))
        for process in (server, agent):
            line = lines(process)[0]
            self.assertEqual((line["hop"], line["cause"], line["trace"]), ("upstream", "upstream_refused", TRACE))

    def test_an_event_keeps_its_trace_over_attempts(self):
        script = Script(answer(status="503 Busy"), answer(status="500 No"), answer())
        upstream = self.upstream(script)
        server = self.inbox_server(route("inbox"), toml=JSON_LOG)
        agent = self.agent(server, upstream, toml=JSON_LOG)
        self.post(server, b"{}", fields=(f"traceparent: {VALID}", "tracestate: a=1"))
        server.inbox.wait_states(done=1)
        self.assertEqual([each.get(b"traceparent") for each in upstream.requests], [VALID.encode()] * 3)
        self.assertEqual([each.get(b"tracestate") for each in upstream.requests], [b"a=1"] * 3)
        self.assertEqual([line["trace"] for line in lines(agent)], [TRACE] * 3)
        shown = json.dumps(server.inbox.show(server.inbox.only()["id"]))
        self.assertIn(VALID, shown)
        self.post(server, b"{}")
        server.inbox.wait_states(done=2)
        made = upstream.requests[-1].get(b"traceparent")
        self.assertTrue(MADE.fullmatch(made), made)
        self.assertEqual(lines(server)[-1]["trace"], made.decode()[3:35])

    def test_with_trace_off_everything_stays_as_it_came(self):
        upstream = self.upstream()
        server, _ = self.start(upstream, keys="trace = false")
        for fields in ((), ("Traceparent: 00-zero", "Tracestate: a=1"), (f"Traceparent: {VALID}",)):
            self.call(server, fields=fields)
            seen = upstream.last()
            upstream.clear()
            kept = [f"{name.decode()}: {value.decode()}" for name, value in seen.fields if name.startswith(b"Trace")]
            self.assertEqual(kept, list(fields))

    def test_the_time_of_a_slow_upstream_is_the_upstreams(self):
        def slow(connection, message):
            connection.read_body(message)
            threading.Event().wait(0.05)
            return answer()
        server, _ = self.start(self.upstream(slow))
        for _ in range(3):
            self.call(server)
        eventually(lambda: len(lines(server)) == 3)
        for line in lines(server):
            self.assertGreaterEqual(line["upstream_ms"], 50)
            self.assertLess(line["upstream_ms"], line["ms"])
        metrics = Metrics(server)
        self.assertEqual(metrics.get("rockdove_hop_seconds_count", tunnel="bot", hop="upstream"), 3)
        self.assertGreaterEqual(metrics.get("rockdove_hop_seconds_sum", tunnel="bot", hop="upstream"), 0.15)
        for hop in ("edge", "link"):
            self.assertEqual(metrics.get("rockdove_hop_seconds_count", tunnel="bot", hop=hop), 3)


if __name__ == "__main__":
    unittest.main()
