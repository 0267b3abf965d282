"""Paints the sample painting: stars turning over a sunflower field, stroke by stroke."""

from collections.abc import Iterator

import numpy as np
from brushwork import Canvas, Stroke
from noise import Field, fbm, smoothstep
from PIL import Image

WIDTH, HEIGHT, OVERSAMPLING = 900, 680, 1.5

# (x, y, reach, turn) of each whirl in the sky: a positive turn runs clockwise
_WHIRLS = (
    (655, 165, 175, 1.0),
    (300, 215, 150, -1.0),
    (90, 80, 95, 1.0),
    (455, 62, 80, 1.0),
    (850, 330, 75, -1.0),
)
# (x, y, radius) of the moon and the stars
_LIGHTS = (
    (655, 165, 46),
    (90, 80, 22),
    (455, 62, 19),
    (300, 215, 24),
    (850, 330, 17),
    (195, 330, 14),
)

_VANISHING = (560, 395)  # (x, y) where the rows of the field would meet


def _rgb(*codes: str) -> Field:
    return np.float32([[int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)] for code in codes])


_NIGHT = _rgb("0d1654", "14267a", "1b3f9c", "0f2f6e", "1a1b5e", "2456b8")
_AIR = _rgb("1f8fb0", "2fb5b8", "3f8fe0", "57c5c0", "1f6fc4", "7fd6cf")
_GLOW = _rgb("fff2c4", "ffd95e", "ffb52e", "f58a1f", "ffe694", "e8701a")
_HILLS = _rgb("0e2a5c", "143f6e", "1b5f70", "2a2168", "0f4a55", "3b2f86")
_FIELD = _rgb("d98a14", "c8641a", "e8a81f", "a8481c", "b58a1e", "f0bc3a")
_LEAVES = _rgb("1f5a3a", "2f7a45", "16484a", "5a8a2e", "0f3a3c")
_PETALS = _rgb("ffc81f", "ffae14", "ffe05a", "f58f12", "ffd83a")
_SEEDS = _rgb("4a2410", "6b3413", "2f1a1c", "7d4516")


def painting(rng: np.random.Generator) -> Image.Image:
    """The finished picture, WIDTH x HEIGHT, RGB."""
    scale = OVERSAMPLING
    canvas = Canvas(round(WIDTH * scale), round(HEIGHT * scale), _rgb("8a5a2c")[0], rng)
    for width, gap in ((52, 21), (34, 17), (22, 16), (13, 19)):
        for x, y in _scattered(gap, rng):
            canvas.lay(_landscape_stroke(x, y, width, rng).scaled(scale))
    for x, y, radius in _LIGHTS:
        for stroke in _light_strokes(x, y, radius, rng):
            canvas.lay(stroke.scaled(scale))
    for x, y, radius in _sunflowers(rng):
        for stroke in _sunflower_strokes(x, y, radius, rng):
            canvas.lay(stroke.scaled(scale))
    return canvas.lit().resize((WIDTH, HEIGHT), Image.Resampling.HAMMING)


def _scattered(gap: float, rng: np.random.Generator) -> Field:
    """Points about ``gap`` pixels apart all over the canvas, in random order, (N, 2)."""
    x, y = np.meshgrid(np.arange(-gap, WIDTH + gap, gap), np.arange(-gap, HEIGHT + gap, gap))
    points = np.stack([x.ravel(), y.ravel()], axis=1) + rng.uniform(-gap, gap, (x.size, 2)) * 0.6
    return rng.permutation(points)


def _noise(x: float, y: float, size: float, octaves: int = 2) -> float:
    return float(fbm(np.float32([x / size]), np.float32([y / size]), octaves)[0])


def _skyline(x: float) -> float:
    return 418 + 26 * np.sin(x / 120 + 0.6) + 17 * np.sin(x / 47 + 2)


def _field_edge(x: float) -> float:
    return 486 + 12 * np.sin(x / 150 + 2) + 6 * np.sin(x / 60)


def _flow(x: float, y: float) -> float:
    """Angle in which the brush runs at a place."""
    if y > _field_edge(x):
        return np.arctan2(y - _VANISHING[1], x - _VANISHING[0]) + 0.5 * _noise(x, y, 90)
    if y > _skyline(x):
        return 0.54 * np.cos(x / 70 + y / 40) + 0.4 * _noise(x, y, 80)
    ahead, aside = 1.0, 0.55 * np.sin(x / 95 + y / 70) + 0.6 * _noise(x, y, 150)
    for centre_x, centre_y, reach, turn in _WHIRLS:
        dx, dy = x - centre_x, y - centre_y
        distance = np.hypot(dx, dy) + 1e-3
        pull = 5 * turn * np.exp(-((distance / reach) ** 2)) / distance
        inward = 0.22 * abs(pull)
        ahead += -dy * pull - dx * inward
        aside += dx * pull - dy * inward
    return np.arctan2(aside, ahead)


def _bend(x: float, y: float, angle: float) -> float:
    step = 8.0
    turn = _flow(x + step * np.cos(angle), y + step * np.sin(angle)) - angle
    turn = (turn + np.pi / 2) % np.pi - np.pi / 2
    return float(np.clip(turn / step, -0.04, 0.04))


