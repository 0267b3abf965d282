"""Sets the sample mosaic: a tree of golden spirals over a flowering meadow."""

from collections.abc import Callable

import numpy as np
from flowlines import SCALE, Flow, normals
from noise import Field, fbm
from pigments import rgb
from PIL import Image
from spirals import Branch, Circle, grown, limb
from tesserae import Mosaic

SIDE = 760  # of the finished picture, in pixels
_WALL = 820  # of what is laid out below, in its own

_TRUNK = 410.0  # x
_FORK, _MEADOW = 470.0, 655.0  # y of the trunk's fork and of the meadow's edge

_PALE = rgb("f4e3b4", "ecd08a", "f8ecc9", "e6c474", "dfb862", "e9d9ae")
_GOLD = rgb("e2ae3c", "d8a032", "ecc052", "d09428", "f2d070", "dba63a")
_AMBER = rgb("d0902a", "c48222", "dca038", "b87a20", "cc8a2e", "e0ac48")
_BRONZE = rgb("b06a22", "c47e26", "95561e", "d49432", "a8702c", "7c6a3a")
_BARK = rgb("5e2416", "74301a", "48190f", "863c1e", "6a2a1a", "3a1712")
_COPPER = rgb("b0521e", "c86a26", "9a421a", "d2842f")
_MALACHITE = rgb("1f5a48", "2c7a5c", "174238", "3f9670", "5aa86a", "0f332f")
_TURQUOISE = rgb("3fb0a4", "63c8b8", "2a8f8c", "8fd8c6")
_RED = rgb("b8261c", "d23a24", "8f1a1c", "e0562e")
_PLUM = rgb("6a2a5a", "8a3a6e", "4a1f48")
_IVORY = rgb("f6efdc", "ece0c2", "fffaf0")
_NIGHT = rgb("18131c", "241a26", "2c2030")

_EYES = (_IVORY, _RED), (_IVORY, _NIGHT, _TURQUOISE), (_TURQUOISE, _IVORY, _NIGHT), (_RED, _GOLD)
_FLOWERS = (
    (_IVORY, _RED, _GOLD),
    (_TURQUOISE, _IVORY, _NIGHT),
    (_GOLD, _PLUM, _IVORY),
    (_RED, _GOLD, _NIGHT),
    (_IVORY, _IVORY, _GOLD),
    (_PLUM, _TURQUOISE, _IVORY),
)


def mosaic(rng: np.random.Generator) -> Image.Image:
    """The finished picture, SIDE x SIDE, RGB."""
    wall = Mosaic(_WALL, _WALL, rng)
    _set_flowers(wall, rng)
    _set_trunk(wall)
    curls = _curls(rng)
    for x, y, radius in curls:
        if radius > 48:
            _set_roundel(wall, (x, y, 0.2 * radius), _EYES[rng.integers(len(_EYES))])
    for branch in _branches(curls):
        _set_branch(wall, branch)
    _set_meadow(wall)
    _set_sky(wall)
    return wall.seen((SIDE, SIDE))


def _packed(
    circles: list[Circle],
    tries: dict[int, int],
    low: tuple[float, float],
    gap: float,
    fits: Callable[[float, float, float], bool],
    rng: np.random.Generator,
) -> list[Circle]:
    """The circles and, the large first, those of further ``{radius: tries}`` that find room.

    Args:
        circles: those that lie there already.
        tries: how often to try each radius.
        low: least x and y of a centre; the greatest are those of the wall.
        gap: least distance from circle to circle.
        fits: tells whether a place will do, from x, y and radius.
        rng: chooses the places.
    """
    circles = list(circles)
    for wanted in np.repeat(list(tries), list(tries.values())):
        x, y = rng.uniform(low, (_WALL - low[0], _WALL))
        radius = wanted * rng.uniform(0.88, 1.06)
        clear = all(np.hypot(x - u, y - v) > radius + r + gap for u, v, r in circles)
        if clear and fits(x, y, radius):
            circles.append((x, y, radius))
    return circles


def _set_roundel(wall: Mosaic, circle: Circle, palettes: tuple[Field, ...]) -> None:
    """Rings of tiles round a single stone, the palettes from without to within."""
    x, y, radius = circle
    row = radius / (len(palettes) - 0.4)
    for n, palette in enumerate(palettes[:-1]):
        wall.row(_ring(x, y, radius - (n + 0.5) * row), row, palette)
    wall.stone(_ring(x, y, 0.6 * row - 0.6)[:-1], palettes[-1])
    wall.bed()


def _ring(x: float, y: float, radius: float) -> Field:
    turn = np.linspace(0, 2 * np.pi, 8 + int(2 * radius))
    return np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], 1)


def _edge(x: Field) -> Field:
    """How far down the meadow begins, which rises to the tree."""
    return _MEADOW + 14 * np.sin(x / 130 + 1) - 20 * np.exp(-(((x - _TRUNK) / 150) ** 2))


