"""Strict reading of HTTP/1.1 from a socket: whatever a message gets wrong is an error here."""

import re
import socket
from dataclasses import dataclass, field

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
PATIENCE = 20  # seconds without a byte after which a test gives up


class Ended(Exception):
    """The other side ended the connection: `how` is "fin" or "reset"; `partial` is what there was of a Message."""

    def __init__(self, how, partial=None):
        super().__init__(f"the connection ended ({how}) in the middle of a message")
        self.how = how
        self.partial = partial


class NotHttp(AssertionError):
    """The bytes are not a message that RFC 9112 allows."""


@dataclass
class Message:
    """A request or a response, its body decoded; `head` and `raw_body` are the exact bytes."""

    line: bytes
    fields: list
    head: bytes
    body: bytes = b""
    raw_body: bytes = b""
    chunks: list = field(default_factory=list)
    trailers: list = field(default_factory=list)
    interims: list = field(default_factory=list)
    framing: str = "none"  # none, length, chunked, until_close

    @property
    def raw(self):
        return self.head + self.raw_body

    @property
    def method(self):
        return self.line.split(b" ")[0]

    @property
    def target(self):
        return self.line.split(b" ")[1]

    @property
    def status(self):
        return int(self.line.split(b" ")[1])

    def all(self, name):
        """The values of every field of that name, in order."""
        return [value for each, value in self.fields if each.lower() == name.lower()]

    def get(self, name):
        """The value of the one field of that name, or None."""
        values = self.all(name)
        if len(values) > 1:
            raise NotHttp(f"{name!r} occurs {len(values)} times")
        return values[0] if values else None


def parse_fields(lines):
    fields = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.fullmatch(name) or re.search(rb"[\0\r\n]", value):
            raise NotHttp(f"not a field line: {line!r}")
        fields.append((name, value.strip(b" \t")))
    return fields


class Reader:
    """Messages and bytes from a socket. `received` keeps what came, up to `keep` bytes; `size` counts all."""

    def __init__(self, sock, keep=1 << 20):
        self.sock = sock
        self.sock.settimeout(PATIENCE)
        self.buffer = bytearray()
        self.received = bytearray()
        self.keep = keep
        self.size = 0

    def fill(self, most=1 << 16):
        try:
            data = self.sock.recv(most)
        except (ConnectionResetError, BrokenPipeError):
            raise Ended("reset") from None
        if not data:
            raise Ended("fin")
        self.size += len(data)
        self.received += data[: self.keep - len(self.received)]
        self.buffer += data

    def take(self, size):
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def some(self):
        """The next bytes, at least one."""
        if not self.buffer:
            self.fill()
        return self.take(len(self.buffer))

    def exactly(self, size):
        while len(self.buffer) < size:
            self.fill()
        return self.take(size)

    def until(self, mark):
        """The bytes up to and with `mark`."""
        start = 0
        while (found := self.buffer.find(mark, start)) < 0:
            start = max(0, len(self.buffer) - len(mark))
            self.fill()
        return self.take(found + len(mark))

    def until_end(self):
        """(all bytes to the end, "fin" or "reset")."""
        data = bytearray(self.take(len(self.buffer)))
        while True:
            try:
                data += self.some()
            except Ended as end:
                return bytes(data), end.how

    def head(self):
        raw = self.until(b"\r\n\r\n")
        lines = raw[:-4].split(b"\r\n")
        if any(b"\n" in line or b"\r" in line for line in lines):
            raise NotHttp(f"a bare line end in {raw!r}")
        return Message(line=lines[0], fields=parse_fields(lines[1:]), head=raw)

    def request(self):
        """The head of a request; its body is still to be read with body_of()."""
        message = self.head()
        if not re.fullmatch(rb"[^ ]+ [^ ]+ HTTP/1\.[01]", message.line):
            raise NotHttp(f"not a request line: {message.line!r}")
        message.framing = self.framing_of(message, "none")
        return message

    def response(self, method="GET"):
        """A final response with its body and the interim ones before it."""
        interims = []
        while True:
            message = self.head()
            if not re.fullmatch(rb"HTTP/1\.1 [1-9][0-9]{2} [^\0]*", message.line):
                raise NotHttp(f"not a status line: {message.line!r}")
            if message.status >= 200 or message.status == 101:
                break
            interims.append(message)
        message.interims = interims
        no_body = method == "HEAD" or message.status in (101, 204, 304)
        no_body = no_body or (method == "CONNECT" and message.status // 100 == 2)
        message.framing = "none" if no_body else self.framing_of(message, "until_close")
        self.read_body(message)
        return message

    @staticmethod
    def framing_of(message, otherwise):
        coding, length = message.get(b"transfer-encoding"), message.get(b"content-length")
        if coding is not None and length is not None:
            raise NotHttp("Content-Length and Transfer-Encoding together")
        if coding is not None and coding.lower() != b"chunked":
            raise NotHttp(f"transfer coding {coding!r}")
        if length is not None and not length.isdigit():
            raise NotHttp(f"Content-Length {length!r}")
        return "chunked" if coding is not None else "length" if length is not None else otherwise

    def read_body(self, message):
        """Reads what the head announces into body, raw_body, chunks and trailers."""
        pieces = []
        try:
            for piece in self.pieces(message):
                pieces.append(piece)
        except Ended as end:
            end.partial = message
            raise
        finally:
            message.body = b"".join(pieces)
            if message.framing != "chunked":
                message.raw_body = message.body
        return message.body

    def pieces(self, message):
        """The body piece by piece as it comes; chunked: one piece for each chunk."""
        if message.framing == "length":
            left = int(message.get(b"content-length"))
            while left > 0:
                if not self.buffer:
                    self.fill()
                piece = self.take(min(left, len(self.buffer)))
                left -= len(piece)
                yield piece
        elif message.framing == "chunked":
            yield from self.chunks(message)
        elif message.framing == "until_close":
            data, how = self.until_end()
            if how != "fin":
                raise Ended(how)
            yield data

    def chunks(self, message):
        raw = bytearray()
        try:
            while True:
                line = self.until(b"\r\n")
                raw += line
                if not re.fullmatch(rb"[0-9A-Fa-f]+(;[^\r\n]*)?\r\n", line):
                    raise NotHttp(f"not a chunk size: {line!r}")
                size = int(line.split(b";")[0], 16)
                if size == 0:
                    break
                piece = self.exactly(size)
                if self.exactly(2) != b"\r\n":
                    raise NotHttp("a chunk does not end with CRLF")
                raw += piece + b"\r\n"
                message.chunks.append(len(piece))
                yield piece
            lines = []
            while (line := self.until(b"\r\n")) != b"\r\n":
                raw += line
                lines.append(line[:-2])
            raw += b"\r\n"
            message.trailers = parse_fields(lines)
        finally:
            message.raw_body = bytes(raw)


def reset(sock):
    """Closes a connection with RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()
