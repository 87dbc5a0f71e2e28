#!/usr/bin/python3
"""A strict stand-in for the Lingxing OpenAPI: tokens, signs, IP allow-list, buckets of one, shops and orders.

As a module: FakeLingxing(...).start(), .url, .records, .stop(). As a program, for a demonstration:

    tests/fakes/lingxing.py [--port N] [--app-id ID] [--allow IP]... [--certificate FILE --key FILE]
                            the appSecret comes from LINGXING_APP_SECRET, "demo-secret" without it
"""

import argparse
import collections
import dataclasses
import datetime
import email.parser
import email.policy
import http.server
import json
import os
import ssl
import threading
import time
import urllib.parse
import uuid

import lingxing_data
import lingxing_sign

NOT_PERMITTED = "ip not permit, please add ip to white list first."
SIGN_SECONDS = 120
COMMON = ("access_token", "app_key", "timestamp", "sign")


class Refusal(Exception):
    """An answer with an error code."""

    def __init__(self, code, message, details=()):
        super().__init__(message)
        self.code, self.message, self.details = code, message, list(details)


@dataclasses.dataclass
class Record:
    """One request, as it came, and what was answered."""

    method: str
    path: str
    query: dict
    headers: dict
    body: bytes
    client: str
    status: int = 0
    code: object = None


class FakeLingxing:
    """Attributes may be changed while it runs; every request is in `records`, in the order of their ends."""

    def __init__(self, app_id="ak_test123456789", secret="test-secret", port=0, certificate=None, key=None):
        self.app_id, self.secret = app_id, secret
        self.clock = time.time
        self.token_seconds = 7199
        self.refresh_seconds = 7200
        self.allowed = None  # addresses that may call; None: all
        self.allow_tokens_to_all = True  # whether the list is for the business endpoints alone
        self.buckets = {}  # path: calls at a time; 1 for all others
        self.delay = 0  # seconds that every business call takes
        self.answers = collections.defaultdict(collections.deque)  # path: codes to answer with, before any work
        self.gate = threading.Event()  # business calls are held while it is not set
        self.gate.set()
        self.records = []
        self.fetches = self.refreshes = 0
        self.running = collections.Counter()  # calls by path
        self.peak = collections.Counter()
        self._token = self._refresh = None
        self._token_end = self._refresh_end = 0
        self._former = set()  # access tokens that a later one has replaced
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.fake = self
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            # The handshake belongs to the connection's own thread.
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True,
                                                      do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._is_stopped = False

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        """Ends every connection; a second time does nothing."""
        if self._is_stopped:
            return
        self._is_stopped = True
        self.gate.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(5)
        self._server.server_close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # What a test may do to a program that holds a token.

    def fetch_elsewhere(self):
        """Another program fetches a token: whoever has the present one gets 2001005."""
        with self._lock:
            return self._grant()

    def expire_token(self):
        with self._lock:
            self._token_end = 0

    def expire_refresh_token(self):
        with self._lock:
            self._refresh_end = 0

    def calls(self, path=None):
        """The records of business calls."""
        return [each for each in self.records
                if "auth-server" not in each.path and (path is None or each.path == path)]

    def codes(self, path=None):
        return [each.code for each in self.calls(path)]

    # Tokens.

    def _grant(self):
        self._former.add(self._token)
        now = self.clock()
        self._token, self._refresh = str(uuid.uuid4()), str(uuid.uuid4())
        self._token_end, self._refresh_end = now + self.token_seconds, now + self.refresh_seconds
        return {"access_token": self._token, "refresh_token": self._refresh, "expires_in": self.token_seconds}

    def fetch(self, form):
        with self._lock:
            self.fetches += 1
            if form.get("appId") != self.app_id:
                raise Refusal("2001001", "app not exist")
            if form.get("appSecret") != self.secret:
                raise Refusal("2001002", "app secret error")
            return self._grant()

    def refresh(self, form):
        with self._lock:
            self.refreshes += 1
            if form.get("appId") != self.app_id:
                raise Refusal("2001001", "app not exist")
            given, known = form.get("refreshToken"), self._refresh
            if not given or given != known:
                raise Refusal("2001009", "refresh token is invalid")
            self._refresh = None  # good for one use, whatever becomes of it
            if self.clock() >= self._refresh_end:
                raise Refusal("2001008", "refresh token expired")
            return self._grant()

    # Business calls.

    def check(self, record, parameters):
        """Everything that Lingxing's gateway looks at before the work; `parameters` are all but the sign."""
        missing = [name for name in COMMON if not record.query.get(name)]
        if missing:
            raise Refusal(3001001, "missing query param: " + ", ".join(missing))
        self.check_address(record)
        if record.query["app_key"] != self.app_id:
            raise Refusal(2001001, "app not exist")
        with self._lock:
            token = record.query["access_token"]
            if token != self._token:
                is_former = token in self._former
                raise Refusal(*((2001005, "access token not match app") if is_former
                                else (2001003, "access token is missing or expired")))
            if self.clock() >= self._token_end:
                raise Refusal(2001003, "access token is missing or expired")
        self.check_sign(record, parameters)

    def check_address(self, record):
        if self.allowed is not None and record.client not in self.allowed:
            raise Refusal(3001002, NOT_PERMITTED)

    def check_sign(self, record, parameters):
        timestamp = record.query["timestamp"]
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) == 10):
            raise Refusal(2001006, "timestamp is not ten digits")
        if abs(self.clock() - int(timestamp)) > SIGN_SECONDS:
            raise Refusal(2001007, "api sign expired")
        if lingxing_sign.sign(self.app_id, parameters) != record.query["sign"]:
            raise Refusal(2001006, "api sign not correct")

    def enter(self, path):
        with self._lock:
            if self.running[path] >= self.buckets.get(path, 1):
                raise Refusal(3001008, "requests too frequently, please request later.")
            self.running[path] += 1
            self.peak[path] = max(self.peak[path], self.running[path])

    def leave(self, path):
        with self._lock:
            self.running[path] -= 1

    def work(self, record, business):
        endpoint = ENDPOINTS[record.path]
        self.enter(record.path)
        try:
            with self._lock:
                forced = self.answers[record.path].popleft() if self.answers[record.path] else 0
            if forced:
                raise Refusal(forced, f"forced {forced}")
            self.gate.wait(30)
            time.sleep(self.delay)
            return endpoint[1](business)
        finally:
            self.leave(record.path)


