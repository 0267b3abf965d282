"""Words from outside in widgets that would read more into them: markup, mnemonics, placeholders."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from engine.spec.wording import plain

_LONGEST_LINE = 1000
"""Characters of a line in a tooltip; the window itself is no wider."""


def plain_label(text: str = "") -> QLabel:
    """A label that shows what it is given, where Qt's own guesses whether that is HTML."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def tip_of(text: str) -> str:
    """A tooltip that shows these lines as they are, wrapped where they are long."""
    lines = (escape(plain(line, _LONGEST_LINE)) for line in text.split("\n"))
    return f"<p>{'<br>'.join(lines)}</p>" if text else ""


def unmarked(text: str) -> str:
    """The text of a button or menu that underlines no letter."""
    return text.replace("&", "&&")


def titled(text: str) -> str:
    """A part of a window's title that does not take the mark of unsaved changes into itself."""
    return text.replace("[*]", "[*][*]")
