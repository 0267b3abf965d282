"""Sets glass tiles row by row in dark mortar, from the front of a picture to its back."""

from collections.abc import Callable

import numpy as np
from flowlines import SCALE, Flow, Flowlines, normals
from noise import Field, fbm
from pigments import rgb
from PIL import Image, ImageDraw

_MORTAR = rgb("332014")[0]


class Mosaic:
    """The tiles set so far; later ones are cut off where those that are bedded lie."""

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        self._size = width * SCALE, height * SCALE
        self._rng = rng
        self._tiles: list[tuple[Field, Field]] = []  # corners in pixels, and colour
        self._bedded = 0  # of the tiles
        self._taken = Image.new("L", self._size)
        self._is_taken = self._taken.load()

    def row(
        self, line: Field, width: float | Field, palette: Field, proportion: float = 1.0
    ) -> None:
        """Sets a row of tiles along a line, coloured at random from a palette.

        Args:
            line: middle of the row in pixels, (N, 2).
            width: of the row in pixels, one for all or one at each point.
            palette: colours to choose from, (K, 3), 0..1.
            proportion: length of a tile as a multiple of its width.
        """
        run = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
        width = np.broadcast_to(width, len(line))
        aside = 0.5 * width[:, None] * normals(line)
        begin = 0.0
        while begin < run[-1]:
            size = proportion * np.interp(begin, run, width) * self._rng.uniform(0.8, 1.25)
            ends = begin + 0.5, min(begin + size, run[-1] + 1) - 0.5
            middle, edge = (
                np.stack([np.interp(ends, run, part[:, k]) for k in (0, 1)], 1)
                for part in (line, aside)
            )
            edge *= np.maximum(0.8, 1 - 0.5 / np.hypot(*edge.T))[:, None]
            self.stone(np.concatenate([middle - edge, (middle + edge)[::-1]]), palette)
            begin += size

    def stone(self, corners: Field, palette: Field) -> None:
        """Sets one piece with any corners, (N, 2) in pixels, unless its middle is taken."""
        colour = palette[self._rng.integers(len(palette))]
        x, y = (int(middle) for middle in corners.mean(0) * SCALE)
        columns, rows = self._size
        if 0 <= x < columns and 0 <= y < rows and not self._is_taken[x, y]:
            corners = corners + self._rng.normal(0, 0.25, corners.shape)
            self._tiles.append((corners, colour))

    def bed(self) -> None:
        """Takes the ground of the tiles set since the last time."""
        pen = ImageDraw.Draw(self._taken)
        for corners, _ in self._tiles[self._bedded :]:
            pen.polygon(_texels(_grown(corners, 0.6)), fill=255)
        self._bedded = len(self._tiles)

    def fill(self, flow: Flow, palette_at: Callable[[float, float], Field]) -> None:
        """Fills and beds the ground that is left.

        Args:
            flow: how the rows run.
            palette_at: gives the palette of a row from the x and y of its middle.
        """
        region = np.where(self.taken() > 0, -1, flow.region)
        lines = Flowlines(Flow(region, flow.angle, flow.pitch), self._rng)
        high = np.float64(self._size) / SCALE
        for shortest, longest in ((30, 200), (10, 60), (5, 12)):
            starts = self._rng.uniform((0, 0), high, (6000, 2))
            for line in lines.drawn(starts, shortest, longest):
                self.row(line, 0.96 * lines.pitch(line), palette_at(*line[len(line) // 2]))
        self.bed()

    def taken(self) -> Field:
        """Where bedded tiles lie, (H, W) in texels, 0 or 1."""
        return np.asarray(self._taken, np.float32) / 255

    def seen(self, size: tuple[int, int]) -> Image.Image:
        """The finished wall at a size in pixels, RGB: each tile shines at its own tilt."""
        columns, rows = self._size
        wall = Image.new("RGB", self._size, _byte_colour(_MORTAR))
        pen = ImageDraw.Draw(wall)
        for corners, colour in reversed(self._tiles):
            tilt = self._rng.normal()
            lit = colour * (1 + 0.07 * tilt + 0.25 * max(0.0, tilt - 1.5))
            pen.polygon(_texels(_grown(corners, 0.6)), fill=_byte_colour(_MORTAR))
            pen.polygon(_texels(corners), fill=_byte_colour(0.72 * lit))
            pen.polygon(_texels(corners - 0.5), fill=_byte_colour(lit))
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) / SCALE
        glass = np.float32(wall) * (1 + 0.06 * fbm(x / 5, y / 5, 2)[..., None])
        picture = Image.fromarray(np.clip(glass, 0, 255).astype(np.uint8))
        return picture.resize(size, Image.Resampling.HAMMING)


def _grown(corners: Field, reach: float) -> Field:
    return corners + reach * np.sign(corners - corners.mean(0))


def _texels(points: Field) -> list[tuple[float, float]]:
    return [tuple(point) for point in (points * SCALE).tolist()]


def _byte_colour(colour: Field) -> tuple[int, ...]:
    return tuple(int(255 * share) for share in np.clip(colour, 0, 1))
