"""What the tests of the inbox share: routes as text, the admin API, and events to wait for."""

import collections
import http.client
import json
import re
import threading
from urllib.parse import urlencode

from scene import SceneTest, request
from support import PATIENCE, Server, eventually

QUICK = '{first = "20ms", longest = "100ms", give_up = "10m", timeout = "20s"}'
OWN_FIELDS = (b"webhook-id", b"rockdove-event-id", b"rockdove-attempt", b"rockdove-received-at", b"rockdove-replay",
              b"x-request-id", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"traceparent")


def route(mode, name="hook", path="/hook", retry=QUICK, **keys):
    """A [[route]] as text. Values of `keys` are written as they are if they look like TOML, else as strings."""
    lines = ["[[route]]", f'name = "{name}"', f'path = "{path}"', f'mode = "{mode}"']
    if mode != "live":
        lines.append(f"retry = {retry}")
    for key, value in keys.items():
        plain = isinstance(value, int) or value[:1] in "{["
        lines.append(f"{key} = {value if plain else json.dumps(value)}")
    return "\n".join(lines) + "\n"


class Inbox:
    """The admin API of a server, with its token."""

    def __init__(self, server):
        self.server = server

    def token(self):
        return (self.server.data / "admin-token").read_text().strip()

    def ask(self, method, path, content=None, token=None):
        """(status, JSON value) of a request to the admin port."""
        headers = {"Authorization": f"Bearer {token or self.token()}", "Connection": "close"}
        body = None if content is None else json.dumps(content)
        connection = http.client.HTTPConnection("127.0.0.1", self.server.admin_port, timeout=PATIENCE)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text.strip() else None
        finally:
            connection.close()

    def must(self, method, path, content=None):
        status, value = self.ask(method, path, content)
        assert status // 100 == 2, f"{method} {path}: {status} {value}"
        return value

    def events(self, **query):
        """All events that fit, page by page, the oldest first."""
        found = []
        while True:
            page = self.must("GET", "/api/v1/events?" + urlencode({"order": "oldest", "limit": 500, **query}))
            found += page["events"]
            if not page.get("next"):
                return found
            query["cursor"] = page["next"]

    def states(self):
        return dict(collections.Counter(each["state"] for each in self.events()))

    def tally(self):
        """The same from /stats: however many events there are, this is quick."""
        counts = collections.Counter()
        for each in self.server.get_json()["inbox"]["events"]:
            counts[each["status"]] += each["events"]
        return dict(counts)

    def show(self, event_id):
        return self.must("GET", f"/api/v1/events/{event_id}")

    def attempts(self, event_id):
        return self.show(event_id)["attempts"]

    def only(self, state=None):
        """The one event there is, once it is in that state."""
        def find():
            events = self.events()
            assert len(events) <= 1, events
            return events and (state is None or events[0]["state"] == state) and events[0]
        return eventually(find, 30, f"one event, {state}")

    def wait_states(self, timeout=30, **counts):
        """Waits until there are so many events of each state and no others."""
        seen = {}

        def fits():
            seen.clear()
            seen.update(self.states())
            return seen == counts
        try:
            eventually(fits, timeout)
        except AssertionError:
            raise AssertionError(f"wanted {counts}, there is {seen}") from None

    def replay(self, *ids):
        return self.must("POST", "/api/v1/events/replay", {"ids": list(ids)})

    def pause(self, name="hook"):
        self.must("POST", f"/api/v1/routes/{name}/pause", {"reason": "a test"})

    def resume(self, name="hook"):
        self.must("POST", f"/api/v1/routes/{name}/resume")


class InboxServer(Server):
    """A server; `data` is its data directory as this process sees it."""

    @property
    def data(self):
        return self.directory / "data"

    @property
    def inbox(self):
        return Inbox(self)


class Script:
    """An upstream's handler that gives one answer after the other; the last one again and again.

    An answer is bytes, or a function of (connection, request). `most` is how many were under way at a time.
    """

    def __init__(self, *answers):
        self.answers = list(answers)
        self.inside = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, connection, message):
        connection.read_body(message)
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        try:
            return answer(connection, message) if callable(answer) else answer
        finally:
            with self._lock:
                self.inside -= 1


class InboxTest(SceneTest):
    def inbox_server(self, *routes, keys="", **options):
        """A server with these routes and, behind them, a live one for the rest."""
        toml = "".join(routes) + '[[route]]\nname = "rest"\n' + options.pop("toml", "")
        server = InboxServer(start=False, keys=keys, toml=toml, tls=options.pop("tls", "off"), **options)
        return self.take_in(server).start()

    def post(self, server, body=b"{}", target="/hook", fields=(), method="POST"):
        return self.call(server, target, method=method, fields=fields, body=body)

    def assert_bodies(self, upstream, bodies, timeout=30):
        """Exactly these bodies reach the upstream, in any order."""
        eventually(lambda: len(upstream.requests) >= len(bodies), timeout, f"{len(bodies)} requests")
        self.assertEqual(sorted(each.body for each in upstream.requests), sorted(bodies))

    def foreign_fields(self, message):
        """The fields that came from the caller, their names in lower case."""
        return [(name.lower(), value) for name, value in message.fields if name.lower() not in OWN_FIELDS]


def number(value):
    """The first number of a header value."""
    return int(re.search(rb"\d+", value)[0])


__all__ = ["QUICK", "Inbox", "InboxServer", "InboxTest", "Script", "number", "request", "route"]
