"""Lays thick, bristly strokes of paint on a canvas and lights the relief they leave."""

from dataclasses import dataclass, replace

import numpy as np
from noise import Field, fbm, smoothstep
from PIL import Image

_SHEET, _FINE = 1024, 16  # texels to the side of the noise sheet, and to its unit


@dataclass(frozen=True)
class Stroke:
    """One pull of the brush along an arc, in pixels and radians (y runs down)."""

    x: float
    y: float
    angle: float
    bend: float  # radians turned per pixel
    length: float
    width: float
    colour: Field
    second_colour: Field  # what else the brush was dipped in
    body: float = 1.0  # thickness of the paint

    def scaled(self, factor: float) -> "Stroke":
        """The same stroke on a canvas with ``factor`` times as many pixels to the side."""
        return replace(
            self,
            x=self.x * factor,
            y=self.y * factor,
            bend=self.bend / factor,
            length=self.length * factor,
            width=self.width * factor,
        )


class Canvas:
    """Paint so far: its colour and its height."""

    def __init__(self, width: int, height: int, ground: Field, rng: np.random.Generator) -> None:
        self.colour = np.tile(np.float32(ground), (height, width, 1))
        self.relief = _weave(width, height)
        self._rng = rng
        y, x = np.mgrid[0:_SHEET, 0:_SHEET].astype(np.float32) / _FINE
        self._sheet = 1.4 * fbm(x, y, 2, gain=0.6)

    def lay(self, stroke: Stroke) -> None:
        """Lays one stroke over what is there; it may reach beyond the canvas."""
        reach = 0.5 * stroke.length + 0.6 * stroke.width
        rows, columns = self.relief.shape
        t, b = max(int(stroke.y - reach), 0), min(int(stroke.y + reach) + 2, rows)
        a, c = max(int(stroke.x - reach), 0), min(int(stroke.x + reach) + 2, columns)
        along, across = _brush_frame(stroke, *np.ogrid[t:b, a:c])
        inside = np.nonzero((np.abs(across) < 1.1) & (np.abs(along) < 1.15))
        if not inside[0].size:
            return
        cover, height, mix, tone = self._bristled(stroke, along[inside], across[inside])
        cell = (inside[0] + t) * columns + inside[1] + a
        paint = stroke.colour + mix[:, None] * (stroke.second_colour - stroke.colour)
        paint *= 1 + tone[:, None]
        colour, relief = self.colour.reshape(-1, 3), self.relief.reshape(-1)
        under, ground = colour[cell], relief[cell]
        colour[cell] = under + cover[:, None] * (paint - under)
        relief[cell] = ground + cover * (height - 0.65 * ground)

    def lit(self) -> Image.Image:
        """The painting under a lamp at the upper left, RGB."""
        slope_y, slope_x = np.gradient(_softened(self.relief))
        length = np.sqrt(1 + slope_x**2 + slope_y**2)
        lamp = np.float32([-0.50, -0.58, 0.64])
        facing = (-slope_x * lamp[0] - slope_y * lamp[1] + lamp[2]) / length
        halfway = lamp + np.float32([0, 0, 1])
        halfway /= np.linalg.norm(halfway)
        shine = (-slope_x * halfway[0] - slope_y * halfway[1] + halfway[2]) / length
        light = self.colour * (0.40 + 0.95 * np.clip(facing, 0, None))[..., None]
        light += 0.07 * (np.clip(shine, 0, 1) ** 24)[..., None]
        return Image.fromarray((np.clip(light, 0, 1) * 255 + 0.5).astype(np.uint8))

    def _bristled(self, stroke: Stroke, along: Field, across: Field) -> tuple[Field, ...]:
        """Cover, height, share of the second colour and change of tone across the bristles."""
        seed = self._rng.integers(0, 1 << 16)
        hairs = np.float32(max(2.0, stroke.width / 7.0))
        pull = along * np.float32(stroke.length / stroke.width)
        hair = self._hair(hairs * across, 0.35 * pull, seed)
        load = self._hair(0.9 * across, 0.25 * pull, seed + 999)
        lifted = 0.12 * self._hair(1.6 * hairs * across, 0 * along, seed + 9)
        edge = np.abs(across) + 0.12 * load
        cover = smoothstep(1.0, 0.86, edge) * smoothstep(1.0, 0.93, np.abs(along + lifted))
        dry = smoothstep(0.15, 1.0, along) * smoothstep(0.05, 0.55, hair)
        ridge = np.exp(-(((edge - 0.80) / 0.14) ** 2))
        blob = np.exp(-(((along + 0.86) / 0.12) ** 2))
        bulk = np.float32(stroke.body * stroke.width**0.6)
        height = bulk * (0.55 + 0.13 * hair + 0.26 * ridge + 0.26 * blob + 0.3 * load)
        mix = smoothstep(-0.15, 0.55, load + 0.7 * hair)
        return cover * (1 - 0.85 * dry), height, mix, 0.11 * hair - 0.04 * ridge

    def _hair(self, across: Field, along: Field, seed: int) -> Field:
        """Streaks about -1..1 about one unit long in each coordinate, read off a noise sheet."""
        row, column = (_FINE * across).astype(np.intp), (_FINE * along).astype(np.intp)
        return self._sheet.take((row * _SHEET + column + 7919 * seed) & (_SHEET * _SHEET - 1))


def _brush_frame(stroke: Stroke, rows: Field, columns: Field) -> tuple[Field, Field]:
    """Where each pixel lies along the stroke and across it, both -1..1 within the stroke."""
    dx, dy = np.float32(columns - stroke.x), np.float32(rows - stroke.y)
    cos, sin = np.float32(np.cos(stroke.angle)), np.float32(np.sin(stroke.angle))
    ahead = dx * cos + dy * sin
    bow = np.clip(stroke.bend, -1.4 / stroke.length, 1.4 / stroke.length)
    aside = dy * cos - dx * sin - np.float32(0.5 * bow) * ahead * ahead
    return ahead / np.float32(0.5 * stroke.length), aside / np.float32(0.5 * stroke.width)


def _softened(relief: Field) -> Field:
    """Relief as it settles before the paint dries."""
    for axis in (0, 1):
        relief = 0.5 * relief + 0.25 * (np.roll(relief, 1, axis) + np.roll(relief, -1, axis))
    return relief


def _weave(width: int, height: int) -> Field:
    """Relief of a plain linen weave with uneven threads."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x + 1.5 * fbm(x / 40, y / 40, 2), y + 1.5 * fbm(x / 40 + 9, y / 40, 2)
    warp, weft = np.sin(x * 1.15), np.sin(y * 1.15)
    return 0.55 * np.where(np.sin(x * 0.575) * np.sin(y * 0.575) > 0, warp**2, weft**2)
