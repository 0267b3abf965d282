"""Lays transparent washes on rough paper, from the front of a picture to its back."""

from dataclasses import dataclass

import numpy as np
from noise import Field, fbm, gradient_noise, smoothstep
from PIL import Image, ImageDraw, ImageFilter

SCALE = 1.5  # texels of the paper to a pixel of the picture, each way


@dataclass(frozen=True)
class Wash:
    """One puddle of paint, in pixels and radians (y runs down)."""

    outline: Field  # (N, 2)
    root: Field  # (x, y) from which the paint was drawn out
    reach: float  # how far
    pigment: Field  # colour on white paper, RGB 0..1
    second_pigment: Field  # what ran into it while it was wet
    loads: tuple[float, float]  # amount of paint at the root and at the reach
    streaks: float = 0.0  # how far the brush's hairs show, as veins away from the root
    soft: float = 3.5  # pixels over which the edge strays and bleeds
    reserve: float = 1.0  # how well the dry puddle keeps off what is laid later


class Paper:
    """Rough paper and the paint on it so far."""

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        rows, columns = round(height * SCALE), round(width * SCALE)
        self._rng = rng
        self._density = np.zeros((rows, columns, 3), np.float32)
        self._kept = np.zeros((rows, columns), np.float32)
        y, x = np.mgrid[0 : 2 * rows, 0 : 2 * columns].astype(np.float32) / SCALE
        self._ragged, self._run = fbm(x / 13, y / 13, 3, gain=0.6), fbm(x / 62 + 50, y / 62, 4)
        y, x = y[:rows, :columns], x[:rows, :columns]
        self.x, self.y = x, y
        self._tooth = 0.7 * fbm(x / 2.4, y / 2.4, 2, gain=0.7) + 0.5 * gradient_noise(x / 6, y / 6)

    def lay(self, wash: Wash) -> None:
        """Lays one wash where earlier ones do not keep it off; it may reach beyond the paper."""
        box = self._box(wash)
        if box[0].stop - box[0].start < 2 or box[1].stop - box[1].start < 2:
            return
        ragged, run = self._noise(box)
        inside = self._inside(wash, box) + 0.16 * ragged + 0.10 * run
        cover = smoothstep(0.46, 0.56, inside)
        rim = np.exp(-np.clip(inside - 0.5, 0, 1) / 0.09) * (0.7 + run)
        dx, dy = self.x[box] - wash.root[0], self.y[box] - wash.root[1]
        away = np.clip(np.hypot(dx, dy) / wash.reach, 0, 1)
        load = wash.loads[0] + away * (wash.loads[1] - wash.loads[0])
        vein = gradient_noise(9 * np.arctan2(dy, dx) + 30, 2.2 * away + 7)
        vein += 0.6 * gradient_noise(23 * np.arctan2(dy, dx), 3 * away)
        amount = load * (1 + 0.75 * run + 0.25 * ragged + wash.streaks * vein)
        amount = np.clip(amount + rim * (1.1 * load + 0.08), 0.02, None)
        amount *= cover * (1 + 0.5 * self._tooth[box]) * (1 - self._kept[box])
        share = smoothstep(-0.25, 0.45, run + 0.5 * (away - 0.5) + 0.2 * ragged)[..., None]
        first, second = -np.log(wash.pigment), -np.log(wash.second_pigment)
        self._density[box] += amount[..., None] * (first + share * (second - first))
        guard = smoothstep(0.37, 0.47, inside + 0.12 * run) * wash.reserve
        self._kept[box] = np.maximum(self._kept[box], guard)

    def flood(self, pigment: Field, amount: Field) -> None:
        """Runs paint over all the paper that is still bare, (H, W) of it in texels."""
        amount = amount * (1 + 0.5 * self._tooth) * (1 - self._kept)
        self._density += np.clip(amount, 0, None)[..., None] * -np.log(pigment)

    def seen(self) -> Image.Image:
        """The dry picture in daylight, RGB."""
        relief = np.gradient(self._tooth, axis=1) + np.gradient(self._tooth, axis=0)
        light = np.float32([0.985, 0.965, 0.925]) * (1 - 0.035 * relief[..., None])
        light = np.clip(light * np.exp(-self._density), 0, 1)
        picture = Image.fromarray((light * 255 + 0.5).astype(np.uint8))
        rows, columns = self._kept.shape
        size = round(columns / SCALE), round(rows / SCALE)
        return picture.resize(size, Image.Resampling.HAMMING)

    def _box(self, wash: Wash) -> tuple[slice, slice]:
        margin = 2 + 2.5 * wash.soft
        low = np.int32((wash.outline.min(0) - margin) * SCALE).clip(0)
        high = np.int32((wash.outline.max(0) + margin) * SCALE)
        rows, columns = self._kept.shape
        return slice(low[1], min(high[1], rows)), slice(low[0], min(high[0], columns))

    def _noise(self, box: tuple[slice, slice]) -> tuple[Field, Field]:
        shape = self._kept[box].shape
        top, left = (
            self._rng.integers(0, 2 * n - m) for n, m in zip(self._kept.shape, shape, strict=True)
        )
        part = slice(top, top + shape[0]), slice(left, left + shape[1])
        return self._ragged[part], self._run[part]

    def _inside(self, wash: Wash, box: tuple[slice, slice]) -> Field:
        """How deep within the outline each texel lies: 0 outside, 0.5 on it, 1 well inside."""
        shape = self._kept[box].shape
        image = Image.new("L", shape[::-1])
        points = wash.outline * SCALE - (box[1].start, box[0].start)
        ImageDraw.Draw(image).polygon([tuple(p) for p in points.tolist()], fill=255)
        blurred = image.filter(ImageFilter.GaussianBlur(wash.soft * SCALE))
        return np.asarray(blurred, np.float32) / 255
