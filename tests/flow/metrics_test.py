"""/metrics: what a scraper finds there after requests that are known, and that the documentation lists all of it."""

import http.client
import json
import re
import unittest
from pathlib import Path

from inbox_scene import InboxTest, Script, route
from scene import answer
from support import PATIENCE, eventually

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "metrics.md"
NAME = r"\b(?:rockdove|process)_[a-z_]+\b"
SAMPLE = re.compile(r'^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)*)\})? (\S+)$')


class Metrics:
    """One scrape. Refuses what a scraper would: a line that is no sample, a sample twice, one without a TYPE."""

    def __init__(self, server):
        connection = http.client.HTTPConnection("127.0.0.1", server.admin_port, timeout=PATIENCE)
        try:
            connection.request("GET", "/metrics", headers={"Connection": "close"})
            got = connection.getresponse()
            self.status, self.type = got.status, got.getheader("Content-Type")
            text = got.read().decode()
        finally:
            connection.close()
        self.families, self.samples = {}, {}
        for line in text.splitlines():
            if line.startswith("#"):
                _, word, name, rest = line.split(" ", 3)
                if word == "TYPE":
                    assert name not in self.families, line
                    self.families[name] = rest
                continue
            found = SAMPLE.match(line)
            assert found, line
            name = found[1]
            assert name in self.families or re.sub("_(bucket|sum|count)$", "", name) in self.families, line
            labels = frozenset(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', found[2] or ""))
            assert (name, labels) not in self.samples, line
            self.samples[name, labels] = float(found[3])

    def get(self, name, **labels):
        """The sample of exactly these labels, but for those without a value; None if there is none."""
        wanted = {(key, value) for key, value in labels.items() if value}
        for (each, found), value in self.samples.items():
            if each == name and {pair for pair in found if pair[1]} == wanted:
                return value
        return None


def documented():
    """Name and type of every metric in docs/metrics.md."""
    return dict(re.findall(rf"^\| `({NAME})` \| (\w+)", DOCUMENT.read_text(), re.MULTILINE))


class Deploy(unittest.TestCase):
    """The dashboard and the alerts of deploy/: a metric that is renamed must not leave them empty."""

    def assert_known(self, expressions):
        known = documented()
        self.assertGreater(len(expressions), 10)
        for expression in expressions:
            names = re.findall(NAME, expression)
            self.assertTrue(names or "up{" in expression, expression)
            for name in names:
                family = re.sub("_(bucket|sum|count)$", "", name)
                self.assertIn(name if name in known else family, known, expression)
                if known.get(name) == "counter":
                    self.assertRegex(expression, rf"(rate|increase)\({name}\b", "a counter says nothing by itself")

    def test_alerts_are_made_of_documented_metrics(self):
        rules = (ROOT / "deploy" / "prometheus" / "rockdove.rules.yml").read_text()
        blocks = re.findall(r"- alert: \w+\n +expr: (.*?)\n +(?:for|labels):", rules, re.DOTALL)
        self.assertEqual(len(blocks), rules.count("- alert:"))
        self.assert_known(blocks)

    def test_the_dashboard_is_made_of_documented_metrics(self):
        board = json.loads((ROOT / "deploy" / "grafana" / "rockdove.json").read_text())
        targets = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
        self.assert_known(targets)
        ids = [panel["id"] for panel in board["panels"]]
        self.assertEqual(len(ids), len(set(ids)))


class Scrapes(InboxTest):
    def test_requests_of_a_live_route_are_counted_exactly(self):
        def by_target(_, message):
            return answer(b"x" * 10, message.target[1:].decode() + " Word")
        server = self.server(keys='agent_wait = "0s"')
        agent = self.agent(server, self.upstream(by_target))
        for status in (200, 200, 200, 301, 404, 500):
            self.call(server, f"/{status}", method="POST", body=b"y" * 7)
        agent.stop()
        self.assertEqual(self.call(server, "/200").status, 503)
        eventually(lambda: server.route()["requests"] == 7)
        metrics = Metrics(server)
        self.assertEqual((metrics.status, metrics.type), (200, "text/plain; version=0.0.4; charset=utf-8"))
        by_class = {each: metrics.get("rockdove_requests_total", route="default", **{"class": each})
                    for each in ("2xx", "3xx", "4xx", "5xx", "gone")}
        self.assertEqual(by_class, {"2xx": 3, "3xx": 1, "4xx": 1, "5xx": 2, "gone": 0})
        failed = metrics.get("rockdove_request_failures_total", route="default", hop="edge", cause="no_agent")
        self.assertEqual(failed, 1)
        self.assertEqual(metrics.get("rockdove_request_body_bytes_total", route="default"), 42)
        for name in ("rockdove_request_duration_seconds", "rockdove_request_first_byte_seconds"):
            self.assertEqual(metrics.get(name + "_count", route="default"), 7)
            self.assertEqual(metrics.get(name + "_bucket", route="default", le="+Inf"), 7)
            self.assertGreater(metrics.get(name + "_sum", route="default"), 0)
        self.assertLessEqual(metrics.get("rockdove_request_first_byte_seconds_sum", route="default"),
                             metrics.get("rockdove_request_duration_seconds_sum", route="default"))

    def test_a_tunnel_that_waits_for_its_first_agent_has_none(self):
        server = self.server()
        self.assertIsNone(Metrics(server).get("rockdove_agents", tunnel="bot"))
        server.token()
        eventually(lambda: Metrics(server).get("rockdove_agents", tunnel="bot") == 0)

    def test_links_of_an_agent_that_comes_again_add_up(self):
        server, upstream = self.server(), self.upstream(answer(b"z" * 5000))
        agent = self.agent(server, upstream)
        self.call(server)
        agent.stop()
        eventually(lambda: not Metrics(server).get("rockdove_links", tunnel="bot"))
        between = Metrics(server)
        self.assertEqual(between.get("rockdove_agents", tunnel="bot"), 0)
        self.assertGreaterEqual(between.get("rockdove_link_received_bytes_total", tunnel="bot"), 5000)
        agent.start()
        agent.wait_connected()
        eventually(lambda: Metrics(server).get("rockdove_links", tunnel="bot") == 2)
        after = Metrics(server)
        self.assertEqual(after.get("rockdove_links_accepted_total", tunnel="bot"), 4)
        self.assertGreaterEqual(after.get("rockdove_link_received_bytes_total", tunnel="bot"),
                                between.get("rockdove_link_received_bytes_total", tunnel="bot"))
        self.assertEqual(after.get("rockdove_upstream_up", tunnel="bot", agent="office", upstream="default"), 1)
        self.assertEqual(after.get("rockdove_link_streams", tunnel="bot", agent="office", link="0"), 0)

    def test_events_attempts_and_dead_letters_are_counted(self):
        script = Script(answer(), answer(status="503 Busy"), answer(), answer(status="422 No"))
        server = self.inbox_server(route("inbox", concurrency=1))
        self.agent(server, self.upstream(script))
        for number in range(3):
            self.post(server, b"%d" % number)
            eventually(lambda number=number: sum(server.inbox.tally().get(state, 0)
                                                 for state in ("done", "dead")) == number + 1)
        metrics = Metrics(server)
        ends = {each: metrics.get("rockdove_inbox_attempts_total", route="hook", outcome=each)
                for each in ("delivered", "retry", "rejected", "gone")}
        self.assertEqual(ends, {"delivered": 2, "retry": 1, "rejected": 1, "gone": 0})
        self.assertEqual(metrics.get("rockdove_inbox_events", route="hook", tunnel="bot", status="done"), 2)
        self.assertEqual(metrics.get("rockdove_inbox_events", route="hook", tunnel="bot", status="dead"), 1)
        self.assertEqual(metrics.get("rockdove_inbox_requests_total", outcome="stored"), 3)
        self.assertEqual(metrics.get("rockdove_inbox_ok"), 1)
        self.assertGreaterEqual(metrics.get("rockdove_inbox_commits_total"), 3)
        self.assertGreater(metrics.get("rockdove_inbox_commit_slowest_seconds"), 0)

    def test_metrics_are_not_for_the_public_and_need_no_token(self):
        server = self.server()
        self.agent(server, self.upstream(answer(b"from the upstream")))
        self.assertEqual(self.call(server, "/metrics").body, b"from the upstream")
        self.assertEqual(Metrics(server).status, 200)

    def test_this_process_and_this_build_are_shown(self):
        server = self.server()
        metrics = Metrics(server)
        self.assertEqual(metrics.get("rockdove_build_info", version=server.get_json()["version"]), 1)
        self.assertAlmostEqual(metrics.get("process_open_fds"), server.descriptors(), delta=3)
        self.assertGreater(metrics.get("process_resident_memory_bytes"), 1 << 20)
        self.assertGreater(metrics.get("rockdove_data_disk_size_bytes"), 0)

    def test_every_metric_is_documented_and_no_other(self):
        server = self.inbox_server(route("inbox"), toml='[[route]]\nname = "last"\npath = "/last"\n')
        self.agent(server, self.upstream())
        known, shown = documented(), Metrics(server).families
        self.assertEqual({name: kind for name, kind in shown.items() if known.get(name) != kind}, {})
        source = (ROOT / "src" / "ops" / "metrics.cpp").read_text()
        self.assertEqual(set(known), set(re.findall(rf'"({NAME})"', source)))


if __name__ == "__main__":
    unittest.main()
