"""What the canvas holds before the first step: the photograph, noise, a mix, or any picture."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.run.tensors import to_tensor
from engine.spec.choices import Start
from engine.spec.heeding import Heed, heedless
from engine.spec.job import Job
from engine.spec.pictures import Picture, PictureRef, Size
from engine.spec.plan import Plan

_AT_A_TIME = 1 << 20
"""Pixels of a noise that take their colours together."""


def first_image(
    job: Job,
    plan: Plan,
    device: torch.device,
    generator: torch.Generator,
    *,
    heed: Heed = heedless,
) -> Tensor:
    """The first image at the coarsest scale, (1, 3, H, W) in 0..1.

    Args:
        job: Whose pictures.
        plan: Says the size, and which part of a start picture is used.
        device: Where it is wanted.
        generator: On the host, so that noise is the same on every device; it is moved on.
        heed: Called in between.
    """
    request, size = job.request, plan.scales[0].canvas

    def seen(ref: PictureRef | None) -> Tensor:
        assert ref is not None, "a job checks that its start exists"
        part = plan.start if ref is request.start else None
        return to_tensor(job.picture(ref).pixels, size, device, part=part, heed=heed)

    match request.settings.start:
        case Start.CONTENT:
            return seen(request.content)
        case Start.PICTURE:
            return seen(request.start)
        case Start.NOISE:
            return _white_noise(size, generator).to(device)
        case Start.STYLE_NOISE:
            return _style_noise(job, size, generator, heed).to(device)
        case Start.MIX:
            noise = _white_noise(size, generator).to(device)
            heed()
            return seen(request.content).lerp(noise, request.settings.start_noise)


def _white_noise(size: Size, generator: torch.Generator) -> Tensor:
    return torch.rand(1, 3, size[1], size[0], generator=generator)


def _style_noise(job: Job, size: Size, generator: torch.Generator, heed: Heed) -> Tensor:
    """Every pixel takes the colour of a random pixel of a style image, by the styles' shares."""
    width, height = size
    shares = torch.tensor(job.request.shares, dtype=torch.float64)
    which = torch.multinomial(shares, width * height, replacement=True, generator=generator)
    places = torch.rand(width * height, generator=generator)
    noise = torch.empty(width * height, 3)
    for begin in range(0, len(noise), _AT_A_TIME):
        heed()
        here = slice(begin, begin + _AT_A_TIME)
        for number, style in enumerate(job.request.styles):
            chosen = which[here] == number
            noise[here][chosen] = _colours_at(job.picture(style), places[here][chosen])
    return noise.T.reshape(1, 3, height, width).contiguous()


def _colours_at(picture: Picture, places: Tensor) -> Tensor:
    """Colours (N, 3) in 0..1 at places (N,) in 0..1 along the picture's pixels."""
    width, height = picture.size
    index = (places.double() * (width * height)).long().numpy()
    colours = picture.pixels.reshape(-1, 3)[index]
    return torch.from_numpy(colours).float() / 255
