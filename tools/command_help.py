#!/usr/bin/python3
"""Man pages and shell completions, made of what the programs say of themselves with --help.

    tools/command_help.py PROGRAM DIRECTORY    writes NAME.1, NAME.bash, NAME.zsh and NAME.fish there
"""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HEADINGS = {"Options:": "options", "Positionals:": "positionals", "Subcommands:": "subcommands"}
ENTRY = re.compile(r"  (?P<left>\S.*?)(?: {2,}(?P<text>\S.*))?$")
CONTINUED = re.compile(r" {20,}(?P<text>\S.*)$")
TAKES_FILE, TAKES_DIRECTORY = re.compile(r"\bFILE\b"), re.compile(r"\bDIR\b")
ROLES, TAKE_ROLES = ("server", "agent"), ("service", "doctor")  # what these commands take


@dataclass
class Command:
    """One command: its words, what --help says of it, and the commands below it."""
    words: list
    about: str = ""
    usage: str = ""
    options: list = field(default_factory=list)  # (left side, text)
    positionals: list = field(default_factory=list)
    subcommands: list = field(default_factory=list)
    footer: list = field(default_factory=list)  # lines
    children: list = field(default_factory=list)

    @property
    def path(self):
        return " ".join(self.words)

    def flags(self):
        """(names of one option, what its value is, text)"""
        for left, text in self.options:
            names, _, value = left.replace("REQUIRED", "").strip().partition(" ")
            yield names.split(","), value.strip(), text


def parse(words, text):
    """Reads what CLI11 prints: the description, Usage:, blocks of two columns, and a footer as it was written."""
    command, block, in_footer = Command(words), None, False
    for line in text.splitlines():
        if in_footer:
            command.footer.append(line)
        elif line.startswith("Usage: "):
            command.usage = line.removeprefix("Usage: ")
        elif not command.usage:
            command.about = f"{command.about} {line}".strip()
        elif line in HEADINGS:
            block = getattr(command, HEADINGS[line])
        elif not line:
            block = None
        elif block and (more := CONTINUED.match(line)):
            left, before = block[-1]
            block[-1] = (left, f"{before} {more['text']}".strip())
        elif block is not None and (entry := ENTRY.match(line)):
            block.append((entry["left"], entry["text"] or ""))
        else:
            in_footer = True
            command.footer.append(line)
    if not command.usage or not command.options:
        sys.exit(f"{' '.join(words)} --help is not understood")
    return command


def read(program, words):
    done = subprocess.run([program, *words[1:], "--help"], capture_output=True, text=True, timeout=30, check=True)
    command = parse(words, done.stdout)
    command.children = [read(program, [*words, name]) for name, _ in command.subcommands]
    return command


def everything(command):
    yield command
    for child in command.children:
        yield from everything(child)


# man(7)

def roff(text):
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace('"', "\\(dq")
    return "\\&" + escaped if escaped.startswith((".", "\\(aq")) else escaped


def entries(pairs):
    for left, text in pairs:
        yield from (".TP", f"\\fB{roff(left.replace(' REQUIRED', ''))}\\fR", roff(text) or "\\&")


def literal(lines):
    yield from (".PP", ".nf", *(roff(line) for line in lines), ".fi")


def man_page(root, version):
    name = root.words[0]
    yield f'.TH {name.upper()} 1 "" "{name} {version}" "User Commands"'
    yield from (".SH NAME", f"{name} \\- {roff(root.about.removeprefix(name + ' ').rstrip('.'))}")
    yield from (".SH SYNOPSIS", f".B {name}", roff(root.usage.removeprefix(name).strip()))
    if root.children:
        yield ".SH COMMANDS"
    for command in everything(root):
        if command is root:
            continue
        yield from (f".SS {roff(command.path)}", roff(command.about))
        yield from (".PP", f"Usage: {roff(command.usage)}")
        yield from entries(command.positionals)
        yield from entries(pair for pair in command.options if not pair[0].startswith("-h"))
        if not command.children:
            yield from literal(command.footer)
    yield ".SH OPTIONS"
    yield from entries(root.options)
    yield ".SH NOTES"
    yield from literal(root.footer)


# Completions. Each is a table of words by command, so that a shell does not have to start the program.

def shell_word(text):
    return "'" + text.replace("'", "'\\''") + "'"


