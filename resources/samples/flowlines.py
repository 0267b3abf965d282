"""Draws evenly spaced lines along a field of directions, for whatever is laid in rows."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from noise import Field
from PIL import Image, ImageDraw

SCALE = 2  # texels to a pixel of the picture, each way
_STEP = 2.0  # pixels between two points of a line


@dataclass(frozen=True)
class Flow:
    """Where the lines run, each (H, W) in texels."""

    region: Field  # whole numbers; no line runs from one region into another, none enters -1
    angle: Field  # direction of the lines, radians (y runs down)
    pitch: Field  # pixels from one line to the next


class Flowlines:
    """Lines so far, and the ground beside them that is taken."""

    def __init__(self, flow: Flow, rng: np.random.Generator) -> None:
        self._flow = flow
        self._rng = rng
        self._taken = Image.new("L", flow.region.shape[::-1])
        self._is_taken = self._taken.load()

    def drawn(self, starts: Field, shortest: float, longest: float) -> Iterator[Field]:
        """Lines from each start, (N, 2) in pixels, and then from beside each line, (M, 2) each."""
        for start in starts:
            ready = deque([start])
            while ready:
                line = self._traced(ready.popleft(), self._rng.uniform(shortest, longest))
                if len(line) * _STEP >= shortest:
                    yield line
                    ready.extend(self._fenced(line))

    def pitch(self, line: Field) -> Field:
        """Pixels from one line to the next at each point of a line."""
        columns, rows = np.int32(line * SCALE).T
        return self._flow.pitch[rows, columns]

    def _traced(self, start: Field, length: float) -> Field:
        back, ahead = (self._run(start, step, 0.5 * length) for step in (-_STEP, _STEP))
        return np.array(back[:0:-1] + ahead)

    def _run(self, start: Field, step: float, length: float) -> list[tuple[float, float]]:
        """Points one way, up to the length, a border, another line or a sharp turn."""
        (x, y), points, region, before = start, [], None, None
        rows, columns = self._flow.region.shape
        while len(points) * _STEP < length:
            i, j = int(y * SCALE), int(x * SCALE)
            if not (0 <= i < rows and 0 <= j < columns) or self._is_taken[j, i]:
                break
            here, angle = self._flow.region[i, j], self._flow.angle[i, j]
            region, before = (here, angle) if region is None else (region, before)
            if here != region or here == -1 or np.cos(angle - before) < 0.8:
                break
            before = angle
            points.append((x, y))
            x, y = x + step * np.cos(angle), y + step * np.sin(angle)
        return points

    def _fenced(self, line: Field) -> Field:
        """Takes the ground beside a line; gives the starts of its neighbours, (N, 2)."""
        pitch = self.pitch(line)
        width = round(1.72 * SCALE * float(pitch.mean()))
        points = [tuple(point) for point in (line * SCALE).tolist()]
        ImageDraw.Draw(self._taken).line(points, fill=255, width=width)
        aside = (pitch[:, None] * normals(line))[2::8]
        return np.concatenate([line[2::8] + aside, line[2::8] - aside])


def normals(line: Field) -> Field:
    """Unit vectors to the right of a line, (N, 2)."""
    tangent = np.gradient(line, axis=0)
    return tangent[:, ::-1] * (-1, 1) / np.linalg.norm(tangent, axis=1, keepdims=True)
