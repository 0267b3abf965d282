"""Cuts tapering gouge marks into a printing block along the lines that a drawing asks for."""

import numpy as np
from flowlines import SCALE, Flow, Flowlines, normals
from noise import Field
from PIL import Image, ImageDraw


class Block:
    """A block of wood, inked all over until it is cut."""

    def __init__(self, flow: Flow, tone: Field, rng: np.random.Generator) -> None:
        """Marks the block.

        Args:
            flow: where the cuts run.
            tone: share of the ink that they take away, (H, W) in texels, 0..1.
            rng: the cutter's hand.
        """
        self._lines = Flowlines(flow, rng)
        self._tone = tone
        self._rng = rng
        self._ink = Image.new("L", tone.shape[::-1], 255)

    def carve(self, starts: Field, shortest: float, longest: float) -> None:
        """Cuts from each start, (N, 2) in pixels, and beside each cut that was made."""
        for line in self._lines.drawn(starts, shortest, longest):
            self._cut(line)

    def ink(self) -> Field:
        """What still prints, (H, W), 0..1."""
        return np.asarray(self._ink, np.float32) / 255

    def _cut(self, line: Field) -> None:
        columns, rows = np.int32(line * SCALE).T
        run = np.linspace(0, 1, len(line))
        if self._rng.random() < 0.5:
            run = run[::-1]
        depth = np.minimum(1, 2.2 * run) ** 0.9 * np.minimum(1, 5 * (1 - run)) ** 0.7
        depth *= 1 + 0.10 * self._rng.normal(size=len(line))
        half = 0.5 * self._lines.pitch(line) * self._tone[rows, columns] * depth
        aside = half[:, None] * normals(line)
        outline = np.concatenate([line + aside, (line - aside)[::-1]]) * SCALE
        ImageDraw.Draw(self._ink).polygon([tuple(point) for point in outline], fill=0)
