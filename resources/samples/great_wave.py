"""Draws what the sample woodcut shows: a wave about to break over a boat, under a red sun."""

from itertools import pairwise

import numpy as np
from flowlines import SCALE
from noise import Field, fbm
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 900, 640
SUN = 610, 205, 104  # x, y, radius

_BIRDS = (
    (562, 150, 46),
    (608, 124, 34),
    (652, 152, 28),
    (742, 78, 38),
    (790, 112, 26),
    (822, 62, 20),
)
_RANGE = ((330, 402), (400, 372), (450, 350), (500, 366), (560, 330), (640, 362), (740, 390))
_PEAK = ((560, 404), (640, 384), (700, 352), (752, 322), (806, 258), (862, 272), (930, 352))
# up the back of the wave and up its hollow face, from its foot to the tip of its crest
_BACK = (
    (-60, 700),
    (-40, 370),
    (40, 250),
    (130, 158),
    (240, 96),
    (345, 84),
    (425, 118),
    (470, 186),
)
_FACE = (
    (700, 622),
    (450, 556),
    (365, 492),
    (316, 410),
    (302, 322),
    (325, 240),
    (385, 184),
    (462, 192),
)
_TIP = 205  # of the 240 points on each, where the two begin to meet


class Scene:
    """Shapes laid one over another, from the back to the front, and what kind each one is."""

    def __init__(self) -> None:
        names = "region", "angle", "along", "down"
        self._layers = {n: Image.new("F", (WIDTH * SCALE, HEIGHT * SCALE)) for n in names}
        self._pens = [ImageDraw.Draw(layer) for layer in self._layers.values()]
        self._kinds = ["sky"]

    def field(self, name: str) -> Field:
        """The "region", "angle", "along" or "down" (both 0..1 over a sheet) of every texel."""
        return np.array(self._layers[name])

    def kind(self) -> Field:
        """The kind of shape that shows at every texel, (H, W)."""
        return np.array(self._kinds)[self.field("region").astype(int)]

    def shape(self, outline: Field, kind: str, x: float = 0.0, y: float = 0.0) -> None:
        """Lays a flat shape, its closed outline (N, 2) in pixels from x and y.

        All flat shapes of a kind are one region.
        """
        if kind not in self._kinds:
            self._kinds.append(kind)
        for pen, value in zip(self._pens, (self._kinds.index(kind), 0, 0, 0), strict=True):
            pen.polygon(_texels(outline + np.float64([x, y])), fill=value)

    def sheet(self, top: Field, bottom: Field, kind: str, falls: bool = False) -> None:
        """Hangs a sheet, a region of its own, between two curves, (N, 2) each.

        Cuts run along the curves, or from the one down to the other if the sheet ``falls``.
        """
        self._kinds.append(kind)
        mesh = top + np.linspace(0, 1, 33)[:, None, None] * (bottom - top)
        for k, (upper, lower) in enumerate(pairwise(mesh)):
            for n in range(len(top) - 1):
                a, b, c, d = corners = upper[n], upper[n + 1], lower[n + 1], lower[n]
                run = d + c - a - b if falls else b + c - a - d
                angle, along, down = np.arctan2(run[1], run[0]), n / len(top), k / len(mesh)
                values = len(self._kinds) - 1, angle, along, down
                for pen, value in zip(self._pens, values, strict=True):
                    pen.polygon(_texels(np.array(corners)), fill=float(value))


def great_wave(rng: np.random.Generator) -> Scene:
    """The whole drawing, WIDTH x HEIGHT pixels."""
    scene = Scene()
    _lay_distance(scene)
    _lay_swell(scene, 446, 9, 88, 0.4)
    _lay_swell(scene, 482, 14, 120, 2.2)
    _lay_boat(scene, 650, 476)
    _lay_swell(scene, 520, 17, 150, 4.0)
    _lay_wave(scene, rng)
    _lay_swell(scene, 588, 20, 190, 1.0)
    _lay_swell(scene, 628, 20, 170, 3.4)
    for x, y, span in _BIRDS:
        _lay_bird(scene, x, y, span)
    return scene


def _texels(points: Field) -> list[tuple[float, float]]:
    return [tuple(point) for point in (points * SCALE).tolist()]


def _curve(points: tuple[tuple[float, float], ...], count: int) -> Field:
    """A smooth curve through the points (Catmull and Rom's), (count, 2)."""
    p = np.float64(points)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = np.linspace(0, len(points) - 1 - 1e-9, count)
    i = t.astype(int)
    f = (t - i)[:, None]
    a, b, c, d = p[i], p[i + 1], p[i + 2], p[i + 3]
    return b + 0.5 * f * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)))


def _ring(x: float, y: float, radius: float) -> Field:
    turn = np.linspace(0, 2 * np.pi, 12 + int(radius))
    return np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], 1)


def _lay_distance(scene: Scene) -> None:
    """The sun, two ranges of mountains and the calm sea before them."""
    scene.shape(_ring(*SUN), "sun")
    for kind, points in (("range", _RANGE), ("peak", _PEAK)):
        ridge = _curve(points, 180)
        run = np.float32(ridge[:, 0])
        ridge[:, 1] += 9 * fbm(run / 26, 0 * run + 3, 3)
        foot = np.linspace((run[0] - 40, 410), (run[-1] + 60, 410), 180)
        scene.sheet(ridge, foot, kind, falls=True)
    ends = np.float64([[[-20, 402], [920, 402]], [[-20, 470], [920, 470]]])
    scene.sheet(*(np.linspace(*pair, 200) for pair in ends), "calm")


