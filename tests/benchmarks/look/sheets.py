"""Contact sheets for a person: a row for each pair, a column for each way to paint it."""

from __future__ import annotations

import json
import random
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.spec.errors import InputError
from engine.spec.pictures import Pixels
from engine.spec.scales import fitted
from engine.storage.paths import replacing, unreadable

ROWS = 4
"""Of a sheet at most."""

_GAP = 10
_LINE = 15
"""Height of a line of words, pixels."""

_TYPE = 12
_NARROWEST = 180
"""Pixels of a column, for the words beneath small pictures."""

_QUALITY = 93
_NO_PREFERENCE = "="


@dataclass(frozen=True, eq=False)
class Cell:
    """A picture with a label and some lines beneath; without a picture the place stays empty."""

    label: str
    pixels: Pixels | None
    lines: tuple[str, ...] = ()


SheetRow = Sequence[Cell]
"""Photograph, painting, and a cell for each column."""


def write_sheets(rows: Sequence[SheetRow], folder: Path, name: str, side: int) -> list[Path]:
    """Write sheets of at most `ROWS` rows, `NAME-1.jpg` and so on.

    Args:
        rows: As many cells each.
        folder: Where they go.
        name: What their names begin with.
        side: The long side of each picture at most, pixels; less where no pastiche is as large.
    """
    painted = (cell.pixels for row in rows for cell in row[2:] if cell.pixels is not None)
    side = min(side, max((max(pixels.shape[:2]) for pixels in painted), default=side))
    files = []
    for number, start in enumerate(range(0, len(rows), ROWS), start=1):
        file = folder / f"{name}-{number}.jpg"
        sheet = drawn(rows[start : start + ROWS], side)
        with replacing(file, overwrite=True) as temporary:
            sheet.save(temporary, format="jpeg", quality=_QUALITY, subsampling=0)
        files.append(file)
    return files


def drawn(rows: Sequence[SheetRow], side: int) -> Image.Image:
    """One sheet; no picture is larger than `side`."""
    lines = max(len(cell.lines) for row in rows for cell in row) + 1
    font = ImageFont.load_default(_TYPE)
    pictures = [[_fitted(cell.pixels, side) for cell in row] for row in rows]
    heights = [
        max((picture.height for picture in row if picture is not None), default=0)
        for row in pictures
    ]
    column_width = max(side, _NARROWEST)
    width = _GAP + len(rows[0]) * (column_width + _GAP)
    height = _GAP + sum(heights) + len(rows) * (lines * _LINE + 2 * _GAP)
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    top = _GAP
    for row, shown, tall in zip(rows, pictures, heights, strict=True):
        for column, (cell, picture) in enumerate(zip(row, shown, strict=True)):
            left = _GAP + column * (column_width + _GAP)
            if picture is not None:
                sheet.paste(picture, (left, top))
            for number, words in enumerate((cell.label, *cell.lines)):
                fitting = _shortened(words, column_width, font)
                draw.text((left, top + tall + 2 + number * _LINE), fitting, fill="black", font=font)
        top += tall + lines * _LINE + 2 * _GAP
    return sheet


def _shortened(words: str, width: int, font: Any) -> str:
    """As much of the words as fits, with dots where some are left out."""
    if font.getlength(words) <= width:
        return words
    cut = (f"{words[:length]}..." for length in range(len(words) - 1, 0, -1))
    return next((shorter for shorter in cut if font.getlength(shorter) <= width), "")


def _fitted(pixels: Pixels | None, side: int) -> Image.Image | None:
    if pixels is None:
        return None
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if max(image.size) <= side:
        return image
    return image.resize(fitted(image.size, side), Image.Resampling.LANCZOS)


def blinded(
    rows: Sequence[SheetRow], seed: int
) -> tuple[list[list[Cell]], list[dict[str, object]]]:
    """The rows with their columns shuffled and lettered, and the key that tells which is which.

    A row's photograph and painting stay; nothing beneath the pictures tells one from another.

    Args:
        rows: Photograph, painting and the columns each.
        seed: The same seed shuffles alike.

    Returns:
        The rows, and for each of them its number from 1, its pair and label by letter.
    """
    order = random.Random(seed)
    shuffled, key = [], []
    for number, (photograph, painting, *columns) in enumerate(rows, start=1):
        there = [cell for cell in columns if cell.pixels is not None]
        order.shuffle(there)
        lettered = dict(zip(string.ascii_uppercase, there, strict=False))
        cells = [Cell(letter, cell.pixels) for letter, cell in lettered.items()]
        cells += [Cell("", None)] * (len(columns) - len(cells))
        shuffled.append(
            [Cell(f"row {number}", photograph.pixels), Cell("", painting.pixels), *cells]
        )
        letters = {letter: cell.label for letter, cell in lettered.items()}
        pair = f"{photograph.label} × {painting.label}"
        key.append({"row": number, "pair": pair, "letters": letters})
    return shuffled, key


def write_key(key: Sequence[Mapping[str, object]], seed: int, file: Path) -> None:
    """Write what `revealed` reads."""
    with replacing(file, overwrite=True) as temporary:
        temporary.write_text(json.dumps({"seed": seed, "rows": list(key)}, indent=1))


def revealed(verdicts: Path, key: Path) -> tuple[Counter[str], list[tuple[int, str, str]]]:
    """What was preferred on blind sheets.

    Args:
        verdicts: `ROW LETTER` a line, `=` for no preference; `#` begins a comment.
        key: The key file of the sheets.

    Returns:
        How often each label was preferred, with 0 for those that never were and `=` for rows
        without a preference; and each row's number, pair and label.

    Raises:
        InputError: A file cannot be read, or a line names a row or letter that is not there, or a
            row twice.
    """
    rows = {row["row"]: row for row in _key_in(key)}
    counts: Counter[str] = Counter(
        {label: 0 for r in rows.values() for label in r["letters"].values()}
    )
    chosen: list[tuple[int, str, str]] = []
    for line in _text(verdicts).splitlines():
        words = line.partition("#")[0].split()
        if not words:
            continue
        row = rows.pop(int(words[0]), None) if words[0].isdecimal() else None
        letter = words[1].upper() if len(words) > 1 else ""
        if row is None or letter not in (*row["letters"], _NO_PREFERENCE):
            raise InputError(
                f"The line {line.strip()!r} of {verdicts} is no verdict.",
                "Write each row's number once, and a letter or = behind it.",
            )
        label = row["letters"].get(letter, _NO_PREFERENCE)
        counts[label] += 1
        chosen.append((row["row"], row["pair"], label))
    return counts, chosen


def _key_in(file: Path) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = json.loads(_text(file))["rows"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} is no key.", "Name the JSON beside the blind sheets.") from error
    return rows


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise unreadable(file, error) from error