def _palette_at(x: float, y: float, rng: np.random.Generator) -> Field:
    """The pigments in reach at a place, (N, 3)."""
    if y > _field_edge(x):
        rows = np.sin(14 * np.arctan2(y - _VANISHING[1], x - _VANISHING[0])) + 1.6 * _noise(
            x, y, 60
        )
        return _LEAVES if rows + 0.5 * rng.normal() < -0.55 else _FIELD
    if y > _skyline(x):
        return _HILLS if rng.random() < 0.86 else _AIR
    glow = max(np.exp(-((np.hypot(x - cx, y - cy) / (2.3 * r)) ** 2)) for cx, cy, r in _LIGHTS)
    if rng.random() < 1.25 * glow - 0.12:
        return _GLOW
    ring = max(
        np.exp(-(((np.hypot(x - cx, y - cy) - 0.62 * reach) / (0.30 * reach)) ** 2))
        for cx, cy, reach, _ in _WHIRLS
    )
    low = smoothstep(250, 420, np.float32(y))
    airy = 0.55 * ring + 0.45 * low + 0.75 * _noise(x, y, 110, 3) + 0.16
    return _AIR if rng.random() < airy else _NIGHT


def _landscape_stroke(x: float, y: float, width: float, rng: np.random.Generator) -> Stroke:
    angle = _flow(x, y) + rng.normal(0, 0.10)
    palette = _palette_at(x, y, rng)
    length = width * rng.uniform(3.0, 5.2) * (0.85 if width > 40 else 1.0)
    path = x, y, angle, _bend(x, y, angle), length
    return _dipped(rng, palette, *path, width=width * rng.uniform(0.75, 1.2))


def _dipped(
    rng: np.random.Generator, palette: Field, *path: float, width: float, body: float = 1.0
) -> Stroke:
    """A stroke along ``path`` (x, y, angle, bend, length) in two pigments, each a little off."""
    first, second = palette[rng.integers(len(palette), size=2)]
    first, second = (np.clip(c * rng.normal(1, 0.07, 3), 0, 1) for c in (first, second))
    pair = np.float32(first), np.float32(second)
    return Stroke(*path, width, *pair, body)


def _light_strokes(x: float, y: float, radius: float, rng: np.random.Generator) -> Iterator[Stroke]:
    """Rings of short strokes round a light, cream within and orange without."""
    for ring in np.arange(2.0, 0.05, -0.28):
        distance = ring * radius
        palette = _GLOW[[0, 0, 4, 1]] if ring < 0.8 else _GLOW[[1, 2, 3, 4, 5]]
        if ring > 1.6:
            palette = np.concatenate([_GLOW[[2, 3, 5]], _AIR[[1, 3, 5]]])
        for turn in np.arange(0, 2 * np.pi, max(0.28, 19 / (distance + 4))):
            turn += rng.normal(0, 0.08)
            out = distance + rng.normal(0, 0.09) * radius
            px, py = x + out * np.cos(turn), y + out * np.sin(turn)
            length = min(2.2 * distance + 8, rng.uniform(22, 50))
            path = px, py, turn + np.pi / 2 + rng.normal(0, 0.12), 1 / max(distance, 12), length
            yield _dipped(rng, palette, *path, width=rng.uniform(8, 15), body=1.35)


def _sunflowers(rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """Places and sizes of the flowers, the far ones first."""
    flowers: list[tuple[float, float, float]] = []
    for y in np.geomspace(1, 3.4, 150):
        x, y = rng.uniform(-10, WIDTH + 10), 420 + 85 * y + rng.uniform(-8, 8)
        radius = 0.155 * (y - 425) * rng.uniform(0.8, 1.15)
        if all(np.hypot(x - u, 1.2 * (y - v)) > 1.05 * (radius + r) for u, v, r in flowers):
            flowers.append((x, y, radius))
    return flowers


def _sunflower_strokes(
    x: float, y: float, radius: float, rng: np.random.Generator
) -> Iterator[Stroke]:
    """Two leaves, a stalk, two rounds of petals and the dark heart."""
    for lean in (-0.9, 0.9, 0.1):
        angle = np.pi / 2 - lean
        reach = radius * 1.5
        px, py = x + reach * np.cos(angle), y + reach * np.sin(angle)
        path = px, py, angle, 0.3 * lean / reach, 1.6 * radius
        yield _dipped(rng, _LEAVES, *path, width=0.42 * radius)
    tilt = rng.uniform(0.75, 0.95)
    for share, palette in ((0.95, _PETALS[[1, 3, 3, 0]]), (0.78, _PETALS)):
        for turn in np.arange(0, 2 * np.pi, 0.36) + rng.uniform(0, 1):
            turn += rng.normal(0, 0.1)
            px, py = np.cos(turn) * share * radius, np.sin(turn) * share * radius * tilt
            bend, length = rng.normal(0, 0.4) / radius, radius * rng.uniform(0.75, 1.0)
            path = x + px, y + py, np.arctan2(py, px), bend, length
            yield _dipped(rng, palette, *path, width=0.30 * radius, body=1.3)
    for _ in range(14):
        turn, distance = rng.uniform(0, 2 * np.pi), 0.38 * radius * np.sqrt(rng.random())
        px, py = x + distance * np.cos(turn), y + distance * np.sin(turn) * tilt
        path = px, py, turn + np.pi / 2, 0.0, 0.42 * radius
        yield _dipped(rng, _SEEDS, *path, width=0.22 * radius, body=1.2)
