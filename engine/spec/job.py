"""The frozen types that flow: a job goes in, progress comes out, a pastiche ends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.spec.choices import Start
from engine.spec.errors import InputError
from engine.spec.limits import HEAVIEST
from engine.spec.settings import Settings

Pixels = npt.NDArray[np.uint8]
"""An sRGB picture, shape (H, W, 3), 0..255, C-contiguous."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, upright and in sRGB.

    Attributes:
        pixels: Shape (H, W, 3), uint8, sRGB; marked read-only.
        name: What to call it in the window and in recipes, usually the file's name.
        sha256: Of the file's bytes, or of the pixels where there was no file; hexadecimal.
        path: Where it came from; None for pasted pictures.
        notes: What was done to it on the way in, one plain sentence each ("Turned upright.").
    """

    pixels: Pixels
    name: str
    sha256: str
    path: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]


@dataclass(frozen=True)
class StyleImage:
    """A painting and its share in the blend; shares are relative to each other."""

    picture: Picture
    weight: float = 1.0


@dataclass(frozen=True)
class Job:
    """Everything one pastiche is made from.

    Attributes:
        content: The photograph, or None to synthesise a texture.
        styles: At least one painting; the weights are not negative and not all zero.
        settings: All parameters.
        network_weights: The safetensors file of the network's convolutions.
        start: The picture to start from when `settings.start` is `picture`.

    Raises:
        InputError: The parts do not fit together; the message says which.
    """

    content: Picture | None
    styles: tuple[StyleImage, ...]
    settings: Settings
    network_weights: Path
    start: Picture | None = None

    def __post_init__(self) -> None:
        check_mix(tuple(style.weight for style in self.styles))
        self._check_weights()
        start = self.settings.start
        if start is Start.PICTURE and self.start is None:
            raise InputError("There is no picture to start from.", "Open one, or start from noise.")
        if start in (Start.CONTENT, Start.MIX) and self.content is None:
            raise InputError(
                "Without a content image there is nothing to start from.",
                "Set the start to noise or style-noise.",
            )

    def _check_weights(self) -> None:
        settings = self.settings
        content = settings.content_weight if self.content is not None else 0.0
        content *= sum(weight for _, weight in settings.content_layers)
        style = settings.effective_style_weight() * sum(
            weight for _, weight in settings.style_layers
        )
        if not (content or style or settings.smoothness):
            raise InputError(
                "Nothing is asked of the picture: every weight is 0.",
                "Raise the style strength, or the content or style weight.",
            )


def check_mix(weights: tuple[float, ...]) -> None:
    """Refuse style weights that blend to nothing.

    Raises:
        InputError: There is no style, a weight is negative or not finite, or all are zero.
    """
    if not weights:
        raise InputError("There is no style image.", "Add at least one painting.")
    if not all(0 <= weight <= HEAVIEST for weight in weights):
        raise InputError(f"A style's weight must be a number from 0 to {HEAVIEST:.0f}.")
    if not any(weights):
        raise InputError("All style weights are 0.", "Give at least one painting a weight.")


@dataclass(frozen=True)
class Retune:
    """Changed values for a running job: the live settings and the styles' shares."""

    settings: Settings
    style_weights: tuple[float, ...]


class Stage(StrEnum):
    """What the engine is doing."""

    PREPARING = "preparing"
    RUNNING = "running"


@dataclass(frozen=True)
class Term:
    """One weighted part of the objective: `content relu4_2`, `style relu1_1`, `smoothness`."""

    name: str
    value: float


@dataclass(frozen=True)
class Progress:
    """Where a job stands, a few times a second.

    Attributes:
        stage: Preparing (loading, encoding) or running.
        message: What is happening, or has just happened, in plain words; may be empty.
        step, steps: Optimiser steps done, and planned over all scales.
        scale, scales: The current scale from 1, and how many there are; 0 while preparing.
        size: Width and height of the canvas at this scale, pixels.
        terms: The weighted terms of the objective; their sum is `total`. Where a network looks
            from several sides, means over these.
        total: The objective's value.
        seconds: Since the job began, pauses left out.
        remaining: Estimated seconds to the end; None until it can be said honestly.
        steps_per_second: At the current scale; 0 until known.
        evaluations: Objective evaluations so far.
        memory: Bytes in use on the device, or by the process on a CPU.
        device: The device in words ("CPU, 2 threads, float32").
        frame: A copy of the pastiche as it is, or None when none was asked for.
    """

    stage: Stage
    message: str = ""
    step: int = 0
    steps: int = 0
    scale: int = 0
    scales: int = 0
    size: tuple[int, int] = (0, 0)
    terms: tuple[Term, ...] = ()
    total: float = float("nan")
    seconds: float = 0.0
    remaining: float | None = None
    steps_per_second: float = 0.0
    evaluations: int = 0
    memory: int = 0
    device: str = ""
    frame: Pixels | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, eq=False)
class Pastiche:
    """What a job made.

    Attributes:
        pixels: Shape (H, W, 3), uint8, sRGB.
        progress: The last word on steps, terms, seconds and evaluations.
        complete: False when the person stopped it early and kept what there was.
        peak_memory: Bytes, on the device or by the process.
        settings, style_weights: As they were at the end, after every retune.
        notes: What the engine did that the person should know, one sentence each.
    """

    pixels: Pixels
    progress: Progress
    complete: bool
    peak_memory: int
    settings: Settings
    style_weights: tuple[float, ...]
    notes: tuple[str, ...] = ()
