"""A C++ file as tidy's rules see it: its text, and its code with comments and literals blanked."""

import re
from pathlib import Path

FUNCTION_END = re.compile(r"(\)|\b(const|noexcept|override|final|mutable|try)|-> ?[\w:<>,&* ]+|})$")
BLOCK_WORDS = re.compile(r"\b(if|for|while|switch)\s*(constexpr\s*)?$")
OPEN, CLOSE = "([{", ")]}"
APPS = {"feishu_bot"}  # folders of tests for apps/feishu-bot


class Source:
    def __init__(self, root: Path, path: Path):
        self.path = path.relative_to(root).as_posix()
        self.text = path.read_text(encoding="utf-8")
        self.lines = self.text.split("\n")
        self.is_cpp = path.suffix in (".hpp", ".cpp")
        self.code = blank(self.text) if self.is_cpp else ""
        self.layer = layer_of(self.path)

    def line_of(self, position: int) -> int:
        return self.text.count("\n", 0, position) + 1

    def includes(self):
        """(line, name) of every #include."""
        for number, line in enumerate(self.lines, 1):
            found = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if found:
                yield number, found[1]


def layer_of(path: str) -> str:
    """The layer whose rules a file obeys; "main" for what stands above all layers, "apps" for an app."""
    parts = path.split("/")
    if parts[0] == "apps":
        return "apps"
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    if parts[0] == "tests" and len(parts) > 3 and parts[1] in ("unit", "fuzz"):
        return "apps" if parts[2] in APPS else parts[2]
    return "main" if parts[0] == "src" else "any"


LITERAL = re.compile(
    r"""//(?:\\\n|[^\n])*                                  # line comment
      | /\*.*?\*/                                           # block comment
      | R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"        # raw string
      | "(?:\\.|[^"\\\n])*"
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'                 # not a digit separator
      | ^[ \t]*\#(?:\\\n|[^\n])*                            # directive
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


def blank(text: str) -> str:
    """Comments, literals and directives become spaces; every position stays what it was.
    A literal keeps its first quote, so that it still reads as a token."""

    def spaces(found):
        kept = found[0][0] if found[0][0] in "\"'" else " "
        return kept + re.sub(r"[^\n]", " ", found[0][1:])

    return LITERAL.sub(spaces, text)


def match_forward(code: str, position: int) -> int:
    """The position of the bracket that closes the one at `position`."""
    depth = 0
    for at in range(position, len(code)):
        if code[at] in OPEN:
            depth += 1
        elif code[at] in CLOSE:
            depth -= 1
            if depth == 0:
                return at
    return len(code) - 1


def match_backward(code: str, position: int) -> int:
    depth = 0
    for at in range(position, -1, -1):
        if code[at] in CLOSE:
            depth += 1
        elif code[at] in OPEN:
            depth -= 1
            if depth == 0:
                return at
    return 0


def is_block(code: str, brace: int) -> bool:
    """Whether the `{` opens statements rather than an initialiser; clang-format's spaces tell."""
    before = code[max(0, brace - 200):brace]
    if before.endswith(")"):
        return True
    if not before[-1:].isspace():
        return False
    before = before.rstrip()
    return before[-1:] not in set("=,({") and not re.search(r"\b(co_)?(return|yield)$", before[-12:])


def is_condition(code: str, paren: int) -> bool:
    """Whether the `(` belongs to an if, for, while or switch: a statement of its own follows its `)`."""
    return bool(BLOCK_WORDS.search(code[max(0, paren - 24):paren]))


def statement_around(code: str, position: int) -> tuple:
    """(begin, end) of the full expression that contains `position`."""
    return _begin(code, position), _end(code, position)


def _begin(code: str, position: int) -> int:
    at = position - 1
    while at >= 0:
        char = code[at]
        if char == ";":
            return at + 1
        if char == "{" and is_block(code, at):
            return at + 1
        if char in CLOSE:
            opening = match_backward(code, at)
            if char == "}" and is_block(code, opening):
                return at + 1
            if char == ")" and is_condition(code, opening):
                return at + 1
            at = opening
        at -= 1
    return 0


def _end(code: str, position: int) -> int:
    at = position
    while at < len(code):
        char = code[at]
        if char in ";}" or (char == "{" and is_block(code, at)):
            return at
        if char in OPEN:
            at = match_forward(code, at)
        elif char == ")" and is_condition(code, match_backward(code, at)):
            return at
        at += 1
    return len(code)


def functions(code: str):
    """(begin, end) of every function outside another one, lambdas at namespace scope included."""
    header = at = 0
    while at < len(code):
        char = code[at]
        if char == "{":
            kind = _brace_kind(code[header:at])
            if kind == "scope":
                header = at + 1
            else:
                closing = match_forward(code, at)
                if kind == "function":
                    begin = header + len(code[header:at]) - len(code[header:at].lstrip())
                    yield begin, closing
                    header = closing + 1
                at = closing
        elif char in ";}":
            header = at + 1
        elif char == "(":
            at = match_forward(code, at)
        at += 1


def _brace_kind(header: str) -> str:
    flat = re.sub(r"\s+", " ", header).strip()
    flat = re.sub(r"^((public|private|protected):|template <[^{]*?> ?(?=class|struct)) ?", "", flat)
    if re.match(r"(inline )?namespace\b|extern \"", flat):
        return "scope"
    if re.match(r"(typedef )?(class|struct|union|enum)\b", flat) and not flat.endswith(")"):
        return "scope"
    in_initialisers = re.search(r"\)( noexcept)? :[^:]", flat)
    if in_initialisers and header[-1:] and (header[-1].isalnum() or header[-1] in "_>"):
        return "initialiser"  # Class() : member_{1} {
    if "(" in flat and FUNCTION_END.search(flat):
        return "function"
    return "initialiser"
