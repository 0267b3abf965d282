"""Names for what was made: telling, free, and allowed on every file system."""

from __future__ import annotations

import itertools
import os
import re
import unicodedata
from pathlib import Path

from engine.spec.wording import plain

_NAME_BYTES = 255
_LONGEST_PATH = 300


def output_name(
    folder: Path,
    *,
    content: str,
    style: str,
    preset: str,
    size: tuple[int, int],
    suffix: str = ".png",
) -> Path:
    """A path that does not exist yet: `{content}_{style}_{preset}_{width}x{height}_{seq}`.

    Args:
        folder: Where the picture will be saved.
        content: The photograph's name; its suffix is left out, and so is an empty name.
        style: The painting's name, likewise.
        preset: The preset's name; left out where empty.
        size: Width and height, pixels.
        suffix: Of the format, with its dot.
    """
    wanted = [Path(content).stem, Path(style).stem, preset]
    parts = [part for part in map(_sanitised, wanted) if part]
    return _first_free(folder, parts, f"{size[0]}x{size[1]}_", suffix)


def free_path(path: Path) -> Path:
    """The path itself if nothing is there, or else its name with the first number that is free."""
    if not os.path.lexists(path):
        return path
    return _first_free(path.parent, [_sanitised(path.stem)], "", path.suffix)


def shown_name(path: Path) -> str:
    """The file's name without its folder, in characters that can be shown and stored."""
    return plain(path.name or str(path), _NAME_BYTES)


def shown_path(path: Path) -> str:
    """A path with its folders, in characters that can be shown."""
    return plain(str(path), _LONGEST_PATH)


def _first_free(folder: Path, parts: list[str], before: str, suffix: str) -> Path:
    tails = (f"{before}{number:03}{suffix}" for number in itertools.count(1))
    paths = (folder / "_".join([*_shortened(parts, tail), tail]) for tail in tails)
    return next(path for path in paths if not os.path.lexists(path))


def _sanitised(text: str) -> str:
    """The text without what some file system forbids, or a person cannot see."""
    text = unicodedata.normalize("NFC", text)
    text = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    text = re.sub(r'[<>:"/\\|?*]', "-", text)
    return re.sub(r" +", " ", text).strip(" .-")


def _shortened(parts: list[str], tail: str) -> list[str]:
    """The parts cut to leave room for the tail: the longest first, never inside a character."""
    room = _NAME_BYTES - len(tail.encode()) - len(parts)
    sizes = [len(part.encode()) for part in parts]
    while sum(sizes) > room:
        sizes[sizes.index(max(sizes))] -= 1
    return [
        part.encode()[:size].decode(errors="ignore")
        for part, size in zip(parts, sizes, strict=True)
    ]
