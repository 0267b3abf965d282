"""The scales: the canvas's sizes from coarse to fine, and each painting's size beside them."""

from __future__ import annotations

from engine.spec.errors import InputError
from engine.spec.pictures import Length, Size
from engine.spec.request import Request, size_of
from engine.spec.values import Value

SMALLEST_SIDE = 16
"""Four poolings halve the picture; a side of 16 leaves one position for the fifth stage."""


class Scale(Value):
    """One scale: the canvas, each style image's size beside it, and the steps."""

    canvas: tuple[Length, Length]
    styles: tuple[tuple[Length, Length], ...]
    steps: Length


def fitted(size: Size, long_side: float) -> Size:
    """A size of the same shape whose long side is `long_side` pixels, each side at least 1."""
    factor = long_side / max(size)
    width, height = (max(1, round(side * factor)) for side in size)
    return width, height


def plan_scales(request: Request) -> tuple[Scale, ...]:
    """All scales from the coarsest to the output size.

    Sizes are counted down from the output, so that the last is exact; a scale at which a picture
    would be too small for the network is left out.

    Raises:
        InputError: Even at the output size a picture would be too narrow; the message names it.
    """
    settings = request.settings
    shape = request.canvas_shape
    scales: list[tuple[Size, tuple[Size, ...]]] = []
    long_side = float(settings.output_size)
    while not scales or long_side >= settings.coarsest_size:
        canvas = fitted(shape, long_side)
        styles = tuple(
            fitted(size_of(style), max(canvas) * settings.stroke_size) for style in request.styles
        )
        if min(min(size) for size in (canvas, *styles)) < SMALLEST_SIDE:
            break
        scales.append((canvas, styles))
        long_side /= settings.scale_factor
    if not scales:
        raise _too_narrow(request, shape)
    return tuple(
        Scale(
            canvas=canvas,
            styles=styles,
            steps=max(1, round(settings.steps * settings.steps_falloff**level)),
        )
        for level, (canvas, styles) in enumerate(reversed(scales))
    )


def _too_narrow(request: Request, shape: Size) -> InputError:
    settings = request.settings
    canvas = f"The canvas for {request.content.name}" if request.content else "The canvas"
    sides = [(canvas, fitted(shape, settings.output_size))]
    for style in request.styles:
        size = fitted(size_of(style), settings.output_size * settings.stroke_size)
        sides.append((style.name, size))
    name, (width, height) = min(sides, key=lambda side: min(side[1]))
    return InputError(
        f"{name} would be {width} × {height} px at an output size of {settings.output_size} px; "
        f"each side needs at least {SMALLEST_SIDE}.",
        "Choose a larger output size or stroke size, or crop the picture to a fuller shape.",
    )
