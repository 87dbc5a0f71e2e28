#!/usr/bin/python3
"""Shows rockdove at work on this machine: a Feishu bot behind NAT, its server, and what goes through.

    tools/demo.py --binary build/release/rockdove [--keep]

Feishu and Lingxing are stand-ins that are as strict as the real ones (tests/fakes/). Everything runs on 127.0.0.1 with
its data in a temporary directory, and is ended again at the end.
"""

import argparse
import hashlib
import http.client
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from demo_parts import PATIENCE, Failure, Parts, can_connect, expect, free_port
from demo_screen import bold, colour, dim, good, more, ms, said, step
from sample_service import SampleService, summary

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "fakes"))
from feishu import FakeFeishu  # noqa: E402
from lingxing import FakeLingxing  # noqa: E402

TUNNEL = "feishu-bot"
UPLOAD_BYTES = 10 * 1024 * 1024
ENCRYPT_KEY, VERIFICATION_TOKEN = "demo-encrypt-key", "demo-verification-token"
FEISHU_SECRET, LINGXING_APP, LINGXING_SECRET = "demo-feishu-secret", "ak_demo_12345678", "demo-lingxing-secret"
SELLERS = "/erp/sc/data/seller/lists"

SERVER_TOML = """
[[egress.destination]]
name = "feishu"
url = "{feishu}"
networks = ["127.0.0.1/32"]

[[egress.destination]]
name = "lingxing"
url = "{lingxing}"
networks = ["127.0.0.1/32"]
lingxing = {{ app_id = "{app}", app_secret = "env:LINGXING_APP_SECRET" }}

[[egress.allow]]
tunnel = "{tunnel}"
destinations = ["feishu", "lingxing"]

[[route]]
name = "feishu"
path = "/feishu/webhook"
provider = "feishu"

[[route]]
name = "default"
upstream = "sample"
"""


