"""The pyramid: the canvas's sizes from coarse to fine, and each painting's size beside them."""

from __future__ import annotations

from dataclasses import dataclass

from engine.spec.choices import Start
from engine.spec.errors import InputError
from engine.spec.job import Job

SMALLEST_SIDE = 16
"""Four poolings halve the picture; a side of 16 leaves one position for the fifth stage."""

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True)
class Scale:
    """One level of the pyramid: the canvas, each style image's size beside it, and the steps."""

    canvas: Size
    styles: tuple[Size, ...]
    steps: int


def fitted(size: Size, long_side: float) -> Size:
    """A size of the same shape whose long side is `long_side` pixels, each side at least 1."""
    factor = long_side / max(size)
    width, height = (max(1, round(side * factor)) for side in size)
    return width, height


def plan_scales(job: Job) -> tuple[Scale, ...]:
    """The pyramid from the coarsest scale to the output size.

    Sizes are counted down from the output, so that the last is exact; a scale at which a picture
    would be too small for the network is left out.

    Raises:
        InputError: Even at the output size a picture would be too narrow; the message names it.
    """
    settings = job.settings
    shape = canvas_shape(job)
    scales: list[tuple[Size, tuple[Size, ...]]] = []
    long_side = float(settings.output_size)
    while not scales or long_side >= settings.coarsest_size:
        canvas = fitted(shape, long_side)
        styles = tuple(
            fitted(style.picture.size, max(canvas) * settings.stroke_size) for style in job.styles
        )
        if min(min(size) for size in (canvas, *styles)) < SMALLEST_SIDE:
            break
        scales.append((canvas, styles))
        long_side /= settings.scale_factor
    if not scales:
        raise _too_narrow(job, shape)
    return tuple(
        Scale(canvas, styles, max(1, round(settings.steps * settings.steps_falloff**level)))
        for level, (canvas, styles) in enumerate(reversed(scales))
    )


def canvas_shape(job: Job) -> Size:
    """The size whose proportions the pastiche takes: the content's, the start's, or a square."""
    if job.content is not None:
        return job.content.size
    if job.settings.start is Start.PICTURE and job.start is not None:
        return job.start.size
    return 1, 1


def _too_narrow(job: Job, shape: Size) -> InputError:
    settings = job.settings
    canvas = f"The canvas for {job.content.name}" if job.content else "The canvas"
    sides = [(canvas, fitted(shape, settings.output_size))]
    for style in job.styles:
        size = fitted(style.picture.size, settings.output_size * settings.stroke_size)
        sides.append((style.picture.name, size))
    name, (width, height) = min(sides, key=lambda side: min(side[1]))
    return InputError(
        f"{name} would be {width} × {height} px at an output size of {settings.output_size} px; "
        f"each side needs at least {SMALLEST_SIDE}.",
        "Choose a larger output size or stroke size, or crop the picture to a fuller shape.",
    )
