#!/usr/bin/python3
"""Shows rockdove at work on this machine: server, agent and local service, and requests all the way through.

    tools/demo.py --binary build/release/rockdove [--keep]

Everything runs on 127.0.0.1 with its data in a temporary directory, and is ended again at the end.
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
import time

from demo_parts import PATIENCE, Failure, Parts, can_connect, expect, free_port
from sample_service import SampleService, summary

TUNNEL = "feishu-bot"
UPLOAD_BYTES = 10 * 1024 * 1024

# What Feishu sends when the console saves a request URL, and for a message to the bot.
CHALLENGE = b'{"challenge":"ajls384kdjx98XX","token":"vtoken","type":"url_verification"}'
EVENT = (
    '{"schema":"2.0","header":{"event_id":"5e3702a84e847582be8db7fb73283c02",'
    '"event_type":"im.message.receive_v1","create_time":"1608725989000","token":"vtoken","app_id":"cli_xxx",'
    '"tenant_key":"2ca1d211f64f6438"},"event":{"sender":{"sender_id":{"union_id":"on_8ed6",'
    '"user_id":"e33ggbyz","open_id":"ou_84aa"},"sender_type":"user","tenant_key":"736588c9260f175e"},'
    '"message":{"message_id":"om_5ce6","root_id":"om_5ce6","parent_id":"om_d4be",'
    '"create_time":"1609073151345","update_time":"1687343654666","chat_id":"oc_5ce6","thread_id":"omt_d4be",'
    '"chat_type":"group","message_type":"text","content":"{\\"text\\":\\"@_user_1 hello\\"}",'
    '"mentions":[{"key":"@_user_1","id":{"union_id":"on_8ed6","user_id":"e33ggbyz","open_id":"ou_84aa"},'
    '"name":"Tom","tenant_key":"736588c9260f175e"}],"user_agent":"Mozilla/5.0 …"}}}'
).encode()


def event_number(number):
    """Another message like EVENT: Feishu gives each its own id."""
    return EVENT.replace(b"5e3702a84e847582be8db7fb73283c02", b"%032d" % number)


FEISHU_JSON = {"Content-Type": "application/json; charset=utf-8"}

IS_TTY = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and "NO_COLOR" not in os.environ


def colour(code, text):
    return f"\x1b[{code}m{text}\x1b[0m" if IS_TTY else text


def dim(text):
    return colour("2", text)


def bold(text):
    return colour("1", text)


def step(number, title, what=""):
    print(f"\n{bold(f'{number}  {title}')}" + (dim(f"   {what}") if what else ""), flush=True)


def good(text, time_taken=None, remark=""):
    right = "" if time_taken is None else f"  {bold(ms(time_taken))}"
    print(f"   {colour('32', '✓')} {text}{right}{dim('  ' + remark) if remark else ''}", flush=True)


def more(text):
    print(f"     {dim(text)}", flush=True)


def ms(seconds):
    if seconds < 0.0001:
        return "<0.1 ms"
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


class Demo(Parts):
    def set_up(self):
        step(1, "Four parts, one machine")
        self.public_port, self.tunnel_port, self.admin_port, upstream_port = find_ports()
        try:
            self.service = SampleService("127.0.0.1", upstream_port, self.seen.put)
        except OSError:  # taken since a moment ago
            self.service = SampleService("127.0.0.1", 0, self.seen.put)
        self.upstream = f"http://127.0.0.1:{self.service.server_port}"
        self.service.start()
        good(f"upstream   {self.upstream}, the bot: tools/sample_service.py")

        self.server_toml.write_text(
            "[server]\n"
            f'ingress = "127.0.0.1:{self.public_port}"\n'
            f'tunnel = "127.0.0.1:{self.tunnel_port}"\n'
            f'admin = "127.0.0.1:{self.admin_port}"\n'
            f'data = "{self.home / "data"}"\n'
        )
        begun = time.monotonic()
        self.start("server", "server", "--config", str(self.server_toml))
        self.until("the server's start", lambda: can_connect(self.public_port))
        health = self.health()
        ready = time.monotonic() - begun
        expect(health["active_connections"] == 0, "the server knows an agent before one was started")
        good(f"server     public port {self.public_port}, agents join at {self.tunnel_port}, up in", ready)

        address = f"127.0.0.1:{self.tunnel_port}"
        join = self.run("token", "create", TUNNEL, "--config", str(self.server_toml), "--address", address)
        self.agent_toml.write_text('[agent]\nname = "office-pc"\n')
        self.run("join", "--config", str(self.agent_toml), "-", text=join)
        good(f"token      rockdove token create {TUNNEL} | rockdove join -", remark=f"{join[:24]}…")
        connected = self.start_agent()
        good("agent      office-pc, TLS with the server's key pinned, connected in", connected)

    def start_agent(self):
        """Returns the seconds until its first link stood, by the age that the server gives it."""
        begun = time.monotonic()
        self.start("agent", "agent", "--config", str(self.agent_toml), "--upstream", self.upstream)
        self.until("the agent's connection", lambda: self.health()["active_connections"] == 1)
        links = self.stats()["tunnels"][0]["agents"][0]["links"]
        return max(time.monotonic() - begun - max(link["since_s"] for link in links), 0)

    def stats(self):
        return self.ok("GET", "/stats").json()

    def print_hops(self, answer, exchange):
        """Where the time went: the caller's clock, the server's log and the service's clock tell."""
        upstream = exchange.answered - exchange.received
        server = self.server_time(exchange.request_id)
        if server is None:
            return more(f"in the upstream {ms(upstream)}")
        more(f"caller ⇄ server {ms(max(answer.seconds - server, 0))} · server ⇄ agent ⇄ upstream "
             f"{ms(max(server - upstream, 0))} · in the upstream {ms(upstream)}")  # fmt: skip

    def verify_url(self):
        step(2, "Feishu checks the URL", "POST /feishu/webhook, url_verification")
        answer = self.ok("POST", "/feishu/webhook", CHALLENGE, FEISHU_JSON)
        exchange = self.exchange()
        expect(answer.body == b'{"challenge":"ajls384kdjx98XX"}', f"the answer is wrong: {answer.body!r}")
        expect(answer.seconds < 1, f"Feishu wants it within 1 s, it took {answer.seconds:.1f} s")
        good(f"200 {answer.body.decode()}", answer.seconds, "Feishu allows 1 s")
        self.print_hops(answer, exchange)

    def send_event(self):
        step(3, "A message comes in", "POST /feishu/webhook, im.message.receive_v1")
        answer = self.ok("POST", "/feishu/webhook", EVENT, FEISHU_JSON)
        exchange = self.exchange()
        expect(exchange.body == EVENT, "the body reached the upstream changed")
        expect(answer.json() == {"msg": "success"}, f"the answer is wrong: {answer.body!r}")
        good(f"200 {answer.body.decode()}", answer.seconds, "Feishu allows 3 s")
        self.print_hops(answer, exchange)
        more(f"the bot says: {exchange.note}")
        more(f"all {len(EVENT)} bytes arrived as they were sent, so signatures hold")

    def upload(self):
        step(4, "10 MiB go up", "POST /upload")
        body = os.urandom(UPLOAD_BYTES)
        answer = self.ok("POST", "/upload", body, {"Content-Type": "application/octet-stream"})
        self.exchange()
        expected = hashlib.sha256(body).hexdigest()
        is_same = answer.json() == {"bytes": len(body), "sha256": expected}
        expect(is_same, f"it arrived changed: {answer.body!r}")
        good(f"SHA-256 {expected[:16]}… at both ends", answer.seconds,
             f"{len(body) / answer.seconds / 2**20:.0f} MiB/s")  # fmt: skip

    def stream(self):
        step(5, "Server-sent events come down", "GET /events?count=5&interval=0.2")
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
        step(6, "The office PC crashes", "kill -9 of the agent")
        agent = self.processes.pop("agent")
        agent.kill()
        agent.wait()
        self.until("the loss of the agent", lambda: self.health()["active_connections"] == 0)
        good('/health says "active_connections":0')
        answer = self.ok("POST", "/feishu/webhook", event_number(2), FEISHU_JSON)
        self.kept = answer.fields["Rockdove-Event-Id"]
        expect(self.kept, "the acknowledgement names no event")
        good(f"a message comes in: 200 {answer.body.decode()}", answer.seconds, "on disk before it was said")
        for line in self.run("events", "list", "--config", str(self.server_toml), "--status", "waiting").splitlines():
            more(line)
        answer = self.ask("POST", "/anything", b"{}", FEISHU_JSON)
        error = answer.json().get("error", {})
        expect(answer.status == 503 and answer.fields["Retry-After"], f"a live request got {answer.status}")
        blame = (error.get("hop"), error.get("cause"))
        expect(blame == ("edge", "no_agent"), f"the error is wrong: {answer.body!r}")
        good("a request that is no webhook: 503, Retry-After, and what is wrong", answer.seconds)

    def regain_agent(self):
        step(7, "It is back", "rockdove agent")
        connected = self.start_agent()
        good("connected in", connected)
        exchange = self.exchange()
        expect(exchange.body == event_number(2), "the kept event reached the upstream changed")
        expect(exchange.event_id == self.kept, "another event was delivered")
        good(f"the kept message is delivered, byte for byte: {self.kept}")
        answer = self.ok("POST", "/feishu/webhook", event_number(2), FEISHU_JSON)
        expect(self.seen.empty(), "a repetition was delivered a second time")
        good(f"Feishu sends it again: 200 {answer.body.decode()}", answer.seconds, "and the bot sees it only once")
        answer = self.ok("POST", "/feishu/webhook", event_number(3), FEISHU_JSON)
        exchange = self.exchange()
        expect(exchange.body == event_number(3), "the body reached the upstream changed")
        good(f"the next one goes straight through: 200 {answer.body.decode()}", answer.seconds)
        self.print_hops(answer, exchange)

    def sum_up(self):
        print(f"\n{bold('/stats')}")
        for route in self.stats()["routes"]:
            latency, answers = route["latency_ms"], route["responses"]
            more(f"route {route['name']:8} {route['requests']} requests, {answers['2xx']} × 2xx, "
                 f"{answers['5xx']} × 5xx, p50 {latency['p50']:.1f} ms")  # fmt: skip
        stats = json.loads(self.run("stats", "--json", "--config", str(self.server_toml)))
        kept = stats["inbox"]["requests"]
        more(f"inbox: {kept['stored']} events stored, {kept['duplicates']} repeated, none lost")


