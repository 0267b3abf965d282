"""Bytes, seconds and words from outside, as a person reads them."""

from __future__ import annotations

import unicodedata

_JOINERS = "\u200c\u200d"
"""Format characters that belong inside words of some scripts, and inside emoji."""

_ELLIPSIS = "…"


def plain(text: str, most: int = 100) -> str:
    """Text from outside as one line that says what it says, and does nothing else.

    Controls, marks that turn the direction of writing, and what else cannot be seen are left out;
    what is no character becomes `\ufffd`.

    Args:
        text: A name, a value that was typed, a library's complaint.
        most: Characters; what is longer loses its middle, so that a file keeps its suffix.
    """
    text = _shortened(text, 8 * most)  # however long it is, it costs no time
    seen = "".join(map(_seen, text))
    return _shortened(" ".join(seen.split()), most)


def _seen(char: str) -> str:
    """What is shown for a character: itself, a space, a stand-in, or nothing."""
    if char.isprintable() or char in _JOINERS:
        return char
    if char.isspace():
        return " "
    kind = unicodedata.category(char)
    return "" if kind in ("Cc", "Cf") else "\ufffd"


def _shortened(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    end = (most - 1) // 3
    return text[: most - 1 - end] + _ELLIPSIS + text[len(text) - end :]


def gigabytes(count: int) -> str:
    """Bytes in words a person compares: `1.3 GB`."""
    return f"{count / 1e9:.1f} GB"


def duration_text(seconds: float) -> str:
    """A duration no more exact than it deserves: "a few seconds", "25 s", "1 min 20 s", "2 h"."""
    if seconds < 7.5:
        return "a few seconds"
    if seconds < 57.5:
        return f"{_rounded(seconds, 5)} s"
    if seconds < 595:
        minutes, rest = divmod(_rounded(seconds, 10), 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    minutes = _rounded(seconds / 60, 1 if seconds < 3570 else 5)
    hours, rest = divmod(minutes, 60)
    return " ".join(
        part for part in (f"{hours} h" * bool(hours), f"{rest} min" * bool(rest)) if part
    )


def about_text(seconds: float) -> str:
    """A duration that is a guess: "a few seconds", "about 25 s"."""
    text = duration_text(seconds)
    return text if text.startswith("a ") else f"about {text}"


def _rounded(value: float, unit: int) -> int:
    return round(value / unit) * unit
