"""How the demo looks on a terminal."""

import os
import sys

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


def said(who, text):
    """A line of the chat; of a long message its beginning."""
    lines = text.splitlines()
    shown = lines[:6] + ([f"… {len(lines) - 6} more lines"] if len(lines) > 6 else [])
    print(f"     {colour('36', who)}  " + "\n".join([shown[0], *(" " * 13 + line for line in shown[1:])]), flush=True)


def ms(seconds):
    if seconds < 0.0001:
        return "<0.1 ms"
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"