def takes_role(command):
    return command.words[1:2] in [[word] for word in TAKE_ROLES] and not command.children


def words_of(command):
    words = [name for names, _, _ in command.flags() for name in names if name.startswith("--")]
    words += [name for name, _ in command.subcommands]
    return words + (list(ROLES) if takes_role(command) else [])


def bash(root):
    name = root.words[0]
    function = "_" + name.replace("-", "_")
    yield from (f"# bash completion for {name}", f"{function}() {{", "  local path=${1##*/} word words",
                '  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}',
                '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do', '    case "$path $word" in')
    paths = [command.path for command in everything(root) if command is not root]
    if paths:
        yield f"      {'|'.join(shell_word(path) for path in paths)}) path+=\" $word\" ;;"
    yield from ("    esac", "  done", "  COMPREPLY=()", '  case "$previous" in')
    values = [(names, value) for command in everything(root) for names, value, _ in command.flags() if value]
    for kind, pattern in (("-f", TAKES_FILE), ("-d", TAKES_DIRECTORY)):
        flags = sorted({name for names, value in values if pattern.search(value) for name in names})
        if flags:
            yield (f'    {"|".join(flags)}) compopt -o filenames; '
                   f'mapfile -t COMPREPLY < <(compgen {kind} -- "$current"); return ;;')
    others = sorted({name for names, value in values for name in names
                     if not TAKES_FILE.search(value) and not TAKES_DIRECTORY.search(value)})
    if others:
        yield f'    {"|".join(others)}) return ;;'
    yield from ("  esac", '  case "$path" in')
    for command in everything(root):
        yield f"    {shell_word(command.path)}) words={shell_word(' '.join(words_of(command)))} ;;"
    yield from ("  esac", '  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")', "}",
                f"complete -o default -F {function} {name}")


def zsh(root):
    name = root.words[0]
    yield from (f"#compdef {name}", "local path_now=$words[1]:t word", "local -a choices",
                "for word in ${words[2,CURRENT-1]}; do", '  case "$path_now $word" in')
    paths = [command.path for command in everything(root) if command is not root]
    if paths:
        yield f"    ({'|'.join(shell_word(path) for path in paths)}) path_now+=\" $word\" ;;"
    yield from ("  esac", "done", 'case "$path_now" in')
    for command in everything(root):
        pairs = [(flag, text) for names, _, text in command.flags() for flag in names if flag.startswith("--")]
        pairs += command.subcommands
        pairs += [(role, "") for role in ROLES if takes_role(command)]
        choices = " ".join(shell_word(word.replace(":", "\\:") + ":" + text) for word, text in pairs)
        yield f"  ({shell_word(command.path)}) choices=({choices}) ;;"
    yield from ("esac", "_describe -t commands 'command or option' choices", "_files")


def fish(root):
    name = root.words[0]
    top = [name_ for name_, _ in root.subcommands]
    for command in everything(root):
        own = command.words[1:]
        siblings = [sub for sub, _ in command.subcommands]
        tests = [f"__fish_seen_subcommand_from {word}" for word in own]
        if siblings:
            tests.append(f"not __fish_seen_subcommand_from {' '.join(siblings)}")
        condition = shell_word("; and ".join(tests)) if tests else shell_word("true")
        for names, value, text in command.flags():
            long = [flag[2:] for flag in names if flag.startswith("--")]
            takes = " -r" + ("F" if TAKES_FILE.search(value) or TAKES_DIRECTORY.search(value) else "f") if value else ""
            for flag in long:
                yield f"complete -c {name} -n {condition} -l {flag}{takes} -d {shell_word(text)}"
        for sub, text in command.subcommands:
            yield f"complete -c {name} -n {condition} -f -a {sub} -d {shell_word(text)}"
        if takes_role(command):
            yield f"complete -c {name} -n {condition} -f -a {shell_word(' '.join(ROLES))}"
    if top:
        yield f"complete -c {name} -n {shell_word('not __fish_seen_subcommand_from ' + ' '.join(top))} -f"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, directory = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    version = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    root = read(program, [program.name])
    directory.mkdir(parents=True, exist_ok=True)
    for ending, lines in (("1", man_page(root, version.split()[-1])), ("bash", bash(root)), ("zsh", zsh(root)),
                          ("fish", fish(root))):
        (directory / f"{program.name}.{ending}").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