def _lay_swell(scene: Scene, level: float, height: float, length: float, phase: float) -> None:
    """A row of waves that lean to the right."""
    s = np.linspace(-80, WIDTH + 80, 260)
    height = height * (1 + 0.35 * np.sin(s / 190 + 2 * phase))
    turn = 2 * np.pi * s / length + phase + 0.8 * np.sin(s / 130 + phase)
    crest = (0.5 + 0.5 * np.cos(turn)) ** 1.8
    lean = height * (crest - 0.5 * np.sin(turn))
    top = np.stack([s + lean, level - 2 * height * crest], 1)
    scene.sheet(top, np.stack([s - 30, level + 60 + 4 * np.cos(turn)], 1), "swell")


def _lay_wave(scene: Scene, rng: np.random.Generator) -> None:
    """The great wave: its body, the claws and the foam along its crest, and the spray."""
    back, face = _curve(_BACK, 240), _curve(_FACE, 240)
    scene.sheet(back, face, "wave")
    for run in np.linspace(0.40, 1.0, 21):
        n = int(run * 239)
        inward = np.arctan2(*(face[n] - back[n])[::-1]) if n < _TIP else 1.2
        root, reach = back[n] + 0.07 * (face[n] - back[n]), 15 + 24 * run * rng.uniform(0.7, 1.1)
        _lay_claw(scene, root, inward - 0.7 + rng.normal(0, 0.2), reach, 2, rng)
    for run in np.linspace(0.80, 1.0, 7):
        root = face[int(run * 239)] - (0, 6)
        _lay_claw(scene, root, rng.normal(1.3, 0.3), 26 * run, 2, rng)
    for run in np.sort(rng.uniform(0.38, 1.0, 150)):
        n, deep = int(run * 239), rng.uniform(-0.02, 0.03 + 0.05 * run)
        place = back[n] + deep * (face[n] - back[n]) + rng.normal(0, 3, 2)
        radius = rng.uniform(5, 8) + 8 * run * rng.random()
        scene.shape(_ring(*place, radius), "ink")
        scene.shape(_ring(*place, radius - 0.6), "foam", 1.2, 1.6)
    _lay_spray(scene, back, face, rng)


def _lay_spray(scene: Scene, back: Field, face: Field, rng: np.random.Generator) -> None:
    for n in rng.integers(100, 239, 110):
        outward = np.float64((0.75, 0.3))
        if n < _TIP:
            outward = (back[n] - face[n]) / np.hypot(*(back[n] - face[n]))
        place = back[n] + (14 + rng.exponential(24)) * outward + rng.normal(0, 10, 2)
        scene.shape(_ring(*place, rng.uniform(1.1, 3.2)), "spray")


def _lay_claw(
    scene: Scene, root: Field, angle: float, reach: float, forks: int, rng: np.random.Generator
) -> None:
    """A finger of foam that hooks down and forks into smaller ones."""
    bend = rng.uniform(0.5, 1.4) / reach
    run = np.linspace(0, 1, 14)
    turn = angle + bend * reach * run
    steps = np.stack([np.cos(turn), np.sin(turn)], 1) * reach / 13
    spine = root + np.cumsum(steps, axis=0)
    normal = steps[:, ::-1] * (-1, 1) / np.hypot(*steps.T)[:, None]
    half = (0.24 * reach * (1 - run**1.5) * (1 + 0.35 * np.sin(3 * np.pi * run)))[:, None] * normal
    for swell, kind in ((1.4 * normal, "ink"), (0, "foam")):
        scene.shape(np.concatenate([spine + half + swell, (spine - half - swell)[::-1]]), kind)
    if forks:
        for n, side in ((4, 0.9), (7, -0.8)):
            start = spine[n] + 0.4 * half[n] * np.sign(side)
            smaller = reach * rng.uniform(0.45, 0.65)
            _lay_claw(scene, start, turn[n] + side, smaller, forks - 1, rng)


def _lay_boat(scene: Scene, x: float, y: float) -> None:
    sails = (
        (((0, -112), (28, -88), (42, -54), (36, -14)), (-6, -12)),
        (((-8, -104), (-26, -70), (-48, -16)), (-12, -13)),
    )
    for edge, corner in sails:
        sail = np.concatenate([_curve(edge, 30), [corner]])
        scene.shape(sail, "sail", x, y)
        for n in range(5, 30, 5):
            batten = np.array([sail[n], sail[0] + n / 29 * (sail[-1] - sail[0])])
            thick = np.concatenate([batten - (0, 1), batten[::-1] - (0, -1)])
            scene.shape(thick, "ink", x, y)
    deck = _curve(((-62, -20), (-20, -9), (20, -9), (60, -24)), 30)
    keel = _curve(((60, -24), (40, 6), (0, 14), (-42, 6), (-62, -20)), 40)
    scene.shape(np.concatenate([deck, keel]), "hull", x, y)


def _lay_bird(scene: Scene, x: float, y: float, span: float) -> None:
    upper = ((-1, -0.12), (-0.55, -0.42), (-0.12, -0.05), (0.15, -0.08), (0.5, -0.5), (1, -0.3))
    lower = ((1, -0.3), (0.5, -0.28), (0.18, 0.12), (0, 0.2), (-0.14, 0.14), (-0.55, -0.2))
    outline = np.concatenate([_curve(upper, 40), _curve(lower, 40)])
    scene.shape(outline * (0.5 * span), "ink", x, y)
