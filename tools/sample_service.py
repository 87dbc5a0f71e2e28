#!/usr/bin/python3
"""A local HTTP service to try rockdove with: it plays the bot that webhooks are for.

    tools/sample_service.py [--port 5000] [--host 127.0.0.1]

    GET  /health                        {"status":"ok"}
    GET  /events?count=5&interval=0.2   server-sent events, one every `interval` seconds
    GET  /slow?seconds=5                answers late
    POST /upload, PUT /...              {"bytes":…,"sha256":"…"} of the body
    POST anything else                  a webhook: prints it and answers {"msg":"success"};
                                        a Feishu url_verification gets its challenge back

    example: tools/sample_service.py &  rockdove agent --upstream http://127.0.0.1:5000
"""

import argparse
import hashlib
import json
import sys
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PIECE = 256 * 1024  # bytes read at a time
KEPT = 1024 * 1024  # of a webhook's body: more is counted and hashed, not kept


@dataclass
class Exchange:
    """One request as this service saw it; times are time.monotonic()."""

    method: str
    target: str
    request_id: str  # X-Request-Id: the same id stands in the server's log
    event_id: str  # Webhook-Id, of what went through the inbox
    body: bytes = b""  # at most KEPT bytes of it
    size: int = 0
    sha256: str = ""
    received: float = 0  # the whole body is here
    answered: float = 0
    status: int = 0
    note: str = ""


class BadRequest(Exception):
    pass


class SampleHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept open, as a real service does
    server_version = "sample-service"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet an answer, not one a line

    def do_GET(self):
        exchange = self.begin()
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        try:
            if url.path == "/health":
                self.answer(exchange, 200, {"status": "ok"})
            elif url.path == "/events":
                self.stream_events(exchange, int(query.get("count", 5)), float(query.get("interval", 0.2)))
            elif url.path == "/slow":
                time.sleep(min(max(float(query.get("seconds", 5)), 0), 600))
                self.answer(exchange, 200, {"status": "late, but here"})
            else:
                about = __doc__.split("\n\n")[2] + "\n"
                self.answer(exchange, 200 if url.path == "/" else 404, about, "text/plain; charset=utf-8")
        except ValueError as error:
            self.answer(exchange, 400, {"msg": str(error)})

    def do_POST(self):
        exchange = self.begin()
        try:
            self.read_body(exchange)
        except BadRequest as error:
            self.close_connection = True
            self.answer(exchange, 400, {"msg": str(error)})
            return
        if self.command == "PUT" or urlsplit(self.path).path == "/upload":
            exchange.note = f"{exchange.size:,} bytes, SHA-256 {exchange.sha256[:16]}…"
            self.answer(exchange, 200, {"bytes": exchange.size, "sha256": exchange.sha256})
            return
        event = read_json(exchange.body)
        exchange.note = describe(event, exchange)
        if event.get("type") == "url_verification":
            self.answer(exchange, 200, {"challenge": event.get("challenge")})
        else:
            self.answer(exchange, 200, {"msg": "success"})

    do_PUT = do_POST

    def do_HEAD(self):
        self.answer(self.begin(), 200, {"status": "ok"})

    def handle_expect_100(self):
        is_welcome = super().handle_expect_100()
        self.wfile.flush()  # the sender waits for it
        return is_welcome

    def begin(self):
        request_id = self.headers.get("X-Request-Id", "")
        event_id = self.headers.get("Webhook-Id", "")
        return Exchange(self.command, self.path, request_id, event_id, received=time.monotonic())

    def read_body(self, exchange):
        digest = hashlib.sha256()
        pieces = self.chunks() if "chunked" in self.headers.get("Transfer-Encoding", "") else self.sized()
        for piece in pieces:
            digest.update(piece)
            exchange.size += len(piece)
            if exchange.size <= KEPT:
                exchange.body += piece
        exchange.sha256 = digest.hexdigest()
        exchange.received = time.monotonic()

    def sized(self):
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit():
            raise BadRequest("bad Content-Length")
        left = int(length)
        while left > 0:
            piece = self.rfile.read1(min(left, PIECE))
            if not piece:
                raise BadRequest("the body ended too early")
            left -= len(piece)
            yield piece

    def chunks(self):
        while True:
            try:
                size = int(self.rfile.readline(1024).split(b";")[0], 16)
            except ValueError as error:
                raise BadRequest("bad chunk") from error
            if size == 0:
                break
            piece = self.rfile.read(size)
            if len(piece) < size or self.rfile.readline(8).strip():
                raise BadRequest("bad chunk")
            yield piece
        while self.rfile.readline(8192).strip():
            pass  # trailers

    def stream_events(self, exchange, count, interval):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(1, min(count, 100_000) + 1):
            if number > 1:
                time.sleep(min(max(interval, 0), 60))
            # The sender's clock, so that a reader on the same machine sees how long the way took.
            event = f'id: {number}\ndata: {{"n":{number},"sent":{time.monotonic():.6f}}}\n\n'.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        exchange.note = f"{count} server-sent events"
        self.finish_exchange(exchange, 200)

    def answer(self, exchange, status, content, kind="application/json"):
        if not isinstance(content, str):
            content = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
        body = content.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.finish_exchange(exchange, status)

    def finish_exchange(self, exchange, status):
        exchange.status = status
        exchange.answered = time.monotonic()
        self.wfile.flush()
        self.server.on_exchange(exchange)

    def log_message(self, *_):  # on_exchange tells more
        pass


def read_json(body):
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def describe(event, exchange):
    """What a webhook is about, in a few words; knows Feishu's envelopes."""
    if event.get("type") == "url_verification":
        return f"Feishu checks this URL, challenge {event.get('challenge')}"
    if "encrypt" in event:
        return "an encrypted Feishu event"
    header = event.get("header")
    if isinstance(header, dict) and "event_type" in header:
        return f"Feishu event {header['event_type']}{message_text(event)}"
    return f"{exchange.size:,} bytes: {exchange.body[:200].decode(errors='replace')}"


def message_text(event):
    try:
        sender = event["event"]["sender"]["sender_id"]["open_id"]
        return f" from {sender}: " + json.loads(event["event"]["message"]["content"])["text"]
    except (KeyError, TypeError, ValueError):
        return ""


class SampleService(ThreadingHTTPServer):
    """Serves on a thread of its own after start(); `on_exchange` is told of every request answered."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host="127.0.0.1", port=5000, on_exchange=lambda exchange: None):
        self.on_exchange = on_exchange
        super().__init__((host, port), SampleHandler)

    def start(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):  # a peer that goes away is no news
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def print_exchange(exchange):
    request_id = f"  id {exchange.request_id}" if exchange.request_id else ""
    print(f"{time.strftime('%H:%M:%S')} {summary(exchange)}{request_id}", flush=True)


def summary(exchange):
    """One line; what came from outside cannot play with the terminal."""
    text = f"{exchange.method} {exchange.target} {exchange.status}  {exchange.note}"
    return "".join(c if c.isprintable() else "?" for c in text)


def main():
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    options = parser.parse_args()
    try:
        service = SampleService(options.host, options.port, print_exchange)
    except OSError as error:
        sys.exit(f"cannot listen on {options.host}:{options.port}: {error.strerror}; try --port 5001")
    print(f"The sample service listens on http://{options.host}:{options.port}; Ctrl-C ends it.", flush=True)
    try:
        service.serve_forever()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
