"""Bytes and seconds as a person reads them."""

from __future__ import annotations


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
