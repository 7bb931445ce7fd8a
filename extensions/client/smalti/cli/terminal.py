"""Text from strangers, made harmless for a terminal.

Titles, reasons and logs are written by whoever runs jobs; a terminal obeys the escape
sequences in them. Pure functions and one small automaton; used by everything that prints.
"""

from __future__ import annotations

import re
import unicodedata

SHOWN_MOST = 300
_SGR = re.compile(r"[0-9;:]{0,60}m")
_STRINGS = frozenset("PX^_]")  # after ESC: the starts of strings that run up to a terminator
_C1_STRINGS = {"\x90", "\x98", "\x9d", "\x9e", "\x9f"}
_KEPT = frozenset("\t\n\r")
RESET = "\x1b[0m"


def clean(text: object, most: int = SHOWN_MOST) -> str:
    """Return a text as one line without anything that a terminal or reader is led astray by.

    Control characters and marks that turn the writing direction are shown as escapes.
    """
    shown = "".join(_visible(character) for character in str(text)[: most + 1])
    return shown if len(str(text)) <= most else shown[:most] + "…"


def clean_lines(text: str, most: int = 100_000) -> str:
    """The same for a text of several lines, such as a patch."""
    return "\n".join(clean(line, most) for line in text[:most].split("\n"))


def _visible(character: str) -> str:
    if character == "\t":
        return " "
    category = unicodedata.category(character)
    if category in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in {"\u200d", "\u00ad"}:
        return character.encode("unicode_escape").decode("ascii")
    return character


class LogFilter:
    """Lets a log's text through to a terminal, and of escape sequences only colours.

    Text may come in pieces cut anywhere. What is dropped is not kept, so an endless sequence
    takes no memory.
    """

    def __init__(self, *, colours: bool = True) -> None:
        self._colours = colours
        self._state = "text"
        self._sequence = ""
        self._coloured = False

    def feed(self, text: str) -> str:
        """Take the next piece; return what may be written."""
        if self._state == "text" and not _has_controls(text):
            return text
        return "".join(map(self._take, text))

    def close(self) -> str:
        """Return what ends the colours that the log has left switched on."""
        return RESET if self._coloured else ""

    def _take(self, character: str) -> str:
        if self._state == "text":
            return self._in_text(character)
        if self._state == "escape":
            return self._after_escape(character)
        if self._state == "control":
            return self._in_control(character)
        if self._state == "intermediate":
            self._state = "intermediate" if " " <= character <= "/" else "text"
            return ""
        return self._in_string(character)

    def _in_text(self, character: str) -> str:
        if character == "\x1b":
            self._state = "escape"
        elif character == "\x9b":
            self._state, self._sequence = "control", ""
        elif character in _C1_STRINGS:
            self._state = "string"
        elif character in _KEPT or unicodedata.category(character) != "Cc":
            return character
        return ""

    def _after_escape(self, character: str) -> str:
        if character == "[":
            self._state, self._sequence = "control", ""
        elif character in _STRINGS:
            self._state = "string"
        elif " " <= character <= "/":
            self._state = "intermediate"
        elif character != "\x1b":
            self._state = "text"
            return character if character in _KEPT else ""
        return ""

    def _in_control(self, character: str) -> str:
        if character == "\x1b":
            self._state = "escape"
            return ""
        if len(self._sequence) < 64:
            self._sequence += character
        if " " <= character <= "?":
            return ""
        self._state = "text"
        if character in _KEPT:  # a broken sequence must not swallow the end of a line
            return character
        if self._colours and _SGR.fullmatch(self._sequence):
            self._coloured = self._sequence not in {"m", "0m"}
            return f"\x1b[{self._sequence}"
        return ""

    def _in_string(self, character: str) -> str:
        if character == "\x1b":
            self._state = "string end"
        elif character in {"\x07", "\x9c"}:
            self._state = "text"
        elif character == "\n":
            # No honest string holds a line's end; do not let a lost terminator hide the log.
            self._state = "text"
            return character
        elif self._state == "string end":
            self._state = "text" if character == "\\" else "string"
        return ""


_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def _has_controls(text: str) -> bool:
    return _CONTROLS.search(text) is not None
