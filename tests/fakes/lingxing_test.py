"""The stand-in for Lingxing is as strict as it claims, and its sign is that of the documentation."""

import datetime
import http.client
import json
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse
import uuid
from pathlib import Path

import lingxing_data
import lingxing_sign
from lingxing import NOT_PERMITTED, FakeLingxing

APP_ID, SECRET = "ak_test123456789", "test-secret+/&"
TOKEN = "4dcaa78e-b52d-4325-bc35-571021bb0787"
SELLERS, ORDERS = "/erp/sc/data/seller/lists", "/erp/sc/data/mws/orders"


class Signs(unittest.TestCase):
    """Vectors by the openssl command."""

    common = {"access_token": TOKEN, "app_key": APP_ID, "timestamp": "1720429074"}

    def test_of_a_query(self):
        parameters = {**self.common, "length": "100", "offset": "0"}
        self.assertEqual(lingxing_sign.sign(APP_ID, parameters),
                         "DdMRgUQLxWbmcxfrTvkABB0eTyJTsnvhxCcBXrv6uI8wCpgLHg5dzZDMNuiTX/Va")

    def test_of_a_body(self):
        body = b'{"name":"kobe","sids":[1,2],"search_value":"","content":{"age":"133","city":"lake"}}'
        parameters = {**self.common, **lingxing_sign.parse(body)}
        self.assertEqual(lingxing_sign.signed_text(parameters),
                         f'access_token={TOKEN}&app_key={APP_ID}&content={{"age":"133","city":"lake"}}&name=kobe'
                         "&sids=[1,2]&timestamp=1720429074")
        self.assertEqual(lingxing_sign.sign(APP_ID, parameters),
                         "ESqt5MO/pea1COkTwkyx+lbWoy1SI9cLYNOKklP7oYEwCpgLHg5dzZDMNuiTX/Va")

    def test_of_awkward_values(self):
        body = '{"a":null,"b":true,"c":"","d":1.50,"e":{"k":[1e3,"星\\"/"]},"f":[]}'.encode()
        self.assertEqual(lingxing_sign.signed_text(lingxing_sign.parse(body)),
                         'a=null&b=true&d=1.50&e={"k":[1e3,"星\\"/"]}&f=[]')

    def test_is_the_one_of_the_openssl_command(self):
        for data in (b"", b"x" * 15, b"x" * 16, b"x" * 32):
            command = ["openssl", "enc", "-aes-128-ecb", "-K", APP_ID.encode().hex()]
            wanted = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout
            self.assertEqual(lingxing_sign.aes_ecb(APP_ID.encode(), data), wanted)


class Bot:
    """Calls the stand-in with a sign of its own."""

    def __init__(self, fake, context=None):
        self.fake, self.context, self.token, self.refresh_token = fake, context, None, None

    def exchange(self, method, target, body=None, headers=None):
        if self.context:
            connection = http.client.HTTPSConnection("127.0.0.1", self.fake.port, context=self.context, timeout=10)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.fake.port, timeout=10)
        try:
            connection.request(method, target, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def form(self, path, **fields):
        boundary = uuid.uuid4().hex
        parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                 for name, value in fields.items()]
        body = "".join(parts) + f"--{boundary}--\r\n"
        _, answer = self.exchange("POST", f"/api/auth-server/oauth/{path}", body.encode(),
                                  {"Content-Type": f"multipart/form-data; boundary={boundary}"})
        return json.loads(answer)

    def fetch(self, app_id=APP_ID, secret=SECRET):
        return self.take(self.form("access-token", appId=app_id, appSecret=secret))

    def refresh(self):
        return self.take(self.form("refresh", appId=APP_ID, refreshToken=self.refresh_token))

    def take(self, answer):
        if answer["code"] == "200":
            self.token, self.refresh_token = answer["data"]["access_token"], answer["data"]["refresh_token"]
        return answer["code"]

    def call(self, path, query=None, body=None, at=None, **changes):
        """The answer's JSON; `changes` replace common parameters, after the sign was made."""
        query = query or {}
        common = {"access_token": self.token, "app_key": APP_ID, "timestamp": str(int(at or time.time()))}
        members = {} if body is None else lingxing_sign.parse(body)
        common["sign"] = lingxing_sign.sign(APP_ID, {**query, **common, **members})
        common.update(changes)
        sent = {name: value for name, value in {**query, **common}.items() if value is not None}
        headers = {"Content-Type": "application/json"} if body is not None else {}
        status, answer = self.exchange("GET" if body is None else "POST", f"{path}?{urllib.parse.urlencode(sent)}",
                                       body, headers)
        assert status == 200, status
        return json.loads(answer)


