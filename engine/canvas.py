"""The canvas: sizes from coarse to fine, pictures as tensors of those sizes, the first image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from engine.choices import Start
from engine.errors import InputError
from engine.job import Job, Picture, Pixels
from engine.settings import Settings

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


def to_tensor(pixels: Pixels, size: Size, device: torch.device) -> Tensor:
    """Pixels resized (Lanczos) to a tensor (1, 3, H, W) in 0..1, float32, on a device."""
    image = Image.fromarray(pixels)
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=4.0)
    values = torch.from_numpy(np.array(image)).to(device)
    return values.permute(2, 0, 1).unsqueeze(0).float().div_(255)


def to_pixels(image: Tensor) -> Pixels:
    """A tensor (1, 3, H, W) to 8-bit pixels (H, W, 3), clamped and rounded, on the host."""
    levels = image.detach()[0].clamp(0, 1).mul(255).round_().to(torch.uint8)
    return np.ascontiguousarray(levels.permute(1, 2, 0).cpu().numpy())


def resized(image: Tensor, size: Size) -> Tensor:
    """A tensor (1, 3, H, W) enlarged to a size, bicubic."""
    return F.interpolate(image, size=size[::-1], mode="bicubic", align_corners=False)


def first_image(job: Job, scale: Scale, device: torch.device) -> Tensor:
    """What the canvas holds before the first step, (1, 3, H, W) in 0..1.

    Noise is drawn on the host from the seed, so it is the same on every device.
    """
    settings, size = job.settings, scale.canvas
    match settings.start:
        case Start.CONTENT:
            return _picture(job.content, size, device)
        case Start.PICTURE:
            return _picture(job.start, size, device)
        case Start.NOISE:
            return _white_noise(settings, size).to(device)
        case Start.STYLE_NOISE:
            return _style_noise(job, size).to(device)
        case Start.MIX:
            noise = _white_noise(settings, size).to(device)
            return _picture(job.content, size, device).lerp(noise, settings.start_noise)


def _picture(picture: Picture | None, size: Size, device: torch.device) -> Tensor:
    assert picture is not None, "a job checks that its start exists"
    return to_tensor(picture.pixels, size, device)


def _generator(settings: Settings) -> torch.Generator:
    return torch.Generator().manual_seed(settings.seed)


def _white_noise(settings: Settings, size: Size) -> Tensor:
    return torch.rand(1, 3, size[1], size[0], generator=_generator(settings))


def _style_noise(job: Job, size: Size) -> Tensor:
    """Every pixel takes the colour of a random pixel of a style image, by the styles' shares."""
    generator = _generator(job.settings)
    width, height = size
    shares = torch.tensor([style.weight for style in job.styles], dtype=torch.float64)
    which = torch.multinomial(shares, width * height, replacement=True, generator=generator)
    places = torch.rand(width * height, generator=generator)
    noise = torch.empty(width * height, 3)
    for number, style in enumerate(job.styles):
        chosen = which == number
        noise[chosen] = _colours_at(style.picture, places[chosen])
    return noise.T.reshape(1, 3, height, width).contiguous()


def _colours_at(picture: Picture, places: Tensor) -> Tensor:
    """Colours (N, 3) in 0..1 at places (N,) in 0..1 along the picture's pixels."""
    width, height = picture.size
    index = (places.double() * (width * height)).long().numpy()
    colours = picture.pixels.reshape(-1, 3)[index]
    return torch.from_numpy(colours).float() / 255
