"""The pages of docs/ against the program and against each other: configurations, commands, links, both languages.

    toml server | agent | feishu-bot      a whole configuration, which the program has to take
"""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest
from functools import cache
from pathlib import Path

from setting import DOCS, ROOT  # isort: skip
from markdown import Page
from processes import BINARY

BOT = os.environ.get("ROCKDOVE_FEISHU_BOT", str(ROOT / "build" / "release" / "rockdove-feishu-bot"))
GUIDES = ("quickstart", "feishu", "lingxing", "in-front", "corporate-proxy", "operations", "troubleshooting",
          "comparison", "install")
CHECKS = {
    "server": [BINARY, "config", "check", "--role", "server", "--config"],
    "agent": [BINARY, "config", "check", "--role", "agent", "--config"],
    "feishu-bot": [BOT, "--check", "--config"],
}


def pages():
    paths = [*ROOT.glob("*.md"), *DOCS.glob("*.md"), *ROOT.glob("apps/*/*.md")]
    return [Page(path) for path in sorted(paths)]


def guides():
    return [Page(path) for name in GUIDES for path in (DOCS / f"{name}.md", DOCS / f"{name}.zh-CN.md")]


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


class DocsTest(unittest.TestCase):
    def place(self, page, line):
        return self.subTest(f"{page.path.relative_to(ROOT)}:{line}")

    def folder(self):
        folder = tempfile.mkdtemp(prefix="rockdove-docs-")
        self.addCleanup(shutil.rmtree, folder)
        return Path(folder)


class Languages(DocsTest):
    def each_twin(self, check):
        for path in sorted({DOCS / f"{name}.zh-CN.md" for name in GUIDES} | set(DOCS.glob("*.zh-CN.md"))):
            with self.subTest(path.name):
                check(Page(path.with_name(path.name.replace(".zh-CN", ""))), Page(path))

    def test_both_languages_have_the_same_parts(self):
        def check(english, chinese):
            levels = [[level for level, _ in page.headings] for page in (english, chinese)]
            self.assertEqual(levels[0], levels[1])

        self.each_twin(check)

    def test_both_languages_have_the_same_code(self):
        def check(english, chinese):
            self.assertEqual(len(english.blocks), len(chinese.blocks))
            for one, other in zip(english.blocks, chinese.blocks):
                self.assertEqual((one.words, one.directives), (other.words, other.directives), f"line {other.line}")
                if one.words:  # without a language it may be prose in columns
                    self.assertEqual(one.without_comments(), other.without_comments(), f"line {other.line}")

        self.each_twin(check)

    def test_each_language_leads_to_the_other(self):
        def check(english, chinese):
            for page, twin in ((english, chinese), (chinese, english)):
                self.assertIn(twin.path.name, [target for _, target in page.links])

        self.each_twin(check)


class Links(DocsTest):
    def test_every_link_leads_to_a_page_and_a_heading_that_are_there(self):
        for page in pages():
            for line, target in page.links:
                if re.match(r"[a-z]+:", target):
                    continue
                with self.place(page, line):
                    name, _, anchor = target.partition("#")
                    path = (page.path.parent / name).resolve() if name else page.path
                    self.assertTrue(path.exists(), target)
                    if anchor:
                        self.assertIn(anchor, Page(path).anchors(), target)

    def test_every_page_that_is_named_is_there(self):
        for page in pages():
            for line, code in page.inline:
                if re.fullmatch(r"docs/[\w.-]+\.md", code):
                    with self.place(page, line):
                        self.assertTrue((ROOT / code).exists(), code)


class Configurations(DocsTest):
    def certificate(self, folder):
        """A certificate for the places that the pages name."""
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
             f"{folder}/privkey.pem", "-out", f"{folder}/fullchain.pem", "-subj", "/CN=hooks.example.com"])

    @staticmethod
    def here(text, folder):
        text = re.sub(r"/etc/[\w./-]+/(fullchain|privkey)\.pem", rf"{folder}/\1.pem", text)
        return re.sub(r"/usr/[\w./-]+\.crt", f"{folder}/fullchain.pem", text)

    def test_the_program_takes_every_configuration_of_the_guides(self):
        folder = self.folder()
        self.certificate(folder)
        file = folder / "config.toml"
        for page in guides():
            for block in page.blocks:
                if block.language != "toml":
                    continue
                with self.place(page, block.line):
                    self.assertIn(block.words[-1], CHECKS, "whose configuration is it?")
                    file.write_text(self.here(block.text, folder))
                    done = run([*CHECKS[block.words[-1]], str(file)])
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


@cache
def help_of(words):
    """What a command says of itself; None if there is no such command."""
    done = run([BINARY, *words, "--help"])
    return done.stdout if done.returncode == 0 else None


def subcommands(words):
    _, _, listed = (help_of(words) or "").partition("Subcommands:\n")
    return re.findall(r"^  ([\w-]+)", listed.split("\n\n")[0], re.MULTILINE)


def wrong_in(command):
    """What the program does not know of a command line; None if it knows all of it."""
    try:
        words = shlex.split(command, comments=True)
    except ValueError:
        return None  # a piece of a line
    words = words[words.index("rockdove") + 1:]
    known = ()
    while words and words[0] in subcommands(known):
        known, words = (*known, words[0]), words[1:]
    if subcommands(known) and words and re.fullmatch(r"[a-z-]+", words[0]):
        return f"rockdove {' '.join(known)} has no command {words[0]}"
    options = set(re.findall(r"--[a-z-]+", help_of(known)))
    return next((f"rockdove {' '.join(known)} has no option {word}" for word in words
                 if word.startswith("--") and word.split("=")[0] not in options), None)


class Commands(DocsTest):
    def commands(self, page):
        for line, code in page.inline:
            yield line, code
        for block in page.blocks:
            if block.language in ("", "sh"):
                for number, text in enumerate(block.text.splitlines(), block.line + 1):
                    yield from ((number, each) for each in re.split(r"&&|\||;|\s{4,}", text))

    def test_the_program_knows_every_command_and_option_that_is_named(self):
        for page in pages():
            if page.path.name == "CHANGELOG.md":
                continue
            for line, text in self.commands(page):
                if re.match(r"\s*(sudo )?rockdove( |$)", text):
                    with self.place(page, line):
                        self.assertIsNone(wrong_in(text), text)


class Words(DocsTest):
    def test_every_cause_and_key_of_the_pages_for_trouble_is_a_word_of_the_program(self):
        paths = [path for folder in ("src", "apps") for path in (ROOT / folder).rglob("*.*") if path.is_file()]
        known = set(re.findall(r"\w+", "\n".join(path.read_text(encoding="utf-8") for path in paths)))
        known |= {"proxy_read_timeout", "event_id"}  # nginx's, Feishu's
        for name in ("troubleshooting", "feishu", "lingxing", "corporate-proxy", "operations"):
            page = Page(DOCS / f"{name}.md")
            for line, code in page.inline:
                if re.fullmatch(r"[a-z]+(_[a-z]+)+", code):
                    with self.place(page, line):  # after signature_ comes the outcome of a check
                        self.assertIn(code.removeprefix("signature_"), known)


if __name__ == "__main__":
    unittest.main()
