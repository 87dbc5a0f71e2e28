"""Alerts: who is told what when something goes wrong, and when it is over."""

import base64
import hashlib
import hmac
import json
import re
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fakes"))

from egress_scene import HttpsDestination  # noqa: E402
from feishu_custom_bot import CustomBot  # noqa: E402
from inbox_scene import InboxServer, InboxTest, Script, route  # noqa: E402
from scene import Authority, answer, request, run_binary  # noqa: E402
from support import eventually  # noqa: E402

SECRET = "a-secret-of-the-bot"
KEY = bytes(range(32))
WHSEC = "whsec_" + base64.b64encode(KEY).decode()
QUICK = 'agent_gone = "300ms"\nsettle = "200ms"\nbacklog_age = "1s"'


class Alerts(InboxTest):
    def bot(self, **options):
        bot = CustomBot(SECRET, keyword="rockdove", **options)
        self.addCleanup(bot.stop)
        return bot

    def told(self, receivers, keys=QUICK, toml="", files=None, **options):
        """A server with these [[alerts.to]], whose secrets are files in its directory."""
        server = InboxServer(start=False, **options)
        for name, content in (files or {}).items():
            (server.directory / name).write_text(content + "\n")
        server.toml = f"{toml}\n[alerts]\n{keys}\n" + "".join(f"[[alerts.to]]\n{each}\n" for each in receivers)
        return self.take_in(server).start()

    def told_by(self, bot, **options):
        """One whose hook and secret are in files."""
        receiver = 'feishu = "file:hook"\nsecret = "file:secret"\nname = "group"'
        return self.told([receiver], files={"hook": bot.url, "secret": SECRET}, **options)

    def told_of_agent(self, bot, upstream="http://127.0.0.1:9", keys=QUICK, toml=""):
        """(server, agent): its absence counts from now on, however long it took to come."""
        server = self.told_by(bot, keys='agent_gone = "10m"', toml=toml)
        agent = self.agent(server, upstream)
        server.toml = server.toml.replace('agent_gone = "10m"', keys)
        server.write_config()
        server.signal(signal.SIGHUP)
        server.wait_for_log("the configuration has been read again")
        return server, agent

    def said(self, bot, count):
        """The first `count` messages, once they are there."""
        eventually(lambda: len(bot.messages) >= count, 20, f"{count} messages; refused: {bot.refused}")
        return bot.messages[:count]

    def firing(self, server):
        return [(each["kind"], each["subject"]) for each in server.get_json()["alerts"]["firing"]]

    def kept(self, server):
        file = server.data / "alerts.json"
        return file.read_text() if file.exists() else ""

    def assert_no_secret(self, server, *secrets):
        everything = server.log() + json.dumps(server.get_json()) + json.dumps(server.get_json("/health"))
        for secret in secrets:
            self.assertNotIn(secret, everything)

    def test_a_group_hears_that_an_agent_is_gone_and_that_it_is_back(self):
        bot = self.bot()
        server, agent = self.told_of_agent(bot)
        self.assertEqual(self.firing(server), [])
        agent.kill9()
        self.assertRegex(self.said(bot, 1)[0],
                         r"^\[rockdove \S+\] ALERT: tunnel bot: no agent is connected, since \d{4}-\d\d-\d\d ")
        self.assertEqual(self.firing(server), [("agent_gone", "bot")])
        agent.start()
        self.assertRegex(self.said(bot, 2)[1],
                         r"^\[rockdove \S+\] Over after \d+s: tunnel bot: no agent is connected$")
        self.assertEqual(self.firing(server), [])
        self.assertEqual((len(bot.tries), bot.refused), (2, []))
        self.assert_no_secret(server, SECRET, bot.path, "0c9a4f6e")

    def test_a_group_hears_which_of_two_agents_is_gone_also_over_a_restart(self):
        bot = self.bot()
        server = self.told_by(bot)
        self.agent(server, self.upstream(), name="stays")
        goes = self.agent(server, self.upstream(), name="goes")
        time.sleep(0.5)  # longer than agent_gone: who was there for a moment only is not missed
        goes.stop()  # on purpose or not: a tunnel that lost half of its agents is worth a word
        gone = "tunnel bot: agent goes is gone"
        eventually(lambda: self.of_agents(bot) == ["ALERT: " + gone], 20, f"{bot.messages}")
        self.assertEqual(self.firing(server), [("agent_gone", "bot/goes")])
        self.assertEqual(server.get_json("/health")["status"], "ok")  # callers are served
        eventually(lambda: "bot/goes" in self.kept(server))
        server.stop()
        server.start()
        eventually(lambda: self.firing(server) == [("agent_gone", "bot/goes")])
        goes.start()
        eventually(lambda: self.of_agents(bot) == ["ALERT: " + gone, "Over: " + gone], 20, f"{bot.messages}")

    def of_agents(self, bot):
        """What it was told of single agents; a slow start may make it hear of the whole tunnel."""
        told = [re.sub(r"^\[.*?\] |, since .*| after \d+s", "", each) for each in bot.messages]
        return [each for each in told if ": agent " in each]

    def test_a_group_hears_that_the_disk_is_nearly_full_and_that_it_is_not(self):
        bot = self.bot()
        server = self.told_by(bot, keys=QUICK + '\ndisk_free = "1000TiB"')
        self.assertRegex(self.said(bot, 1)[0], r"ALERT: the disk is nearly full: \S+ \wiB left for the data, since ")
        health = server.get_json("/health", server.admin_port)
        self.assertEqual(health["status"], "degraded")
        self.assertRegex(health["reasons"][0], r"^disk: only \S+ \wiB are left where the data directory is$")
        server.toml = server.toml.replace("1000TiB", "1KiB")
        server.write_config()
        server.signal(signal.SIGHUP)
        self.assertRegex(self.said(bot, 2)[1], r"Over after \d+s: the disk is nearly full: ")
        self.assertEqual(self.firing(server), [])

    def test_an_agent_that_only_reconnects_is_no_message(self):
        bot = self.bot()
        server = self.told_by(bot, keys='agent_gone = "20s"\nsettle = "100ms"')
        agent = self.agent(server)
        for _ in range(3):
            agent.kill9()
            eventually(lambda: server.get_json("/health").get("reasons"))
            agent.start()
            agent.wait_connected()
        server.stop()  # whose own end is none either
        self.assertEqual(bot.tries, [])

    def test_a_restart_of_the_server_tells_nothing_twice_and_forgets_nothing(self):
        bot = self.bot()
        server, agent = self.told_of_agent(bot)
        agent.kill9()
        self.said(bot, 1)
        eventually(lambda: "agent_gone" in self.kept(server))
        for stop in (server.stop, server.kill9):
            stop()
            server.start()
            eventually(lambda: self.firing(server))
            began = time.monotonic()
            eventually(lambda: time.monotonic() - began > 1)
        self.assertEqual(len(bot.tries), 1)
        server.stop()
        server.start()
        agent.start()
        self.assertRegex(self.said(bot, 2)[1], "Over after")
        eventually(lambda: "agent_gone" not in self.kept(server))
        self.assertEqual(len(bot.tries), 2)

    def test_what_does_not_get_through_is_tried_until_it_does_and_comes_once(self):
        bot = self.bot()
        server = self.told_by(bot)
        bot.answers = [(500, {}), (200, {"code": 11232, "msg": "frequency limited psm"})]
        server.token("depot")
        self.assertEqual(len(self.said(bot, 1)), 1)
        self.assertEqual((len(bot.tries), len(bot.messages)), (3, 1))
        messages = server.get_json()["alerts"]["messages"]
        eventually(lambda: server.get_json()["alerts"]["messages"] == {"sent": 1, "rejected": 0, "dropped": 0},
                   what=f"{messages}")

    def test_a_refusal_is_said_once_and_nobody_is_asked_again(self):
        bot = self.bot()
        bot.secret = "another-one"
        server = self.told_by(bot)
        server.token("depot")
        eventually(lambda: server.get_json()["alerts"]["messages"]["rejected"] == 1)
        server.wait_for_log(r"group: refuses a message .*code 19021: sign match fail")
        self.assertEqual(len(bot.tries), 1)

    def test_dead_letters_and_backlogs_are_told_of_and_their_end_too(self):
        bot = self.bot()
        upstream = self.upstream(Script(answer(b"no", "422 No"), answer(b"ok")))
        server, agent = self.told_of_agent(bot, upstream, toml=route("inbox"))
        self.assertEqual(self.call(server, "/hook", method="POST", body=b"1").status, 200)
        self.assertRegex(self.said(bot, 1)[0], "ALERT: route hook: 1 dead letter, since")
        server.inbox.replay(server.inbox.only("dead")["id"])
        self.assertRegex(self.said(bot, 2)[1], "Over after .*: route hook: 1 dead letter")
        agent.stop()
        self.assertEqual(self.call(server, "/hook", method="POST", body=b"2").status, 200)
        said = self.said(bot, 4)[2:]
        self.assertRegex("\n".join(sorted(said)), "ALERT: route hook: events wait for their delivery(.|\n)*"
                                                  "ALERT: tunnel bot: no agent is connected")
        agent.start()
        self.assertRegex("\n".join(sorted(self.said(bot, 6)[4:])), "Over .* route hook(.|\n)*Over .* tunnel bot")

    def test_a_certificate_near_its_end_is_told_of_in_the_language_of_the_operator(self):
        bot = self.bot()
        server = InboxServer(start=False)
        certificate, key = Authority(server.directory).issue("callers")  # for two days
        server.toml = (f'[ingress_tls]\ncertificate = "{certificate}"\nkey = "{key}"\n[alerts]\n{QUICK}\n'
                       f'language = "zh"\n[[alerts.to]]\nfeishu = "{bot.url}"\nsecret = "env:BOT_SECRET"\n')
        server.env = {"BOT_SECRET": SECRET}
        self.take_in(server).start()
        self.assertRegex(self.said(bot, 1)[0], r"告警：ingress 端口的证书将在 [12] 天后到期（始于 ")

    def test_any_other_receiver_gets_signed_json_of_the_kinds_it_wants(self):
        receiver = self.upstream(Script(answer(b"", "503 Later"), answer(b"")))
        server = self.told([f'url = "{receiver.url}/in?key=hush-hush"\nsecret = "file:whsec"\n'
                            'events = ["agent_gone"]', f'url = "{receiver.url}/none"\nevents = ["disk_free"]'],
                           files={"whsec": WHSEC})
        server.token("depot")
        eventually(lambda: len(receiver.requests) >= 2)
        ids = set()
        for seen in receiver.requests:
            self.assertEqual((seen.method, seen.target), (b"POST", b"/in?key=hush-hush"))
            message_id, stamp = seen.get(b"webhook-id"), seen.get(b"webhook-timestamp")
            self.assertLess(abs(time.time() - int(stamp)), 60)
            text = b".".join([message_id, stamp, seen.body])
            expected = b"v1," + base64.b64encode(hmac.new(KEY, text, hashlib.sha256).digest())
            self.assertEqual(seen.get(b"webhook-signature"), expected)
            ids.add(message_id)
        message = json.loads(receiver.last().body)
        self.assertEqual({message["id"].encode()}, ids)
        self.assertEqual({key: message[key] for key in ("kind", "state", "subject", "reminder", "count")},
                         {"kind": "agent_gone", "state": "firing", "subject": "depot", "reminder": False, "count": 1})
        self.assertIn("tunnel depot: no agent is connected", message["text"])
        self.assertEqual(message["version"], server.get_json()["version"])
        self.assert_no_secret(server, "hush-hush", WHSEC[6:])

    def test_the_certificate_of_a_receiver_is_checked(self):
        receiver = HttpsDestination()
        self.addCleanup(receiver.stop)
        server = self.told([f'url = "{receiver.url}/"\nca_file = "{receiver.ca_file}"\nname = "known"',
                            f'url = "{receiver.url}/"\nname = "unknown"'])
        status, said = server.inbox.ask("POST", "/api/v1/alerts/test", {})
        results = {each["name"]: each["ok"] for each in said["results"]}
        self.assertEqual((status, results), (200, {"known": True, "unknown": False}))
        self.assertIn("certificate", said["results"][1]["answer"])
        self.assertEqual(len(receiver.seen), 1)

    def test_a_storm_is_a_few_messages_and_a_summary(self):
        bot = self.bot()
        server = self.told_by(bot, keys=QUICK + "\nrate = 3")
        for number in range(6):
            server.token(f"shop-{number}")
        said = self.said(bot, 3)
        self.assertIn("more, as one message: the limit of 3 an hour is reached", said[2])
        everything = "\n".join(said)
        eventually(lambda: len(self.firing(server)) == 6)
        held = server.get_json()["alerts"]["receivers"][0]["held_back"]
        told = sum(f"shop-{number}:" in everything for number in range(6))
        self.assertEqual(told + held, 6)
        self.assertEqual(len(bot.tries), 3)

    def test_the_command_line_tests_receivers_and_lists_what_is_wrong(self):
        bot, other = self.bot(), self.upstream(answer(b"", "204 No Content"))
        server = self.told(['feishu = "file:hook"\nsecret = "file:secret"\nname = "group"', f'url = "{other.url}/"'],
                           files={"hook": bot.url, "secret": SECRET})
        places = ("--config", str(server.config), "--admin", f"127.0.0.1:{server.admin_port}")
        done = run_binary(server, "alerts", "test", *places)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"group +ok +code 0: success\nurl-2 +ok +status 204")
        self.assertIn("This is a test", bot.messages[0])
        self.assertEqual(json.loads(other.last().body)["kind"], "test")
        self.assertEqual(run_binary(server, "alerts", "list", *places).stdout, "Nothing is wrong.\n")
        bot.secret = "another-one"
        done = run_binary(server, "alerts", "test", *places)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"group +failed +code 19021")
        server.token("depot")
        eventually(lambda: self.firing(server))
        listed = run_binary(server, "alerts", "list", *places).stdout
        self.assertRegex(listed, r"(?m)^agent_gone +\d{4}-\S+ \S+ +tunnel depot: no agent is connected$")
        self.assertEqual(server.inbox.ask("GET", "/api/v1/alerts", token="x" * 32)[0], 401)
        self.assertEqual(server.inbox.ask("GET", "/api/v1/alerts/test")[0], 405)
        self.assertEqual(server.inbox.ask("GET", "/api/v1/alerts/other")[0], 404)

    def test_a_new_configuration_counts_at_once_and_a_bad_one_not_at_all(self):
        bot, next_bot = self.bot(), self.bot(hook="another")
        server = self.told_by(bot)
        server.token("depot")
        self.said(bot, 1)
        mark = server.log_size()
        (server.directory / "hook").write_text("no address\n")
        server.signal(signal.SIGHUP)
        server.wait_for_log(r"\[\[alerts.to\]\] .group.: what is to be its URL is not an address", after=mark)
        server.token("shop")
        self.said(bot, 2)
        mark = server.log_size()
        (server.directory / "hook").write_text(next_bot.url + "\n")
        server.signal(signal.SIGHUP)
        server.wait_for_log("the configuration has been read again", after=mark)
        server.token("office")
        self.assertRegex(self.said(next_bot, 1)[0], "tunnel office")
        self.assertEqual(len(bot.messages), 2)
