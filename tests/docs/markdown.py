"""What a test wants to know of a page of Markdown: its headings, fenced blocks, links and commands."""

import re
from dataclasses import dataclass, field

FENCE = re.compile(r"^(\s*)```(.*)$")
HEADING = re.compile(r"^(#{1,6}) (.+?)\s*$")
DIRECTIVE = re.compile(r"^<!-- test: (.+?) -->$")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`]+)`")
COMMENT = re.compile(r"(^|\s)#.*$")


@dataclass
class Block:
    """A fenced block. `words` is what stands behind the fence: the language, then words for the tests."""

    line: int
    words: list
    text: str
    directives: list = field(default_factory=list)  # of the comments <!-- test: … --> right above

    @property
    def language(self):
        return self.words[0] if self.words else ""

    def without_comments(self):
        """What both languages of a page have in common. A line's # begins a comment but in plain text."""
        lines = self.text.splitlines()
        if self.language != "text":
            lines = [COMMENT.sub("", line) for line in lines]
        return [line.rstrip() for line in lines if line.strip()]


class Page:
    def __init__(self, path):
        self.path = path
        self.headings = []  # (level, title)
        self.blocks = []
        self.links = []  # (line, target)
        self.inline = []  # (line, what stands between backticks)
        self._read(path.read_text(encoding="utf-8").splitlines())

    def _read(self, lines):
        directives, fence, number = [], None, 0
        while number < len(lines):
            line = lines[number]
            number += 1
            if found := FENCE.match(line):
                indent, fence, start, text = found[1], found[2].split(), number, []
                while number < len(lines) and lines[number].strip() != "```":
                    text.append(lines[number].removeprefix(indent))
                    number += 1
                if number == len(lines):
                    raise ValueError(f"{self.path}:{start}: a block without an end")
                number += 1
                self.blocks.append(Block(start, fence, "\n".join(text) + "\n", directives))
                directives = []
            elif found := DIRECTIVE.match(line):
                directives = [*directives, found[1]]
            elif found := HEADING.match(line):
                self.headings.append((len(found[1]), found[2]))
            else:
                self.inline += [(number, code) for code in CODE.findall(line)]
                self.links += [(number, target) for target in LINK.findall(CODE.sub("", line))]
                self.links += [(number, target) for target in LINK.findall(line)]
        if directives:
            raise ValueError(f"{self.path}: a directive without a block")
        self.links = sorted(set(self.links))

    def anchors(self):
        """What # in a link may name, as GitHub makes it of the headings."""
        names, seen = set(), {}
        for _, title in self.headings:
            title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "").lower()
            name = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
            count = seen.get(name, 0)
            seen[name] = count + 1
            names.add(f"{name}-{count}" if count else name)
        return names
