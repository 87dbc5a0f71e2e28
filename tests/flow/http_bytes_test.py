"""Bytes are sacred: what a caller sends reaches the upstream as it is, and what that answers comes back so."""

import re
import unittest

from support import FlowTest

ALL_BYTES = bytes(range(256)) * 3


class RequestBytes(FlowTest):
    def send_and_see(self, data):
        """Sends a request; returns it as the upstream got it."""
        self.assertEqual(self.call(data).status, 200)
        return self.upstream.last()

    def test_every_method_reaches_the_upstream_as_written(self):
        for method in (b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"PROPFIND", b"M-SEARCH",
                       b"get", b"Foo!#$%&'*+.^_`|~9"):
            with self.subTest(method=method):
                seen = self.send_and_see(method + b" /m HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertEqual(seen.line, method + b" /m HTTP/1.1")

    def test_options_asterisk_reaches_the_upstream(self):
        self.assertEqual(self.send_and_see(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").line, b"OPTIONS * HTTP/1.1")

    def test_odd_targets_reach_the_upstream_byte_for_byte(self):
        for target in (b"/a%2Fb", b"//", b"//a//b/", b"/?", b"/??", b"/a?b?c=/../d", b"/../x/./y", b"/%zz%", b"/a;b=c",
                       b"/%e4%BD%a0", "/你好?q=é".encode(), b"/\xff\xfe\x80", b"/a|b\\c^`{}\"<>", b"/a+b%20c&&=",
                       b"/[::1]:80", b"/" + b"x" * 8000):
            with self.subTest(target=target[:40]):
                seen = self.send_and_see(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertEqual(seen.target, target)

    def test_header_values_duplicates_and_order_are_kept(self):
        fields = [(b"X-One", b"a  b\t c"), (b"Cookie", b"a=1"), (b"X-Two", b""), (b"Accept", b"text/html,*/*;q=0.8"),
                  (b"Cookie", b"b=2; c=\"3\""), (b"X-One", b"\xe4\xbd\xa0\xff"), (b"X-Two", b",,"),
                  (b"Authorization", b"Bearer =+/"), (b"X-One", b"a  b\t c"), (b"Signature", b":colon: = ;"),
                  (b"Content-Type", b"multipart/form-data; boundary=\"--x y\""), (b"Accept-Encoding", b"gzip, br")]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in fields)
        seen = self.send_and_see(b"GET / HTTP/1.1\r\nHost: Example.COM:81\r\n" + lines + b"\r\n")
        own = (b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-request-id",
               b"traceparent")
        self.assertEqual([each for each in seen.fields if each[0].lower() not in own],
                         [(b"Host", b"Example.COM:81"), *fields])

    def test_white_space_around_a_value_goes_and_inside_stays(self):
        seen = self.send_and_see(b"GET / HTTP/1.1\r\nHost:a\r\nX-A:\t  b \t c  \t\r\nX-B:   \r\nX-C:c\r\n\r\n")
        self.assertIn(b"\r\nX-A: b \t c\r\nX-B: \r\nX-C: c\r\n", seen.head)

    def test_names_arrive_in_usual_case_whatever_the_caller_wrote(self):
        seen = self.send_and_see(b"GET / HTTP/1.1\r\nhOST: a\r\nx-FEISHU-sig_nature: 1\r\nETAG: 2\r\n-x-: 3\r\n\r\n")
        names = [name for name, _ in seen.fields]
        self.assertEqual(names[:4], [b"Host", b"X-Feishu-Sig_nature", b"Etag", b"-X-"])

    def test_two_hundred_fields_arrive_in_order(self):
        lines = [b"X-%d: %d" % (number, number) for number in range(190)]
        seen = self.send_and_see(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"\r\n".join(lines) + b"\r\n\r\n")
        self.assertIn(b"\r\n".join(lines), seen.head)

    def test_a_body_of_every_byte_value_keeps_its_content_length(self):
        for size in (0, 1, len(ALL_BYTES), 16 * 1024, 16 * 1024 + 1, 200_000):
            with self.subTest(size=size):
                body = (ALL_BYTES * (size // len(ALL_BYTES) + 1))[:size]
                seen = self.send_and_see(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + body)
                self.assertEqual(seen.get(b"content-length"), b"%d" % size)
                self.assertEqual(seen.get(b"transfer-encoding"), None)
                self.assertEqual(seen.body, body)

    def test_a_content_length_with_leading_zeros_stays_as_written(self):
        seen = self.send_and_see(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0003\r\n\r\nabc")
        self.assertEqual((seen.get(b"content-length"), seen.body), (b"0003", b"abc"))

    def test_a_chunked_body_stays_chunked(self):
        for chunks in ([], [b"a"], [ALL_BYTES, b"\r\n0\r\n\r\n", b"x" * 100_000]):
            with self.subTest(chunks=len(chunks)):
                body = b"".join(b"%X;ext=\"1\"\r\n%b\r\n" % (len(each), each) for each in chunks) + b"0\r\n\r\n"
                seen = self.send_and_see(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n" + body)
                self.assertEqual((seen.framing, seen.get(b"content-length")), ("chunked", None))
                self.assertEqual(seen.body, b"".join(chunks))

    def test_a_request_without_a_body_gets_no_framing_field(self):
        for method in (b"GET", b"POST", b"DELETE"):
            seen = self.send_and_see(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual((seen.all(b"content-length"), seen.all(b"transfer-encoding")), ([], []))

    def test_trailers_of_a_request_reach_the_upstream(self):
        seen = self.send_and_see(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                                 b"3\r\nabc\r\n0\r\nX-Sum: 9 9\r\nx-sum:2\r\nX-Other: \xff\r\n\r\n")
        self.assertEqual(seen.get(b"trailer"), b"X-Sum")
        self.assertEqual((seen.body, seen.trailers),
                         (b"abc", [(b"X-Sum", b"9 9"), (b"X-Sum", b"2"), (b"X-Other", b"\xff")]))

    def test_hop_by_hop_fields_stay_on_their_hop(self):
        seen = self.send_and_see(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x-gone, X-Also ,keep-alive\r\nX-Gone: 1\r\n"
                                 b"X-Stays: 2\r\nX-ALSO: 3\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\n"
                                 b"Upgrade: h2c\r\nTE: gzip, trailers\r\n\r\n")
        names = {name.lower() for name, _ in seen.fields}
        self.assertEqual(names & {b"x-gone", b"x-also", b"keep-alive", b"proxy-connection", b"upgrade"}, set())
        self.assertEqual((seen.get(b"x-stays"), seen.get(b"te")), (b"2", b"trailers"))

    def test_connection_cannot_take_away_what_the_upstream_relies_on(self):
        seen = self.send_and_see(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nAuthorization: b\r\nCookie: c\r\n"
                                 b"Connection: host, content-length, authorization, cookie, x-forwarded-for\r\n\r\nhi")
        self.assertEqual([seen.get(name) for name in (b"host", b"content-length", b"authorization", b"cookie")],
                         [b"a", b"2", b"b", b"c"])
        self.assertEqual((seen.body, seen.get(b"x-forwarded-for")), (b"hi", b"127.0.0.1"))

    def test_forged_forwarding_fields_are_replaced_by_the_truth(self):
        seen = self.send_and_see(b"GET / HTTP/1.1\r\nHost: real.example:8080\r\nX-Forwarded-For: 6.6.6.6\r\n"
                                 b"Forwarded: for=6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n"
                                 b"x-forwarded-port: 1\r\nX-Real-IP: 6.6.6.6\r\nX-FORWARDED-FOR: 7.7.7.7\r\n\r\n")
        self.assertEqual(seen.get(b"x-forwarded-for"), b"127.0.0.1")
        self.assertEqual(seen.get(b"x-forwarded-proto"), b"http")
        self.assertEqual(seen.get(b"x-forwarded-host"), b"real.example:8080")
        self.assertEqual([seen.get(name) for name in (b"forwarded", b"x-forwarded-port", b"x-real-ip")], [None] * 3)

    def test_every_request_has_an_id_of_its_own_that_no_caller_chooses(self):
        ids = set()
        for _ in range(3):
            seen = self.send_and_see(b"GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: chosen\r\n\r\n")
            ids.add(seen.get(b"x-request-id"))
        self.assertEqual(len(ids), 3)
        for each in ids:
            self.assertRegex(each, rb"^[0-9a-f]{24}$")


class ResponseBytes(FlowTest):
    def answer(self, data, request=b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"):
        """What a caller gets when the upstream answers with `data`."""
        self.upstream.clear(data)
        return self.call(request)

    def test_status_fields_their_order_and_duplicates_come_back(self):
        fields = [(b"Set-Cookie", b"a=1; Path=/"), (b"Server", b"x  y/1"), (b"Set-Cookie", b"b=2"), (b"X-Empty", b""),
                  (b"Content-Type", b"text/plain;charset=\"utf-8\""), (b"Date", b"yesterday"),
                  (b"X-Bytes", b"\xff\x80"),
                  (b"Www-Authenticate", b"Basic realm=\"a, b\""), (b"Set-Cookie", b"a=1; Path=/"),
                  (b"Content-Length", b"003")]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in fields)
        for status in (200, 201, 299, 301, 404, 418, 500, 599, 799):
            with self.subTest(status=status):
                got = self.answer(b"HTTP/1.1 %d Whatever This Is\r\n" % status + lines + b"\r\nabc")
                self.assertEqual((got.status, got.fields, got.body), (status, fields, b"abc"))

    def test_a_body_of_every_byte_value_keeps_its_framing(self):
        for body in (b"", b"x", ALL_BYTES, ALL_BYTES * 100, ALL_BYTES * 1000):
            with self.subTest(size=len(body)):
                got = self.answer(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                self.assertEqual((got.get(b"content-length"), got.body == body), (b"%d" % len(body), True))
                chunk = b"%x\r\n" % len(body) + body + b"\r\n" if body else b""
                got = self.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n")
                self.assertEqual((got.framing, got.body == body), ("chunked", True))

    def test_an_answer_that_ends_with_its_connection_is_complete(self):
        def handler(connection, request):
            connection.send(b"HTTP/1.1 200 OK\r\nX-Old: yes\r\n\r\n" + ALL_BYTES)
            connection.close()

        got = self.answer(handler)
        self.assertEqual((got.framing, got.body), ("chunked", ALL_BYTES))
        self.upstream.clear(lambda connection, request: (connection.send(b"HTTP/1.0 200 OK\r\n\r\nold"),
                                                         connection.close())[1])
        self.assertEqual(self.call(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").body, b"old")

    def test_nothing_is_decompressed_or_re_encoded(self):
        packed = b"\x1f\x8b\x08\x00" + ALL_BYTES
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
        got = self.answer(head + packed)
        self.assertEqual((got.get(b"content-encoding"), got.body), (b"gzip", packed))

    def test_trailers_of_an_answer_come_back(self):
        got = self.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                          b"3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-sum: 2  3\r\n\r\n")
        self.assertEqual((got.body, got.get(b"trailer"), got.trailers),
                         (b"abc", b"X-Sum", [(b"X-Sum", b"1"), (b"X-Sum", b"2  3")]))

    def test_hop_by_hop_fields_of_an_answer_stay_on_their_hop(self):
        got = self.answer(b"HTTP/1.1 200 OK\r\nConnection: close, x-gone\r\nX-Gone: 1\r\nKeep-Alive: timeout=9\r\n"
                          b"Proxy-Connection: close\r\nContent-Length: 2\r\nX-Stays: 1\r\n\r\nok")
        self.assertEqual(got.fields, [(b"Content-Length", b"2"), (b"X-Stays", b"1")])

    def test_head_204_and_304_have_no_body_and_keep_their_fields(self):
        head = b"HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n"
        got = self.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nETag: \"x\"\r\n\r\n", head)
        self.assertEqual((self.upstream.last().line, got.get(b"content-length"), got.get(b"etag")),
                         (b"HEAD /h HTTP/1.1", b"12345", b'"x"'))
        for status in (204, 304):
            got = self.answer(b"HTTP/1.1 %d Nothing\r\nETag: \"y\"\r\n\r\n" % status)
            self.assertEqual((got.status, got.fields), (status, [(b"Etag", b'"y"')]))
        got = self.answer(b"HTTP/1.1 304 Nothing\r\nContent-Length: 99\r\n\r\n")
        self.assertEqual((got.status, got.get(b"content-length")), (304, b"99"))

    def test_after_an_answer_without_a_body_the_connection_is_in_step(self):
        caller = self.caller()
        answers = {b"HEAD": b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", b"PUT": b"HTTP/1.1 204 No\r\n\r\n",
                   b"PATCH": b"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n",
                   b"GET": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nget"}
        self.upstream.clear(lambda connection, request: answers[request.method])
        for method in (b"HEAD", b"PUT", b"GET", b"PATCH", b"GET", b"HEAD", b"HEAD", b"GET"):
            got = caller.exchange(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(got.status, int(re.search(rb" (\d+)", answers[method])[1]))
            self.assertEqual(got.body, b"get" if method == b"GET" else b"")


class TrustedProxies(FlowTest):
    server_keys = 'trusted_proxies = ["127.0.0.0/8", "10.0.0.0/8"]'
    server_toml = '[[route]]\nname = "up"\nhost = "up.example"\nhost_header = "upstream"\n' \
                  '[[route]]\nname = "own"\nhost = "*.own.example"\nhost_header = "inner:99"\n[[route]]\nname = "rest"'

    def test_a_trusted_proxy_is_believed_about_the_caller(self):
        self.call(b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, 9.9.9.9\r\nX-Forwarded-For: 10.1.2.3\r\n"
                  b"X-Forwarded-Proto: https\r\nX-Forwarded-Host: public.example\r\n\r\n")
        seen = self.upstream.last()
        self.assertEqual(seen.get(b"x-forwarded-for"), b"6.6.6.6, 9.9.9.9, 10.1.2.3, 127.0.0.1")
        self.assertEqual(seen.get(b"x-forwarded-proto"), b"https")
        self.assertEqual(seen.get(b"x-forwarded-host"), b"public.example")
        # Only the nearest address that no trusted proxy has is believed: 6.6.6.6 may be forged.
        self.server.wait_for_log(r"request 9\.9\.9\.9 GET / rest -> bot office 200 ")

    def test_the_host_header_is_rewritten_where_a_route_says_so(self):
        for host, expected in ((b"up.example", self.upstream.url[7:].encode()), (b"a.own.example", b"inner:99"),
                               (b"other", b"other")):
            with self.subTest(host=host):
                self.call(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nX-A: 1\r\n\r\n")
                self.assertEqual(self.upstream.last().all(b"host"), [expected])


if __name__ == "__main__":
    unittest.main()