class Demo(Parts):
    def set_up(self):
        step(1, "The parts", "all on this machine")
        (self.public_port, self.tunnel_port, self.admin_port, self.bot_port, self.proxy_port) = find_ports()
        self.feishu = FakeFeishu(app_secret=FEISHU_SECRET, encrypt_key=ENCRYPT_KEY,
                                 verification_token=VERIFICATION_TOKEN, speed=1000).start()
        self.lingxing = FakeLingxing(LINGXING_APP, LINGXING_SECRET).start()
        self.lingxing.allowed = {"127.0.0.1"}  # the server's address here; the office has another one
        self.stand_ins += [self.feishu, self.lingxing]
        self.service = SampleService("127.0.0.1", 0, self.seen.put)
        self.service.start()
        self.chat = self.feishu.chat("group")
        good(f"Feishu, Lingxing   stand-ins, {self.feishu.url} and {self.lingxing.url}")
        self.start_server()
        self.start_bot()
        address = f"127.0.0.1:{self.tunnel_port}"
        join = self.run("token", "create", TUNNEL, "--config", str(self.server_toml), "--address", address)
        self.agent_toml.write_text(
            '[agent]\nname = "office-pc"\n'
            f'[egress]\nlisten = "127.0.0.1:{self.proxy_port}"\n'
            f'[[upstream]]\nname = "default"\nurl = "http://127.0.0.1:{self.bot_port}"\n'
            f'[[upstream]]\nname = "sample"\nurl = "http://127.0.0.1:{self.service.server_port}"\n'
        )
        self.run("join", "--config", str(self.agent_toml), "-", text=join)
        good(f"token              rockdove token create {TUNNEL} | rockdove join -", remark=f"{join[:24]}…")
        connected = self.start_agent()
        good("agent              office-pc, TLS with the server's key pinned, connected in", connected)

    def start_server(self):
        self.environment.update(ROCKDOVE_FEISHU_ENCRYPT_KEY=ENCRYPT_KEY, LINGXING_APP_SECRET=LINGXING_SECRET,
                                ROCKDOVE_FEISHU_VERIFICATION_TOKEN=VERIFICATION_TOKEN)
        self.server_toml.write_text(
            "[server]\n"
            f'ingress = "127.0.0.1:{self.public_port}"\n'
            f'tunnel = "127.0.0.1:{self.tunnel_port}"\n'
            f'admin = "127.0.0.1:{self.admin_port}"\n'
            f'data = "{self.home / "data"}"\n'
            + SERVER_TOML.format(feishu=self.feishu.url, lingxing=self.lingxing.url, app=LINGXING_APP, tunnel=TUNNEL)
        )
        begun = time.monotonic()
        self.start("server", "server", "--config", str(self.server_toml))
        self.until("the server's start", lambda: can_connect(self.public_port))
        health = self.health()
        ready = time.monotonic() - begun
        expect(health["active_connections"] == 0, "the server knows an agent before one was started")
        good(f"server             public port {self.public_port}, agents join at {self.tunnel_port}, up in", ready)

    def start_bot(self):
        self.bot_toml.write_text(
            f'listen = "127.0.0.1:{self.bot_port}"\n'
            f'[feishu]\napp_id = "cli_fake"\nurl = "http://127.0.0.1:{self.proxy_port}/feishu"\n'
            f'[lingxing]\nurl = "http://127.0.0.1:{self.proxy_port}/lingxing"\n'
        )
        self.environment.update(FEISHU_APP_SECRET=FEISHU_SECRET, FEISHU_ENCRYPT_KEY=ENCRYPT_KEY,
                                FEISHU_VERIFICATION_TOKEN=VERIFICATION_TOKEN)
        self.start("bot", "--config", str(self.bot_toml), binary=self.bot_binary)
        self.until("the bot's start", lambda: can_connect(self.bot_port))
        good(f"bot                rockdove-feishu-bot, http://127.0.0.1:{self.bot_port}, in the office")

    def start_agent(self):
        """Returns the seconds until its first link stood, by the age that the server gives it."""
        begun = time.monotonic()
        self.start("agent", "agent", "--config", str(self.agent_toml))
        self.until("the agent's connection", lambda: self.health()["active_connections"] == 1)
        self.until("the egress link", lambda: self.stats()["egress"]["links"] > 0)
        links = self.stats()["tunnels"][0]["agents"][0]["links"]
        return max(time.monotonic() - begun - max(link["since_s"] for link in links), 0)

    def stats(self):
        return self.ok("GET", "/stats").json()

    @property
    def webhook(self):
        return f"http://127.0.0.1:{self.public_port}/feishu/webhook"

    def say(self, text):
        """Somebody writes to the bot; returns the push, which Feishu counts as delivered."""
        said("小明  ", f"@机器人 {text}")
        push = self.feishu.say(self.chat, text)
        expect(push.wait(PATIENCE), f"Feishu could not deliver the message: {push.attempts}")
        return push

    def reply(self, push, begun):
        reply = self.chat.wait_for_replies(1, push.message_id, PATIENCE)[0]
        took = time.monotonic() - begun
        said("机器人", reply.text)
        return reply, took

    def ask_bot(self, text, remark=""):
        begun = time.monotonic()
        push = self.say(text)
        reply, took = self.reply(push, begun)
        good(f"acknowledged to Feishu in {ms(push.attempts[-1].took)}, answered in the chat in", took, remark)
        return reply

    def verify_url(self):
        step(2, "Feishu checks the URL", "url_verification, encrypted")
        self.feishu.save_request_url(self.webhook)
        answer = self.feishu.sender.challenge(self.webhook)
        good(f"200 {answer.body.decode().strip()}", answer.took, "Feishu allows 1 s; the server answers it by itself")

    def talk(self):
        step(3, "Questions in the chat", "Feishu → server → agent → bot → server's address → Lingxing → chat")
        card = self.ask_bot("帮助", "a card with buttons")
        begun = time.monotonic()
        toast = self.feishu.press(self.chat, card)["toast"]["content"]
        good(f"小明 presses a button: {toast}", time.monotonic() - begun, "a callback: Feishu allows 3 s")
        said("机器人", self.chat.wait_for_replies(1, card.message_id, PATIENCE)[0].text)
        self.ask_bot("订单 3", "token and signature of Lingxing come on at the server")
        expect(not self.feishu.platform.problems, f"Feishu complains: {self.feishu.platform.problems}")

    def compare_addresses(self):
        step(4, "Lingxing lets in one address", "its allow-list has the server's, 127.0.0.1")
        office = http.client.HTTPConnection("127.0.0.1", self.lingxing.port, timeout=PATIENCE,
                                            source_address=("127.0.0.9", 0))
        office.request("GET", SELLERS + "?access_token=a&app_key=b&timestamp=1&sign=c")
        refusal = json.loads(office.getresponse().read())
        office.close()
        expect(refusal["code"] == 3001002, f"Lingxing let the office in: {refusal}")
        good(f"straight from the office (127.0.0.9): {refusal['code']} {refusal['message']}")
        proxy = http.client.HTTPConnection("127.0.0.1", self.proxy_port, timeout=PATIENCE)
        proxy.request("GET", "/lingxing" + SELLERS)
        shops = json.loads(proxy.getresponse().read())
        proxy.close()
        expect(shops["code"] == 0, f"the call through the server failed: {shops}")
        good(f"curl http://127.0.0.1:{self.proxy_port}/lingxing{SELLERS}: code 0, {len(shops['data'])} shops")

    def upload(self):
        step(5, "10 MiB go up", "POST /upload")
        body = os.urandom(UPLOAD_BYTES)
        answer = self.ok("POST", "/upload", body, {"Content-Type": "application/octet-stream"})
        self.exchange()
        expected = hashlib.sha256(body).hexdigest()
        is_same = answer.json() == {"bytes": len(body), "sha256": expected}
        expect(is_same, f"it arrived changed: {answer.body!r}")
        good(f"SHA-256 {expected[:16]}… at both ends", answer.seconds,
             f"{len(body) / answer.seconds / 2**20:.0f} MiB/s")  # fmt: skip

    def stream(self):
        step(6, "Server-sent events come down", "GET /events?count=5&interval=0.2")
        connection = http.client.HTTPConnection("127.0.0.1", self.public_port, timeout=PATIENCE)
        begun, arrivals, delays = time.monotonic(), [], []
        try:
            connection.request("GET", "/events?count=5&interval=0.2", headers={"Accept": "text/event-stream"})
            response = connection.getresponse()
            expect(response.status == 200, f"the stream got {response.status} instead of 200")
            for line in response:
                now = time.monotonic()
                if line.startswith(b"data: "):
                    arrivals.append(now - begun)
                    delays.append(now - json.loads(line[6:])["sent"])
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"the stream broke: {error!r}") from error
        finally:
            connection.close()
        self.exchange()
        expect(len(arrivals) == 5, f"{len(arrivals)} of 5 events came")
        expect(max(delays) < 0.2, f"an event was held back for {ms(max(delays))}")
        good("arrived at " + ", ".join(f"{at * 1000:.0f}" for at in arrivals) + " ms: each one at once")
        more("on the way for " + ", ".join(f"{late * 1000:.1f}" for late in delays) + " ms: nothing buffers")

    def lose_agent(self):
        step(7, "The office PC crashes", "kill -9 of the agent")
        agent = self.processes.pop("agent")
        agent.kill()
        agent.wait()
        self.until("the loss of the agent", lambda: self.health()["active_connections"] == 0)
        good('/health says "active_connections":0')
        self.kept = self.say("店铺")
        took = self.kept.attempts[-1].took
        expect(len(self.kept.attempts) == 1, "Feishu had to send it again")
        good("acknowledged to Feishu in", took, "the event is on disk")
        for line in self.run("events", "list", "--config", str(self.server_toml), "--status", "waiting").splitlines():
            more(line)
        answer = self.ask("POST", "/anything", b"{}", {"Content-Type": "application/json"})
        error = answer.json().get("error", {})
        expect(answer.status == 503 and answer.fields["Retry-After"], f"a live request got {answer.status}")
        blame = (error.get("hop"), error.get("cause"))
        expect(blame == ("edge", "no_agent"), f"the error is wrong: {answer.body!r}")
        good("a request that is no webhook: 503, Retry-After, and what is wrong", answer.seconds)

    def regain_agent(self):
        step(8, "It is back", "rockdove agent")
        begun = time.monotonic()
        connected = self.start_agent()
        good("connected in", connected)
        _, took = self.reply(self.kept, begun)
        good("the kept message is delivered, and answered in the chat", took)
        self.until("the end of the event", lambda: not self.waiting_events())
        again = self.feishu.sender.push_again(self.kept)
        expect(again.status == 200, f"the repetition got {again.status}")
        self.ask_bot("订单 1")
        expect(len(self.chat.replies(self.kept.message_id)) == 1, "the repeated event was answered twice")
        good("Feishu had sent the kept one again: 200, and nobody answered twice", again.took)

    def waiting_events(self):
        return sum(each["events"] for each in self.stats()["inbox"]["events"]
                   if each["status"] in ("waiting", "queued"))

    def sum_up(self):
        print(f"\n{bold('/stats')}")
        for route in self.stats()["routes"]:
            latency, answers = route["latency_ms"], route["responses"]
            more(f"route {route['name']:8} {route['requests']} requests, {answers['2xx']} × 2xx, "
                 f"{answers['5xx']} × 5xx, p50 {latency['p50']:.1f} ms")  # fmt: skip
        stats = json.loads(self.run("stats", "--json", "--config", str(self.server_toml)))
        kept, egress = stats["inbox"]["requests"], stats["egress"]
        more(f"inbox: {kept['stored']} events stored, {kept['duplicates']} repeated, none lost")
        more(f"egress: {egress['calls']} calls left by the server's address")