# Endpoints: parameters in, (data, total) out.


def _sellers(_):
    sellers = lingxing_data.seller_lists()
    return sellers, len(sellers)


def _day(business, name):
    try:
        return datetime.date.fromisoformat(str(business.get(name, ""))[:10])
    except ValueError:
        raise Refusal(102, "params error", [{"field": name, "message": "a date such as 2025-06-01"}]) from None


def _count(business, name, default, most):
    text = str(business.get(name, default))
    if not text.isdigit() or int(text) > most:
        raise Refusal(102, "params error", [{"field": name, "message": f"a number from 0 to {most}"}])
    return int(text)


def _orders(business):
    first, last = _day(business, "start_date"), _day(business, "end_date")
    if not first <= last <= first + datetime.timedelta(days=366):
        raise Refusal(102, "params error", [{"field": "end_date", "message": "not before start_date, within a year"}])
    sids = business.get("sid_list") or ([business["sid"]] if business.get("sid") else [])
    try:
        wanted = {int(each) for each in sids}
    except (TypeError, ValueError):
        raise Refusal(102, "params error", [{"field": "sid_list", "message": "a list of numbers"}]) from None
    found = lingxing_data.orders(first, last, wanted)
    offset, length = _count(business, "offset", 0, 10**6), _count(business, "length", 1000, 5000)
    return found[offset:offset + length], len(found)


ENDPOINTS = {
    "/erp/sc/data/seller/lists": ("GET", _sellers),
    "/erp/sc/data/mws/orders": ("POST", _orders),
}
TOKEN_ENDPOINTS = {
    "/api/auth-server/oauth/access-token": FakeLingxing.fetch,
    "/api/auth-server/oauth/refresh": FakeLingxing.refresh,
}