def find_ports():
    found = []
    for name, wanted in (("public", 8080), ("tunnel", 8081), ("admin", 8082), ("upstream", 5000)):
        found.append(free_port(wanted, found))
        if found[-1] != wanted:
            mark, port = colour("33", "!"), found[-1]
            print(f"   {mark} port {wanted} is in use here: the {name} port is {port} this time", flush=True)
    return found


PICTURE = """
  caller ──HTTP──▶ server ══WebSocket over TLS══ agent ──HTTP──▶ upstream
  (Feishu)         public IP                     behind NAT      your bot"""


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
  curl -d '{{"hello":"world"}}' {public}/anything
  curl -N '{public}/events?count=10&interval=1'
  {status}
  {shown(demo.binary)} events list --config {demo.server_toml}
Logs and configuration: {demo.home}
{bold('Ctrl-C')} ends it.""", flush=True)


def keep_running(demo):
    while True:
        for name, process in demo.processes.items():
            expect(process.poll() is None, f"the {name} ended with exit code {process.returncode}")
        try:
            exchange = demo.seen.get(timeout=0.5)
        except queue.Empty:
            continue
        print("   " + dim("upstream: " + summary(exchange)), flush=True)


def print_failure(demo, failure):
    print(f"\n   {colour('31', '✗')} {failure}", flush=True)
    for name in ("server", "agent"):
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
        for part in (demo.set_up, demo.verify_url, demo.send_event, demo.upload, demo.stream,
                     demo.lose_agent, demo.regain_agent, demo.sum_up):  # fmt: skip
            part()
        print_next(demo, options.keep)
        if options.keep:
            keep_running(demo)
    except BrokenPipeError:  # nobody reads on: demo.py | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except (Failure, OSError, subprocess.SubprocessError, KeyError, IndexError, TypeError) as failure:
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