def find_ports():
    found = []
    for name, wanted in (("public", 8080), ("tunnel", 8081), ("admin", 8082), ("bot's", 5000), ("proxy", 5001)):
        found.append(free_port(wanted, found))
        if found[-1] != wanted:
            mark, port = colour("33", "!"), found[-1]
            print(f"   {mark} port {wanted} is in use here: the {name} port is {port} this time", flush=True)
    return found


PICTURE = """
  Feishu ──HTTP──▶ server ══WebSocket over TLS══ agent ──HTTP──▶ bot
                   public IP                     behind NAT       │
  Lingxing ◀─HTTP─ server ═══════════════════════ agent ◀──HTTP───┘"""


def shown(binary):
    """The binary's path as one would type it."""
    relative = os.path.relpath(binary)
    return binary if relative.startswith("..") else relative


def print_next(demo, is_kept):
    public, admin = f"http://127.0.0.1:{demo.public_port}", f"127.0.0.1:{demo.admin_port}"
    if not is_kept:
        print(f"""
{bold('Next')}  ./dev demo --keep leaves it running, to try curl and rockdove status on;
      README.md sets up your VM and your office PC, step by step.""")
        return
    status = f"{shown(demo.binary)} status" + ("" if demo.admin_port == 8082 else f" --admin {admin}")
    print(f"""
{bold('It runs on.')} In another terminal, try:
  curl {public}/health
  curl http://127.0.0.1:{demo.proxy_port}/lingxing{SELLERS}
  curl -d '{{"hello":"world"}}' {public}/anything
  curl -N '{public}/events?count=10&interval=1'
  {status}
  {shown(demo.binary)} events list --config {demo.server_toml}
Here, write to the bot: 帮助, 店铺, 订单 7.
Logs and configuration: {demo.home}
{bold('Ctrl-C')} ends it.""", flush=True)


