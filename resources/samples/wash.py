"""Paints the sample watercolour: anemones among leaves, wet into wet."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from noise import Field, fbm, smoothstep
from pigments import rgb
from PIL import Image
from washes import Paper, Wash

WIDTH, HEIGHT = 720, 900

_ROSE, _CORAL, _VIOLET, _LILAC = rgb("db3366", "f26b5c", "75459e", "ad85cc")
_SAP, _SAGE, _TEAL, _INDIGO, _SIENNA = rgb("668f42", "80a88c", "387a80", "2b426b", "db9e4d")

_RED, _PURPLE = (_ROSE, _CORAL), (_VIOLET, _ROSE)
_ORANGE, _PALE = (_CORAL, _ROSE), (_LILAC, _VIOLET)


@dataclass(frozen=True)
class _Flower:
    """An open anemone, in pixels and radians."""

    x: float
    y: float
    radius: float
    tilt: float  # its height as a share of its width
    turn: float
    hues: tuple[Field, Field]


# the nearest first
_FLOWERS = (
    _Flower(285, 385, 196, 0.90, 0.3, _RED),
    _Flower(560, 640, 164, 0.78, -0.5, _PURPLE),
    _Flower(190, 740, 140, 0.72, 0.5, _ORANGE),
    _Flower(560, 215, 138, 0.70, -0.7, _PALE),
    _Flower(110, 120, 118, 0.60, 0.6, _PURPLE),
    _Flower(405, 860, 92, 0.56, -0.2, _RED),
    _Flower(345, 92, 84, 0.55, 0.1, _ORANGE),
    _Flower(668, 428, 84, 0.52, 1.1, _RED),
    _Flower(30, 540, 84, 0.60, 1.2, _PALE),
    _Flower(700, 850, 80, 0.60, 0.7, _ORANGE),
    _Flower(690, 50, 70, 0.50, -0.5, _PURPLE),
)


def wash(rng: np.random.Generator) -> Image.Image:
    """The finished picture, WIDTH x HEIGHT, RGB."""
    paper = Paper(WIDTH, HEIGHT, rng)
    for layer in _layers(rng):
        paper.lay(layer)
    _flood_ground(paper)
    return paper.seen()


def _layers(rng: np.random.Generator) -> Iterator[Wash]:
    yield from _spatter(rng)
    for flower in _FLOWERS:
        yield from _stamens(flower, rng)
        yield from _petals(flower, rng)
    yield from _leaves(60, (_SAP, _TEAL), 1.15, 2.5, rng)
    yield from _leaves(80, (_TEAL, _SAGE), 0.75, 3.5, rng)
    yield from _leaves(90, (_SAGE, _LILAC), 0.42, 4.5, rng)


def _turned(angle: float) -> Field:
    """The matrix that turns points, (2, 2)."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.float64([[cos, -sin], [sin, cos]])


def _dot(spot: Field, radius: float, hues: tuple[Field, Field], load: float) -> Wash:
    turn = np.linspace(0, 2 * np.pi, 20)
    outline = spot + radius * np.stack([np.cos(turn), np.sin(turn)], 1)
    return Wash(outline, spot, radius, *hues, (load, load), soft=min(0.25 * radius, 2))


def _spatter(rng: np.random.Generator) -> Iterator[Wash]:
    for _ in range(40):
        spot, pigment = rng.uniform((0, 0), (WIDTH, HEIGHT)), (_ROSE, _INDIGO, _VIOLET)
        colour = pigment[rng.integers(3)]
        yield _dot(spot, 1.2 + rng.exponential(1.3), (colour, colour), 0.7)


def _stamens(flower: _Flower, rng: np.random.Generator) -> Iterator[Wash]:
    """The dark heart of a flower and the stamens round it."""
    centre, frame = _placed(flower)
    for angle in np.linspace(0, 2 * np.pi, 44):
        away = flower.radius * rng.choice([0.25, 0.29, 0.33]) * rng.uniform(0.94, 1.06)
        out = frame @ (away * np.cos(angle), away * np.sin(angle))
        yield _dot(centre + out, flower.radius * rng.uniform(0.011, 0.022), (_INDIGO, _INDIGO), 1.5)
        thread, half = np.linspace(centre + 0.6 * out, centre + out, 8), 0.5 * out[::-1] / away
        sides = thread + half * (1, -1), (thread - half * (1, -1))[::-1]
        yield Wash(np.concatenate(sides), centre, away, _INDIGO, _VIOLET, (0.9, 0.9), soft=0.4)
    yield _dot(centre, 0.17 * flower.radius, (_INDIGO, _VIOLET), 1.5)


