"""Draws the conifers of the sample photograph, branch by branch, once for each kind."""

from dataclasses import dataclass

import numpy as np
from noise import Field
from PIL import Image, ImageDraw

_TALL, _WIDE, _KINDS = 720, 330, 5


class Kind:
    """One conifer's likeness, kept in every size it has been asked for."""

    def __init__(self, likeness: Image.Image) -> None:
        self._likeness = likeness
        self._sprites: dict[int, Field] = {}

    def sprite(self, rows: int) -> Field:
        """Shade and cover, both 0..1, (rows, columns, 2)."""
        if rows not in self._sprites:
            size = (max(2, round(rows * _WIDE / _TALL)), rows)
            small = np.asarray(self._likeness.resize(size, Image.Resampling.BOX), np.float32)
            self._sprites[rows] = small[..., [0, 3]] / 255
        return self._sprites[rows]


@dataclass(frozen=True)
class Stand:
    """One conifer where it stands: place, ground and height in km."""

    x: float
    z: float
    ground: float
    tall: float
    kind: Kind


def plant(places: Field, rng: np.random.Generator) -> list[Stand]:
    """Stands at ``places``, (N, 4) of x, z, ground and height, sorted far to near."""
    kinds = [Kind(_conifer(rng)) for _ in range(_KINDS)]
    places = places[np.argsort(-places[:, 1])]
    return [Stand(*map(float, place), kinds[rng.integers(_KINDS)]) for place in places]


def _conifer(rng: np.random.Generator) -> Image.Image:
    """A spruce lit from the right, its red the shade: boughs droop, the lower ones reach out."""
    tree = Image.new("RGBA", (_WIDE, _TALL), (40, 0, 0, 0))
    draw = ImageDraw.Draw(tree)
    middle = _WIDE / 2
    draw.polygon([(middle - 7, _TALL), (middle + 7, _TALL), (middle, 12)], fill=(40, 0, 0, 255))
    fullness, bare = rng.uniform(0.70, 1.0), rng.uniform(0.01, 0.07)
    gaps = rng.uniform(0.65, 1.1, 24)
    for depth in np.sort(rng.uniform(0, 1, 420) ** 0.85)[::-1]:
        y = 8 + depth * (_TALL * (1 - bare) - 20)
        side = rng.uniform(-1, 1)  # how far to the right it points, seen from the front
        reach = (5 + 158 * depth**0.9 * fullness) * gaps[int(depth * 23)] * rng.uniform(0.55, 1.05)
        droop = reach * rng.uniform(0.25, 0.55)
        shade = int(np.clip(80 + 85 * side + rng.normal(0, 20), 15, 255))
        _bough(draw, rng, (middle, y), np.sign(side) * reach * abs(side) ** 0.35, droop, shade)
    return tree


def _bough(
    draw: ImageDraw.ImageDraw,
    rng: np.random.Generator,
    root: tuple[float, float],
    length: float,
    droop: float,
    shade: int,
) -> None:
    """A bough that sags and lifts at its tip, hung with needles."""
    along = np.linspace(0, 1, 9)
    xs = root[0] + length * along
    ys = root[1] + droop * (along**0.8 - 0.35 * along**3)
    draw.line(list(zip(xs, ys, strict=True)), fill=(shade, 0, 0, 255), width=4)
    for x, y, part in zip(xs, ys, along, strict=True):
        for _ in range(3):
            tip = (x + np.sign(length) * rng.uniform(-5, 9), y + rng.uniform(5, 20) * (1.2 - part))
            tint = int(np.clip(shade + rng.normal(0, 16) - 12, 5, 255))
            draw.line([(x, y), tip], fill=(tint, 0, 0, 255), width=4)
