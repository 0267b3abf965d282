"""Which photographs are painted after which paintings."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.spec.errors import InputError
from engine.storage.paths import unreadable
from resources import SAMPLES

SHARED = Path(__file__).resolve().parents[4] / "shared"
"""Where real pictures and network weights lie beside the checkout, on some machines."""

_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"})
_SAMPLE_STYLES = ("painting.jpg", "woodcut.jpg", "mosaic.jpg", "wash.jpg")


@dataclass(frozen=True)
class Pair:
    """A photograph and a painting by their files."""

    content: Path
    style: Path

    @property
    def name(self) -> str:
        """`content__style`, as the files of its pictures begin."""
        return f"{self.content.stem}__{self.style.stem}"

    @property
    def title(self) -> str:
        """For people: `tubingen × the_scream`."""
        return f"{self.content.stem} × {self.style.stem}"


def pairs_in(given: Path | None, images: Path, count: int | None) -> list[Pair]:
    """The pairs that are asked for.

    Args:
        given: A folder with `content` and `style`, a list, or None for the samples that ship.
        images: What a list's paths begin at.
        count: How many of them; None for all. Of a folder's, each picture as often as any other.

    Raises:
        InputError: There are none, or a file is not there.
    """
    if given is None:
        pairs = [Pair(SAMPLES / "photograph.jpg", SAMPLES / style) for style in _SAMPLE_STYLES]
    elif given.is_dir():
        pairs = _of_folder(given)
    else:
        pairs = _listed(given, images)
    names = [pair.name for pair in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"Two pairs would be called {twice}.", "Rename one of their files.")
    return pairs[:count]


def _of_folder(folder: Path) -> list[Pair]:
    contents, styles = (_pictures(folder / kind) for kind in ("content", "style"))
    return [Pair(content, style) for content, style in balanced(contents, styles)]


def _pictures(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in _ENDINGS)
    if not found:
        raise InputError(
            f"There are no pictures in {folder}.", "Give a folder that holds content/ and style/."
        )
    return found


def balanced(contents: Sequence[Path], styles: Sequence[Path]) -> list[tuple[Path, Path]]:
    """All pairs, in an order in which each beginning uses the pictures of a kind equally often.

    The k-th pair takes photograph k and painting k of their rows, begun again at their ends; after
    every common round the paintings move on by one.
    """
    common = len(contents) * len(styles)
    taken: dict[tuple[Path, Path], None] = {}
    for shift, number in itertools.product(range(len(styles)), range(common)):
        pair = contents[number % len(contents)], styles[(number + shift) % len(styles)]
        taken.setdefault(pair)
        if len(taken) == common:
            break
    return list(taken)


def _listed(given: Path, images: Path) -> list[Pair]:
    try:
        lines = given.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError):
            raise unreadable(given, error) from error
        raise InputError(f"{given} is no list of pairs.", "Write two paths a line.") from error
    pairs = []
    for number, line in enumerate(lines, start=1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            words = [line]
        if not words:
            continue
        if len(words) != 2:
            raise InputError(
                f"Line {number} of {given} is no pair.",
                "Write a photograph's path and a painting's, in quotes where they have spaces.",
            )
        pairs.append(Pair(*((images / word) for word in words)))
    missing = next(
        (p for pair in pairs for p in (pair.content, pair.style) if not p.is_file()), None
    )
    if missing is not None:
        raise InputError(f"{missing} is not there.", "Name the folder of pictures with --images.")
    if not pairs:
        raise InputError(f"There is no pair in {given}.", "Write two paths a line.")
    return pairs