def _petals(flower: _Flower, rng: np.random.Generator) -> Iterator[Wash]:
    """Six pale petals in front and six deeper ones behind them."""
    centre, frame = _placed(flower)
    for share, loads, offset in ((0.84, (0.05, 0.68), 0.0), (1.0, (0.70, 1.02), 0.5)):
        for n in rng.permutation(6):
            angle = 2 * np.pi * (n + offset) / 6 + rng.normal(0, 0.12)
            length = flower.radius * share * rng.uniform(0.88, 1.08)
            outline = _petal(length, 0.47 * length * rng.uniform(0.85, 1.1), rng)
            outline = centre + outline @ (frame @ _turned(angle)).T
            hues = flower.hues if rng.random() < 0.6 else flower.hues[::-1]
            full = loads[0], loads[1] * rng.uniform(0.75, 1.25)
            yield Wash(outline, centre, length, *hues, full, streaks=0.5, reserve=0.9)


def _placed(flower: _Flower) -> tuple[Field, Field]:
    """A flower's centre, (2,), and the matrix that turns and tilts it, (2, 2)."""
    frame = _turned(flower.turn) @ np.diag([1, flower.tilt])
    return np.float64([flower.x, flower.y]), frame


def _petal(length: float, half: float, rng: np.random.Generator) -> Field:
    """Outline of a frilled petal that points to the right, (N, 2)."""
    run = np.linspace(0, 1, 40)
    wide = half * np.sin(np.pi * run**1.35) ** 0.7
    frills = [0.05 * length * run**2 * np.sin(run * 11 + rng.uniform(0, 6)) for _ in range(2)]
    upper = np.stack([length * run, wide + frills[0]], 1)
    lower = np.stack([length * run, -wide * rng.uniform(0.8, 1.1) + frills[1]], 1)[::-1]
    notch = length * rng.uniform(0.89, 0.99) * np.float64([[1, 0]])
    return np.concatenate([upper[:-2], notch, lower[2:]])


def _leaves(
    count: int, hues: tuple[Field, Field], load: float, soft: float, rng: np.random.Generator
) -> Iterator[Wash]:
    """Leaves all over the paper, each in two halves, one of them in the light."""
    for _ in range(count):
        root = rng.uniform((-40, -40), (WIDTH + 40, HEIGHT + 40))
        length, width = rng.uniform(80, 190), rng.choice([0.05, 0.12, 0.16, 0.19])
        run = np.linspace(0, 1, 30)
        turn = rng.uniform(0, 2 * np.pi) + rng.normal(0, 0.8) * run
        ahead = np.stack([np.cos(turn), np.sin(turn)], 1)
        spine = root + np.cumsum(ahead, axis=0) * length / 30
        half = (
            ahead[:, ::-1] * (-1, 1) * (width * length * np.sin(np.pi * run**0.8) ** 0.9)[:, None]
        )
        order = hues if rng.random() < 0.5 else hues[::-1]
        for side, tone in ((1, 1.0), (-1, rng.uniform(0.45, 0.75))):
            outline = np.concatenate([spine + 0.05 * side * half, (spine + side * half)[::-1]])
            loads = 1.2 * load * tone, 0.7 * load * tone
            yield Wash(outline, root, length, *order, loads, 0.15, soft, reserve=0.85)


def _flood_ground(paper: Paper) -> None:
    """Fills what is left with four pigments that ran together, deepest low in the middle."""
    x, y = paper.x, paper.y
    warp = fbm(x / 150, y / 150, 3)
    deep = np.exp(-(((x - 400) / 300) ** 2) - ((y - 540) / 330) ** 2)
    for pigment, seed, strength in (
        (_INDIGO, 0, 0.3 + 1.0 * deep),
        (_TEAL, 30, 0.45 + 0.5 * deep),
        (_LILAC, 60, 0.8),
        (_SIENNA, 90, 0.4),
    ):
        run = fbm(x / 130 + seed + warp, y / 130 + warp, 4)
        bloom = np.exp(-np.clip(run + 0.05, 0, 1) / 0.02) * (run > -0.05)
        paper.flood(pigment, strength * (smoothstep(-0.2, 0.5, run) + 0.4 * bloom))
