"""What was typed, as values: argparse's words end here."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from engine.spec.choices import NetworkName
from engine.spec.errors import InputError
from engine.spec.wording import plain

_SHORTCUTS = ("output_size", "network", "device", "seed")
"""Settings with an option of their own, which wins over presets and `--set`."""


@dataclass(frozen=True)
class Asked:
    """What a pastiche is to be made of.

    Attributes:
        content: The photograph; None where there is to be none.
        texture: Whether it was said that there is none.
        styles: The paintings, each with its weight or without: `FILE[:WEIGHT]`.
        start: The picture to start from.
        preset: Whose settings to begin with.
        settings: What was named, by `--set` and by options of its own.
    """

    content: Path | None
    texture: bool
    styles: tuple[str, ...]
    start: Path | None
    preset: str | None
    settings: Mapping[str, str]

    @classmethod
    def of(cls, words: argparse.Namespace) -> Self:
        """From what argparse found.

        Raises:
            InputError: A `--set` has no value.
        """
        named = dict(_assignment(text) for text in words.assignments)
        for name in _SHORTCUTS:
            if (value := getattr(words, name)) is not None:
                named[name] = value
        content = words.content
        return cls(
            content=None if content in (None, "none") else Path(content),
            texture=content == "none",
            styles=tuple(words.style),
            start=words.start,
            preset=words.preset,
            settings=named,
        )


@dataclass(frozen=True)
class PlanOptions:
    """What `plan` was asked."""

    asked: Asked
    json: bool


@dataclass(frozen=True)
class RenderOptions:
    """What `render` was asked.

    Attributes:
        asked: What it is to make; beside a recipe, what is to be different.
        recipe: A picture whose recipe to make again.
        exact: Whether to refuse what would not be the very picture of the recipe.
        output: Where to save; None for a free name beside the recipe's picture.
        overwrite: Whether a file there may be replaced.
        quality: Of JPEG and WebP, 1 to 100.
        weights: The file with the network weights.
        download: Whether to fetch these if they are missing.
        json, quiet: What is printed.
    """

    asked: Asked
    recipe: Path | None
    exact: bool
    output: Path | None
    overwrite: bool
    quality: int
    weights: Path | None
    download: bool
    json: bool
    quiet: bool


@dataclass(frozen=True)
class RecipeOptions:
    """What `recipe` was asked."""

    picture: Path
    json: bool


@dataclass(frozen=True)
class DevicesOptions:
    """What `devices` was asked.

    Attributes:
        check: Whether to try every device now.
        json: What is printed.
    """

    check: bool
    json: bool


@dataclass(frozen=True)
class WeightsOptions:
    """What `weights` was asked: `download`, `import` with a file, or `path`."""

    command: str
    network: NetworkName
    file: Path | None = None


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--set {plain(text)} has no value.", "Write --set NAME=VALUE.")
    return name.strip(), value.strip()
