"""Square patches of pictures at all scales, varied so that few pictures teach much."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from engine.spec.errors import InputError
from engine.storage.images import OPEN_SUFFIXES, open_picture


class Pictures:
    """The pictures of a folder, as a source of random patches.

    Args:
        folder: Holds picture files; others are ignored.
        size: Side of a patch in pixels.

    Raises:
        InputError: There is no such folder, or nothing in it is a large enough picture.
    """

    def __init__(self, folder: Path, size: int) -> None:
        if not folder.is_dir():
            raise InputError(f"There is no folder {folder}.", "Give a folder of pictures.")
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in OPEN_SUFFIXES)
        loaded = [Image.fromarray(open_picture(path).pixels) for path in files]
        self._images = [image for image in loaded if min(image.size) >= size]
        self._size = size
        if not self._images:
            raise InputError(
                f"There is no picture of at least {size} px a side in {folder}.",
                "Give a folder of photographs and paintings.",
            )

    def patch(self, chance: random.Random) -> Tensor:
        """A patch (3, S, S) in 0..1: anything from a whole picture to a detail of it."""
        image = chance.choice(self._images)
        short = min(image.size)
        # Whole pictures are what the coarsest scale of a render sees, so they come often.
        target = self._size * max(1.0, short / self._size) ** (chance.random() ** 2)
        image = image.resize(
            tuple(max(self._size, round(side * target / short)) for side in image.size),
            Image.Resampling.LANCZOS,
        )
        left, top = (chance.randint(0, side - self._size) for side in image.size)
        image = image.crop((left, top, left + self._size, top + self._size))
        patch = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
        return _varied(patch, chance)


def _varied(patch: Tensor, chance: random.Random) -> Tensor:
    """The patch turned, mirrored and in other colours, these mostly mildly."""
    if chance.random() < 0.5:
        patch = patch.flip(2)
    patch = torch.rot90(patch, chance.randrange(4), (1, 2))
    if chance.random() < 0.2:
        patch = patch[chance.sample(range(3), 3)]
    if chance.random() < 0.5:
        gains = torch.tensor([chance.uniform(0.8, 1.2) for _ in range(3)]).view(3, 1, 1)
        patch = (patch.clamp(0, 1) ** chance.uniform(0.7, 1.4) * gains).clamp(0, 1)
    return patch


def disturbed(content: Tensor, style: Tensor, chance: random.Random) -> Tensor:
    """A picture as it might be met on the way from content to style, each (3, S, S).

    Noise of several grains, blends, colours moved to the style's, blur: nothing of it needs a
    network to be made.
    """
    match chance.randrange(5):
        case 0:
            result = content
        case 1:
            result = content.lerp(style, chance.uniform(0.2, 0.8))
        case 2:
            means, spreads = ([f(t) for t in (content, style)] for f in (_means, _spreads))
            recoloured = (content - means[0]) / spreads[0] * spreads[1] + means[1]
            result = content.lerp(recoloured, chance.uniform(0.5, 1))
        case 3:
            factor = chance.choice((2, 4))
            small = F.avg_pool2d(content[None], factor)
            result = F.interpolate(small, scale_factor=factor, mode="bicubic")[0]
        case _:
            result = style
    return _noisy(result, chance).clamp(0, 1)


def _noisy(image: Tensor, chance: random.Random) -> Tensor:
    if chance.random() < 0.4:
        return image
    grain = chance.choice((1, 1, 2, 4))
    side = image.shape[1] // grain
    generator = torch.Generator().manual_seed(chance.getrandbits(40))
    noise = torch.randn(1, 3, side, side, generator=generator)
    noise = F.interpolate(noise, size=image.shape[1:], mode="bicubic")[0]
    return image + noise * 10 ** chance.uniform(-2, -0.6)


def _means(image: Tensor) -> Tensor:
    return image.mean((1, 2), keepdim=True)


def _spreads(image: Tensor) -> Tensor:
    return image.std((1, 2), keepdim=True) + 0.02
