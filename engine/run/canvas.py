"""The canvas: pictures as tensors of its size, and what it holds before the first step."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from engine.spec.choices import Start
from engine.spec.job import Job, Picture, Pixels
from engine.spec.scales import Scale, Size
from engine.spec.settings import Settings

PREVIEW_SIDE = 2048
"""Pixels that a screen shows of a picture's long side; previews are less than twice as long."""

_BAND = 512
"""Rows that are turned into pixels at a time."""


def to_tensor(pixels: Pixels, size: Size, device: torch.device) -> Tensor:
    """Pixels resized (Lanczos) to a tensor (1, 3, H, W) in 0..1, float32, on a device."""
    image = Image.fromarray(pixels)
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=4.0)
    values = torch.from_numpy(np.array(image)).to(device)
    return values.permute(2, 0, 1).unsqueeze(0).float().div_(255)


def to_pixels(image: Tensor) -> Pixels:
    """A tensor (1, 3, H, W) to 8-bit pixels (H, W, 3), clamped and rounded, on the host."""
    pixels = np.empty((*image.shape[2:], 3), np.uint8)
    # Band by band, so that a large picture is not held several times over.
    for top in range(0, image.shape[2], _BAND):
        band = image.detach()[0, :, top : top + _BAND]
        levels = band.clamp(0, 1).mul_(255).round_().to(torch.uint8)
        pixels[top : top + _BAND] = levels.permute(1, 2, 0).cpu().numpy()
    return pixels


def preview(image: Tensor) -> Tensor:
    """An image (1, 3, H, W) for a screen: reduced by a whole number if it is much larger."""
    factor = max(image.shape[2:]) // PREVIEW_SIDE
    return image if factor < 2 else F.avg_pool2d(image, factor)


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
