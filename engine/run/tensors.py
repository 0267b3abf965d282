"""Pictures as tensors of the canvas's size, and tensors as pictures."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from engine.spec.heeding import Heed, heedless
from engine.spec.pictures import Pixels, Size
from engine.spec.tiles import Box

PREVIEW_SIDE = 2048
"""Pixels that a screen shows of a picture's long side; previews are less than twice as long."""

_BAND = 512
"""Rows that are turned into pixels at a time."""


def to_tensor(
    pixels: Pixels,
    size: Size,
    device: torch.device,
    *,
    part: Box | None = None,
    heed: Heed = heedless,
) -> Tensor:
    """Pixels, or a part of them, resized (Lanczos) to a tensor (1, 3, H, W) in 0..1, float32."""
    if part is not None:
        pixels = pixels[part.top : part.bottom, part.left : part.right]
    image = Image.fromarray(pixels)
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=4.0)
    heed()
    values = torch.from_numpy(np.array(image)).to(device)
    heed()
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


def resized(image: Tensor, size: Size, heed: Heed = heedless) -> Tensor:
    """A tensor (1, 3, H, W) enlarged to a size, bicubic; channel by channel, each takes long."""
    larger = image.new_empty((*image.shape[:2], *size[::-1]))
    for number in range(image.shape[1]):
        heed()
        channel = image[:, number : number + 1]
        larger[:, number : number + 1] = F.interpolate(
            channel, size=size[::-1], mode="bicubic", align_corners=False
        )
    return larger


def finest(image: Tensor) -> Tensor:
    """The finest band of an image (1, 3, H, W): what halving its sides would lose."""
    coarse = F.avg_pool2d(image, 2, ceil_mode=True, count_include_pad=False)
    return image - F.interpolate(coarse, size=image.shape[2:], mode="bilinear", align_corners=False)
