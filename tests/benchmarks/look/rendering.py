"""Paints a pair with a variant's settings, or takes the picture that was painted before."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image, PngImagePlugin

import engine
from engine.run.stylize import stylize
from engine.spec.choices import NetworkName
from engine.spec.errors import InputError
from engine.spec.job import Job, job_of
from engine.spec.pictures import Picture, Pixels, StyleImage
from engine.storage.images import open_picture
from engine.storage.paths import replacing
from tests.benchmarks.common import returned
from tests.benchmarks.look.pairs import Pair
from tests.benchmarks.look.variants import Variant

_CHUNK = "look"
"""Where a picture's file tells how it came about."""


@dataclass(frozen=True)
class Facts:
    """What a render took; nothing is known of other programs'.

    Attributes:
        seconds: From the job's beginning to its end.
        evaluations: Of the objective.
        steps: Of the optimiser.
        device: In words.
        peak_bytes: Of memory.
        notes: What was done that nobody asked for, a sentence each.
    """

    seconds: float
    evaluations: int
    steps: int
    device: str
    peak_bytes: int
    notes: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Render:
    """A finished picture.

    Attributes:
        pixels: Shape (H, W, 3).
        file: Where it lies.
        facts: How it came about; None where that is not known.
        anew: Whether it was painted just now.
    """

    pixels: Pixels
    file: Path
    facts: Facts | None
    anew: bool


class Studio:
    """Paints and keeps pictures.

    Args:
        folder: Where they are kept.
        weights: Each network's file.
        again: Whether to paint anew what is there.
    """

    def __init__(
        self, folder: Path, weights: Mapping[NetworkName, Path], *, again: bool = False
    ) -> None:
        self._folder, self._weights, self._again = folder, weights, again

    def render(
        self, pair: Pair, variant: Variant, content: Picture, style: Picture
    ) -> Render | None:
        """The picture of a pair in a variant; None where its folder has none.

        Raises:
            InputError: A picture or a setting cannot be used.
        """
        if variant.folder is not None:
            return _finished(variant.folder, pair)
        assert variant.settings is not None
        network = variant.settings.network
        if network not in self._weights:
            raise InputError(
                f"The network {network} cannot paint {variant.label} here.",
                f"Here are: {', '.join(self._weights)}.",
            )
        weights = self._weights[network]
        job = job_of(content, [StyleImage(style)], variant.settings, network_weights=weights)
        label = re.sub(r"\W+", "-", variant.label).strip("-")
        file = self._folder / f"{pair.name}__{label}-{_digest(job)}.png"
        if file.is_file() and not self._again:
            kept = _kept(file)
            if kept is not None:
                return kept
        return _painted(job, file)


def _digest(job: Job) -> str:
    """Of all that is asked for: pictures, settings, network weights and the program's version."""
    request, weights = job.request, job.network_weights
    assert weights is not None
    pictures = [ref.sha256 for ref in request.pictures]
    settings = request.settings.model_dump(mode="json")
    asked = [pictures, settings, _sha256(weights), engine.__version__]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:10]


@functools.cache
def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _painted(job: Job, file: Path) -> Render:
    outcome = returned(stylize(job))
    if outcome.error is not None:
        raise outcome.error
    pastiche = outcome.pastiche
    assert pastiche is not None
    progress = pastiche.progress
    facts = Facts(
        progress.seconds,
        progress.evaluations,
        progress.step,
        progress.device,
        pastiche.peak_memory,
        outcome.notes,
    )
    told = PngImagePlugin.PngInfo()
    told.add_text(_CHUNK, json.dumps(asdict(facts)))
    with replacing(file, overwrite=True) as temporary:
        Image.fromarray(pastiche.pixels).save(temporary, format="png", pnginfo=told)
    return Render(pastiche.pixels, file, facts, anew=True)


def _kept(file: Path) -> Render | None:
    """A picture that was painted before; None where it does not tell how."""
    with Image.open(file) as opened:
        opened.load()
        text = getattr(opened, "text", {}).get(_CHUNK)
    if text is None:
        return None
    return Render(open_picture(file).pixels, file, Facts(**json.loads(text)), anew=False)


def _finished(folder: Path, pair: Pair) -> Render | None:
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.", "Name the folder of finished pictures.")
    for ending in (".png", ".jpg", ".jpeg", ".webp"):
        file = folder / f"{pair.name}{ending}"
        if file.is_file():
            return Render(open_picture(file).pixels, file, None, anew=False)
    return None