def keep_running(demo):
    if sys.stdin.isatty():
        threading.Thread(target=chat_on, args=(demo,), daemon=True).start()
    while True:
        for name, process in demo.processes.items():
            expect(process.poll() is None, f"the {name} ended with exit code {process.returncode}")
        try:
            exchange = demo.seen.get(timeout=0.5)
        except queue.Empty:
            continue
        print("   " + dim("sample service: " + summary(exchange)), flush=True)


def chat_on(demo):
    """Each line from the terminal is a message to the bot."""
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            demo.ask_bot(line.strip())
        except (Failure, AssertionError) as failure:
            print(f"   {colour('31', '✗')} {failure}", flush=True)


def print_failure(demo, failure):
    print(f"\n   {colour('31', '✗')} {failure}", flush=True)
    for name in ("server", "agent", "bot"):
        log = demo.home / f"{name}.log"
        lines = log.read_text(errors="replace").splitlines()[-6:] if log.exists() else []
        if lines:
            print(dim(f"\n   the {name}'s log ends with"))
            print("\n".join(f"     {line}" for line in lines))
    print("\nThe demo failed.", flush=True)


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("--binary", required=True, help="the rockdove program")
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    options = parser.parse_args()
    if not os.access(options.binary, os.X_OK):
        sys.exit(f"{options.binary} is not there: ./dev build makes it")
    sys.stdout.reconfigure(errors="replace")  # no Unicode here: question marks, not a traceback
    signal.signal(signal.SIGTERM, interrupt)
    demo, code = Demo(options.binary), 0
    try:
        print(f"{bold('rockdove brings webhooks home')}\n{PICTURE}", flush=True)
        for part in (demo.set_up, demo.verify_url, demo.talk, demo.compare_addresses, demo.upload, demo.stream,
                     demo.lose_agent, demo.regain_agent, demo.sum_up):  # fmt: skip
            part()
        print_next(demo, options.keep)
        if options.keep:
            keep_running(demo)
    except BrokenPipeError:  # nobody reads on: demo.py | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except (Failure, AssertionError, OSError, subprocess.SubprocessError, LookupError, TypeError) as failure:
        print_failure(demo, failure if isinstance(failure, Failure) else repr(failure))
        code = 1
    except KeyboardInterrupt:
        print("\nEnding what was started.", flush=True)
        code = 0 if options.keep else 130
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):  # a second Ctrl-C must not leave anything behind
            signal.signal(number, signal.SIG_IGN)
        demo.stop()
    return code


if __name__ == "__main__":
    sys.exit(main())