def _form_of(headers, body):
    """The fields of a multipart form; ValueError if it is none."""
    text = b"Content-Type: " + headers.get("Content-Type", "").encode("latin-1") + b"\r\n\r\n" + body
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(text)
    if message.get_content_type() != "multipart/form-data" or message.defects:
        raise ValueError("no multipart form")
    return {part.get_param("name", header="content-disposition"): part.get_payload(decode=True).decode()
            for part in message.iter_parts()}


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    fake = None

    def handle_error(self, request, client_address):
        """A caller that goes away is nothing to report."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self):
        self._answer()

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def _body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _answer(self):
        fake, body = self.server.fake, self._body()
        target = urllib.parse.urlsplit(self.path)
        record = Record(self.command, target.path, {}, dict(self.headers), body, self.client_address[0])
        try:
            pairs = urllib.parse.parse_qsl(target.query, keep_blank_values=True, strict_parsing=bool(target.query),
                                           errors="strict")
            record.query = dict(pairs)
            if len(record.query) != len(pairs):
                raise ValueError("a parameter twice")
            self._dispatch(fake, record)
        except Refusal as refusal:
            self._send_json(record, {"code": refusal.code, "message": refusal.message, "msg": refusal.message,
                                     "error_details": refusal.details, "data": None})
        except ValueError as error:
            self._send_json(record, {"code": 102, "message": f"params error: {error}", "error_details": [],
                                     "data": None})

    def _dispatch(self, fake, record):
        token_endpoint = TOKEN_ENDPOINTS.get(record.path)
        wanted = "POST" if token_endpoint else ENDPOINTS.get(record.path, (None,))[0]
        if wanted is None:
            raise Refusal(500, "404 NOT_FOUND")
        if record.method != wanted:
            self._send(record, 405, "text/html", b"<html><body><h1>405 Not Allowed</h1>nginx</body></html>")
            return
        if token_endpoint:
            if not fake.allow_tokens_to_all:
                fake.check_address(record)
            granted = token_endpoint(fake, _form_of(self.headers, record.body))
            self._send_json(record, {"code": "200", "msg": "OK", "data": granted})
            return
        business = {name: value for name, value in record.query.items() if name not in COMMON}
        in_body = self._members(record) if record.body else {}
        if set(in_body) & set(record.query):
            raise ValueError("a parameter in query and body")
        common = {name: value for name, value in record.query.items() if name in COMMON and name != "sign"}
        fake.check(record, {**common, **business, **in_body})
        data, total = fake.work(record, {**business, **in_body})
        self._send_json(record, {"code": 0, "message": "success", "error_details": [],
                                 "request_id": str(uuid.uuid4()).upper(),
                                 "response_time": datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S"),
                                 "data": data, "total": total})

    def _members(self, record):
        if self.headers.get_content_type() != "application/json":
            raise ValueError("the body is not of type application/json")
        members = lingxing_sign.parse(record.body)
        if not isinstance(members, dict):
            raise ValueError("the body is no object")
        return members

    def _send_json(self, record, answer):
        record.code = answer["code"]
        self._send(record, 200, "application/json;charset=UTF-8", json.dumps(answer, ensure_ascii=False).encode())

    def _send(self, record, status, kind, content):
        record.status = status
        self.server.fake.records.append(record)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main():
    parser = argparse.ArgumentParser(description="A stand-in for the Lingxing OpenAPI, for demonstrations and tests.")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; one that is free by default")
    parser.add_argument("--app-id", default="ak_demo_12345678", help="16, 24 or 32 characters")
    parser.add_argument("--allow", action="append", help="an address that may call; everybody by default")
    parser.add_argument("--certificate", help="PEM: speak https")
    parser.add_argument("--key", help="PEM, of the certificate")
    given = parser.parse_args()
    fake = FakeLingxing(given.app_id, os.environ.get("LINGXING_APP_SECRET", "demo-secret"), given.port,
                        given.certificate, given.key)
    if given.allow:
        fake.allowed = set(given.allow)
    with fake:
        print(f"lingxing stand-in: {fake.url} app_id={fake.app_id}", flush=True)
        seen = 0
        try:
            while True:
                time.sleep(0.1)
                for record in fake.records[seen:]:
                    print(f"{record.client} {record.method} {record.path} -> {record.status} code {record.code}",
                          flush=True)
                    seen += 1
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
