#!/usr/bin/python3
"""Each house rule must be able to fail: a small tree that breaks it, beside one that keeps it."""

import tempfile
import unittest
from pathlib import Path

import tidy

HEADER = "// What it is.\n#pragma once\n"


LONG = "g();\n" * 70


def body(statement):
    return f"net::Awaitable<void> f() {{\n  {statement}\n}}\n"


# (rule, path, text, part of the finding; None: no finding)
CASES = [
    ("include down", "src/http/a.cpp", '#include "net/asio.hpp"\n', None),
    ("include own layer", "src/http/a.cpp", '#include "http/b.hpp"\n', None),
    ("include up", "src/net/a.cpp", '#include "http/b.hpp"\n', "net may not include http/b.hpp"),
    ("include sibling", "src/tunnel/a.cpp", '#include "inbox/b.hpp"\n', "tunnel may not include"),
    ("roles are siblings", "src/agent/a.cpp", '#include "server/b.hpp"\n', "agent may not include"),
    ("config fills Options", "src/config/a.hpp", HEADER + '#include "inbox/options.hpp"\n', None),
    ("main sees all", "src/main.cpp", '#include "cli/b.hpp"\n#include "server/b.hpp"\n', None),
    ("an app on low layers", "apps/bot/a.cpp", '#include "http/b.hpp"\n#include "bot/c.hpp"\n', None),
    ("an app reads TOML", "apps/bot/a.cpp", '#include "config/toml_reader.hpp"\n#include <CLI/CLI.hpp>\n', None),
    ("an app on a role", "apps/bot/a.cpp", '#include "agent/b.hpp"\n', "an app may not include agent/b.hpp"),
    ("an app in an inbox", "apps/bot/a.cpp", '#include "inbox/b.hpp"\n', "an app may not include inbox"),
    ("an app in a config", "apps/bot/a.cpp", '#include "config/b.hpp"\n', "an app may not include config"),
    ("an app's unit test", "tests/unit/feishu_bot/a_test.cpp", '#include "tunnel/b.hpp"\n', "an app may not"),
    ("a layer on an app", "src/agent/a.cpp", '#include "apps/b.hpp"\n', "agent may not include apps"),
    ("a unit test looks up", "tests/unit/net/a_test.cpp", '#include "http/b.hpp"\n', "net may not include"),
    ("a flow test sees all", "tests/flow/a_test.cpp", '#include "agent/b.hpp"\n#include "cli/b.hpp"\n', None),
    ("unknown layer", "src/misc/a.cpp", "int x;\n", "no rank"),
    ("dotted include", "src/net/a.cpp", '#include "../base/b.hpp"\n', "start at src/"),
    ("nghttp2 at home", "src/tunnel/a.cpp", "#include <nghttp2/nghttp2.h>\n", None),
    ("nghttp2 abroad", "src/server/a.cpp", "#include <nghttp2/nghttp2.h>\n", "nghttp2 is known"),
    ("nghttp2 name abroad", "src/agent/a.cpp", "nghttp2_session* s;\n", "nghttp2 is known"),
    ("nghttp2 in a comment", "src/agent/a.cpp", "// nghttp2_session does it\n", None),
    ("SQLite abroad", "src/server/a.cpp", "#include <sqlite3.h>\n", "SQLite is known"),
    ("toml++ abroad", "src/agent/a.cpp", "toml::table t;\n", "toml++ is known"),
    ("CLI11 in main", "src/main.cpp", "#include <CLI/CLI.hpp>\n", None),
    ("CLI11 abroad", "src/config/a.cpp", "#include <CLI/CLI.hpp>\n", "CLI11 is known"),
    ("xxHash abroad", "src/net/a.cpp", "#include <xxhash.h>\n", "xxHash is known"),
    ("prometheus abroad", "src/server/a.cpp", "#include <prometheus/registry.h>\n", "prometheus is known"),
    ("Asio in base", "src/base/a.cpp", "#include <boost/asio/ip/address.hpp>\n", "Asio is known"),
    ("400 lines", "src/net/a.cpp", "int x;\n" * 400, None),
    ("401 lines", "src/net/a.cpp", "int x;\n" * 401, "401 lines"),
    ("70 lines", "src/net/a.cpp", "void f() {\n" + "  g();\n" * 68 + "}\n", None),
    ("71 lines", "src/net/a.cpp", "void f() {\n" + "  g();\n" * 69 + "}\n", "71 lines"),
    ("a long method", "src/net/a.cpp", "namespace n {\nclass A {\n  int f() const {\n" + LONG + "}\n};\n}\n",
     "72 lines"),
    ("a long constructor", "src/net/a.cpp", "A::A(int x) : a_{x}, b_{[] { return 1; }} {\n" + LONG + "}\n",
     "72 lines"),
    ("a long test", "tests/unit/net/a_test.cpp", "TEST(A, b) {\n" + "  g({1});\n" * 70 + "}\n", "72 lines"),
    ("a long table", "src/net/a.cpp", "constexpr int table[] = {\n" + "  1,\n" * 99 + "};\n", None),
    ("a long class", "src/net/a.cpp", "class A {\n" + "  int f() { return 1; }\n" * 99 + "};\n", None),
    ("plain await", "src/net/a.cpp", body("auto [ec, n] = co_await s.read(std::move(o));"), None),
    ("aggregate", "src/net/a.cpp", body("co_await f(Options{.a = 1});"), "an aggregate"),
    ("aggregate over lines", "src/net/a.cpp", body("auto x =\n      co_await f(O{\n          .a = 1});"),
     "an aggregate"),
    ("aggregate before await", "src/net/a.cpp", body("n = len(O{.a = s}) + co_await g();"), "an aggregate"),
    ("aggregate of its own", "src/net/a.cpp", body("O o{.a = 1};\n  co_await f(std::move(o));"), None),
    ("aggregate after an if", "src/net/a.cpp", body("if (co_await f()) g(Options{.a = 1});"), None),
    ("braced argument", "src/net/a.cpp", body('co_await f({"a", s});'), "a braced argument"),
    ("empty argument", "src/net/a.cpp", body("co_await f(a, {}, b);"), None),
    ("capture x", "src/net/a.cpp", body("co_await f([x] { return x; });"), "a capturing lambda"),
    ("capture this", "src/net/a.cpp", body("co_await f([this](int) { g(); });"), "a capturing lambda"),
    ("capture =", "src/net/a.cpp", body("co_await f([=]() { g(); });"), "a capturing lambda"),
    ("capture &", "src/net/a.cpp", body("co_await f([&] { g(); });"), "a capturing lambda"),
    ("no capture", "src/net/a.cpp", body("co_await f([] { return 1; });"), None),
    ("subscript", "src/net/a.cpp", body("co_await f(a[i], b[j](1));"), None),
    ("named lambda", "src/net/a.cpp", body("auto l = [x] { g(x); };\n  co_await f(std::move(l));"), None),
    ("conditional", "src/net/a.cpp", body("co_await g(c\n      ? a : b);"), "?: in a statement"),
    ("conditional around", "src/net/a.cpp", body("auto o = (co_await p()) ? a : b;"), "?: in a statement"),
    ("conditional in the condition", "src/net/a.cpp", body("if (a ? b : c) co_await g();"), None),
    ("question in a string", "src/net/a.cpp", body('co_await g("a?b");'), None),
    ("two awaits", "src/net/a.cpp", body("co_await g(co_await h());"), "more than one co_await"),
    ("two statements", "src/net/a.cpp", body("co_await g();\n  co_await h();"), None),
    ("await in a loop", "src/net/a.cpp", body("while (!co_await g()) x = a ? b : c;"), None),
    ("detached", "src/net/a.cpp", "void f() { co_spawn(e, g(), asio::detached); }\n", "asio::detached"),
    ("racing", "src/net/a.cpp", "#include <boost/asio/experimental/awaitable_operators.hpp>\n", "|| and &&"),
    ("header", "src/net/a.hpp", HEADER, None),
    ("header without comment", "src/net/a.hpp", "#pragma once\n", "starts with a comment"),
    ("header without guard", "src/net/a.hpp", "// What it is.\n", "#pragma once"),
    ("110 columns", "src/net/a.cpp", "// " + "x" * 107 + "\n", None),
    ("111 columns", "src/net/a.cpp", "// " + "x" * 108 + "\n", "111 columns"),
    ("110 wide characters", "src/net/a.cpp", "// " + "鸽" * 107 + "\n", None),
    ("white space", "src/net/a.cpp", "int x; \n", "white space"),
    ("tab", "src/net/a.cpp", "\tint x;\n", "a tab"),
    ("no line end", "src/net/a.cpp", "int x;", "no line end"),
    ("python too", "bench/a.py", "x = 1 \n", "white space"),
    ("scripts too", "tests/oracles/a.mjs", "let x = 1; \n", "white space"),
    ("what npm installs", "tests/oracles/node_modules/a/b.mjs", "let x = 1; \n", None),
    ("a corpus kept", "tests/fuzz/http/a_fuzz.cpp", "int x;\n", "no inputs in tests/fuzz/corpus/a_fuzz"),
    ("an orphan corpus", "tests/fuzz/corpus/b_fuzz/1", "x", "a corpus without its harness"),
] + [(f"word {word}", "src/net/a.cpp", f"// {word}: later\n", word) for word in tidy.BANNED_WORDS]


def findings_in(files):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        return tidy.check(root)[0]


class Tidy(unittest.TestCase):
    def test_every_rule_can_fail_and_can_hold(self):
        for name, path, text, expected in CASES:
            with self.subTest(name):
                findings = findings_in({path: text})
                if expected is None:
                    self.assertEqual(findings, [])
                else:
                    self.assertEqual(len(findings), 1, findings)
                    self.assertIn(expected, findings[0])
                    place = "tests/fuzz" if "corpus" in path else path
                    self.assertTrue(findings[0].startswith(place), findings)

    def test_a_corpus_with_its_harness_is_complete(self):
        files = {"tests/fuzz/http/a_fuzz.cpp": "int x;\n", "tests/fuzz/corpus/a_fuzz/1": "x"}
        self.assertEqual(findings_in(files), [])

    def test_the_line_of_a_finding_is_its_own(self):
        text = "/* a\n   b */\n" + body('log("{.");\n  co_await f(O{.a = 1});')
        self.assertTrue(findings_in({"src/net/a.cpp": text})[0].startswith("src/net/a.cpp:5:"))


if __name__ == "__main__":
    unittest.main()