class StandIn(unittest.TestCase):
    def setUp(self):
        self.fake = FakeLingxing(APP_ID, SECRET).start()
        self.addCleanup(self.fake.stop)
        self.bot = Bot(self.fake)

    def code(self, *arguments, **options):
        return self.bot.call(*arguments, **options)["code"]

    def test_lists_the_sellers_to_whoever_has_a_token(self):
        self.assertEqual(self.bot.fetch(), "200")
        answer = self.bot.call(SELLERS)
        self.assertEqual((answer["code"], answer["total"]), (0, 3))
        self.assertEqual(answer["data"][0]["name"], "云杉家居-US")
        self.assertEqual(self.fake.codes(SELLERS), [0])

    def test_gives_no_token_to_a_stranger(self):
        self.assertEqual(self.bot.fetch(app_id="ak_test000000000"), "2001001")
        self.assertEqual(self.bot.fetch(secret="wrong"), "2001002")
        self.assertEqual(json.loads(self.bot.exchange("POST", "/api/auth-server/oauth/access-token", b"{}")[1])["code"],
                         102)

    def test_takes_no_token_but_the_last(self):
        self.bot.token = "never given"
        self.assertEqual(self.code(SELLERS), 2001003)
        self.bot.fetch()
        self.fake.fetch_elsewhere()
        self.assertEqual(self.code(SELLERS), 2001005)
        self.bot.fetch()
        self.assertEqual(self.code(SELLERS), 0)
        self.fake.expire_token()
        self.assertEqual(self.code(SELLERS), 2001003)

    def test_refreshes_once(self):
        self.bot.fetch()
        used = self.bot.refresh_token
        self.assertEqual(self.bot.refresh(), "200")
        self.assertEqual(self.code(SELLERS), 0)
        self.bot.refresh_token, valid = used, self.bot.refresh_token
        self.assertEqual(self.bot.refresh(), "2001009")
        self.bot.refresh_token = valid
        self.fake.expire_refresh_token()
        self.assertEqual(self.bot.refresh(), "2001008")
        self.assertEqual(self.fake.refreshes, 3)

    def test_checks_the_sign(self):
        self.bot.fetch()
        self.assertEqual(self.code(SELLERS, {"a": "领 星+&=", "empty": ""}), 0)
        self.assertEqual(self.code(SELLERS, sign="A" * 64), 2001006)
        self.assertEqual(self.code(SELLERS, at=time.time() - 119), 0)
        self.assertEqual(self.code(SELLERS, at=time.time() - 125), 2001007)
        self.assertEqual(self.code(SELLERS, at=time.time() + 125), 2001007)
        self.assertEqual(self.code(SELLERS, timestamp="17204290741"), 2001006)
        for name in ("sign", "access_token", "app_key", "timestamp"):
            self.assertEqual(self.code(SELLERS, **{name: None}), 3001001)
        self.assertEqual(self.code(SELLERS, app_key="ak_test000000000"), 2001001)

    def test_checks_the_sign_over_the_body(self):
        self.bot.fetch()
        body = '{"start_date":"2025-06-01","end_date":"2025-06-03","filter":{"b":[1.0,null],"a":"云"}}'.encode()
        self.assertEqual(self.code(ORDERS, body=body), 0)
        target = "?" + urllib.parse.urlencode({"access_token": self.bot.token, "app_key": APP_ID,
                                               "timestamp": str(int(time.time())), "sign": "B" * 64})
        _, answer = self.bot.exchange("POST", ORDERS + target, body, {"Content-Type": "application/json"})
        self.assertEqual(json.loads(answer)["code"], 2001006)
        _, answer = self.bot.exchange("POST", ORDERS + target, body, {"Content-Type": "text/plain"})
        self.assertEqual(json.loads(answer)["code"], 102)

    def test_answers_those_alone_that_are_on_the_list(self):
        self.bot.fetch()
        self.fake.allowed = {"192.0.2.1"}
        answer = self.bot.call(SELLERS)
        self.assertEqual((answer["code"], answer["message"]), (3001002, NOT_PERMITTED))
        self.assertEqual(self.bot.fetch(), "200")
        self.fake.allow_tokens_to_all = False
        self.assertEqual(self.bot.fetch(), 3001002)
        self.fake.allowed.add("127.0.0.1")
        self.assertEqual(self.code(SELLERS), 0)

    def test_runs_one_call_of_a_path_at_a_time(self):
        self.bot.fetch()
        self.fake.gate.clear()
        answers = []
        first = threading.Thread(target=lambda: answers.append(self.code(SELLERS)))
        first.start()
        while not self.fake.running[SELLERS]:
            time.sleep(0.005)
        self.assertEqual(self.code(SELLERS), 3001008)
        self.fake.buckets[SELLERS] = 2
        second = threading.Thread(target=lambda: answers.append(self.code(SELLERS)))
        second.start()
        while self.fake.running[SELLERS] < 2:
            time.sleep(0.005)
        self.fake.gate.set()
        first.join(5)
        second.join(5)
        self.assertEqual(answers, [0, 0])
        self.assertEqual(self.fake.peak[SELLERS], 2)

    def test_answers_what_a_test_wants(self):
        self.bot.fetch()
        self.fake.answers[SELLERS].extend([3001008, 2001003])
        self.assertEqual([self.code(SELLERS) for _ in range(3)], [3001008, 2001003, 0])

    def test_knows_its_paths_and_methods(self):
        self.bot.fetch()
        answer = self.bot.call("/erp/sc/data/nothing")
        self.assertEqual((answer["code"], answer["message"]), (500, "404 NOT_FOUND"))
        self.assertEqual(self.bot.exchange("POST", SELLERS, b"{}")[0], 405)
        self.assertEqual(self.bot.exchange("GET", ORDERS)[0], 405)

    def test_pages_through_orders(self):
        self.bot.fetch()
        wanted = {"start_date": "2025-06-01", "end_date": "2025-06-05", "sid_list": [101, 103]}

        def page(offset, length):
            return self.bot.call(ORDERS, body=json.dumps({**wanted, "offset": offset, "length": length}).encode())

        whole = page(0, 1000)
        self.assertEqual(whole["total"], len(whole["data"]))
        self.assertGreater(whole["total"], 20)
        self.assertEqual({order["sid"] for order in whole["data"]}, {101, 103})
        pages = [order for offset in range(0, whole["total"], 7) for order in page(offset, 7)["data"]]
        self.assertEqual(pages, whole["data"])
        self.assertEqual(page(10**5, 7)["data"], [])
        self.assertEqual(len({order["amazon_order_id"] for order in pages}), len(pages))
        self.assertTrue(any("橡木台灯" in item["local_name"] for order in pages for item in order["item_list"]))
        self.assertEqual(lingxing_data.orders_of(lingxing_data.SELLERS[0], datetime.date(2025, 6, 1)),
                         [order for order in whole["data"] if order["sid"] == 101
                          and order["purchase_date_local"].startswith("2025-06-01")])

    def test_names_the_parameter_that_is_wrong(self):
        self.bot.fetch()
        for body, field in ((b"{}", "start_date"), (b'{"start_date":"2025-06-01","end_date":"soon"}', "end_date"),
                            (b'{"start_date":"2025-06-02","end_date":"2025-06-01"}', "end_date"),
                            (b'{"start_date":"2025-06-01","end_date":"2025-06-02","length":9999}', "length")):
            answer = self.bot.call(ORDERS, body=body)
            self.assertEqual((answer["code"], answer["error_details"][0]["field"]), (102, field))

    def test_speaks_https(self):
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = Path(folder, "cert.pem"), Path(folder, "key.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-keyout", str(key), "-out", str(certificate), "-subj", "/CN=openapi.lingxing.com",
                            "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
            with FakeLingxing(APP_ID, SECRET, certificate=certificate, key=key) as fake:
                bot = Bot(fake, ssl.create_default_context(cafile=str(certificate)))
                self.assertEqual(bot.fetch(), "200")
                self.assertEqual(bot.call(SELLERS)["code"], 0)


if __name__ == "__main__":
    unittest.main()