def _set_flowers(wall: Mosaic, rng: np.random.Generator) -> None:
    def fits(x: float, y: float, radius: float) -> bool:
        before_trunk = abs(x - _TRUNK) < 50 + radius
        return y - radius > _edge(x) + (68 if before_trunk else 8)

    tries = {30: 300, 23: 600, 17: 900, 12: 1800}
    for x, y, radius in _packed([], tries, (-5, _MEADOW), 5, fits, rng):
        palettes = _FLOWERS[rng.integers(len(_FLOWERS))]
        _set_roundel(wall, (x, y, radius), palettes[: 2 if radius < 13 else 3])


def _set_meadow(wall: Mosaic) -> None:
    across = np.linspace(-10, _WALL + 10, 300)
    for n in range(19):
        palette = _GOLD if n == 0 else _TURQUOISE if n in (1, 8, 14) else _MALACHITE
        wall.row(np.stack([across, _edge(across) + 5 + 10 * n], 1), 10, palette, 1.1)
    wall.bed()


def _set_trunk(wall: Mosaic) -> None:
    _set_roundel(wall, (_TRUNK, 520, 15), (_IVORY, _TURQUOISE, _NIGHT))
    _set_roundel(wall, (_TRUNK - 3, 572, 19), (_GOLD, _RED, _NIGHT, _IVORY))
    _set_roundel(wall, (_TRUNK - 4, 632, 22), (_IVORY, _NIGHT, _TURQUOISE, _GOLD))
    run = np.linspace(0, 1, 80)
    y, lane_width = _FORK - 6 + (_WALL + 10 - _FORK) * run, 5.2 + 8.7 * run**2.2
    for lane in range(-5, 6):
        palette = _NIGHT if abs(lane) == 5 else _COPPER if lane in (-3, 0, 3) else _BARK
        x = _TRUNK + lane * lane_width + 6 * np.sin(5 * run)
        wall.row(np.stack([x, y], 1), lane_width, palette, 1.1)
    wall.bed()


def _curls(rng: np.random.Generator) -> list[Circle]:
    """Circles for the branches to curl up in: those of the three limbs, then the others."""

    def fits(x: float, y: float, radius: float) -> bool:
        off_trunk = abs(x - _TRUNK) > radius + 40 or y + radius < _FORK - 60
        return off_trunk and y + radius < _MEADOW - 12

    limbs = [(245.0, 350.0, 98.0), (578.0, 330.0, 104.0), (404.0, 205.0, 84.0)]
    tries = {84: 700, 66: 1200, 52: 2000, 42: 3200, 33: 5000, 26: 8000}
    return _packed(limbs, tries, (12, 8), 15, fits, rng)


def _branches(curls: list[Circle]) -> list[Branch]:
    """The whole tree, the limbs first."""
    up = np.float64([0, -1])
    limbs = [
        limb(np.float64([_TRUNK + lean, _FORK + 30]), up, curl, sense, width)
        for curl, lean, sense, width in zip(
            curls[:3], (-14, 14, 0), (-1, 1, 1), (24, 24, 18), strict=True
        )
    ]
    outwards = sorted(curls[3:], key=lambda curl: np.hypot(curl[0] - _TRUNK, curl[1] - _FORK + 60))
    return grown(limbs, outwards)


def _set_branch(wall: Mosaic, branch: Branch) -> None:
    path, widths = branch.path, branch.widths()
    lanes = max(1, round(widths[0] / 7))
    side = normals(path)
    for lane in range(lanes):
        aside = ((lane + 0.5) / lanes - 0.5) * widths
        palette = _COPPER if lanes > 2 and lane == lanes // 2 else _BARK
        wall.row(path + aside[:, None] * side, widths / lanes, palette, 1.3)
    wall.bed()


def _set_sky(wall: Mosaic) -> None:
    """Rows of gold that follow the branches, palest along them and in the heart of the crown."""
    taken = wall.taken()
    y, x = np.mgrid[0 : taken.shape[0], 0 : taken.shape[1]].astype(np.float32) / SCALE
    near = _nearness(taken)
    down, across = np.gradient(near)
    glow = 0.5 - np.hypot(x - _TRUNK, y - 300) / 620 + 0.9 * fbm(x / 130, y / 130, 3)
    glow += 0.5 * (near > 0.30)

    def palette_at(x: float, y: float) -> Field:
        light = glow[int(y * SCALE), int(x * SCALE)]
        bright = _PALE if light > 0.5 else _GOLD
        return bright if light > -0.05 else _AMBER if light > -0.3 else _BRONZE

    for pitch in (9.5, 5.5):
        flow = Flow(np.zeros_like(near), np.arctan2(across, -down), np.full_like(near, pitch))
        wall.fill(flow, palette_at)


def _nearness(taken: Field) -> Field:
    """How near set tiles are, (H, W): smooth, and highest where they lie."""
    rows, columns = taken.shape
    v, u = np.fft.fftfreq(2 * rows)[:, None], np.fft.rfftfreq(2 * columns)[None]
    waves = np.fft.rfft2(np.pad(taken, ((0, rows), (0, columns)), mode="reflect"))
    blur = sum(
        weight * np.exp(-((np.pi * reach * SCALE) ** 2) * (u * u + v * v))
        for reach, weight in ((6, 0.3), (18, 0.4), (60, 0.3))
    )
    near = np.fft.irfft2(waves * blur, s=(2 * rows, 2 * columns))
    return near[:rows, :columns].astype(np.float32)
