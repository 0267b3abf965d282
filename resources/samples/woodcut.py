"""Prints the sample woodcut in vermilion, jade and black."""

import numpy as np
from carving import Block
from flowlines import SCALE, Flow
from great_wave import HEIGHT, SUN, WIDTH, Scene, great_wave
from noise import Field, fbm, smoothstep
from pigments import mixed, rgb
from PIL import Image, ImageFilter

_INK, _PAPER = rgb("161418", "f1e4c9")
_VERMILION, _OCHRE, _JADE, _PALE_JADE = rgb("d43b21", "edab54", "4d8c7d", "a8c4a8")

_CLEARED = "foam", "spray", "sun", "sail", "hull"  # kinds where the black block prints nothing


def woodcut(rng: np.random.Generator) -> Image.Image:
    """The finished print, WIDTH x HEIGHT, RGB."""
    scene = great_wave(rng)
    rows, columns = HEIGHT * SCALE, WIDTH * SCALE
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) / SCALE
    kind = scene.kind()
    tone, colour = _tone_and_colour(scene, kind, x, y)
    rays = np.arctan2(y - SUN[1], x - SUN[0]) + 0.5 * fbm(x / 260, y / 260, 2)
    angle = np.where(kind == "sky", rays, scene.field("angle"))
    pitch = np.where(kind == "sky", 5.2 + 2.6 * smoothstep(100, 520, _from_sun(x, y)), 5.8)
    region = np.where(tone > 0, scene.field("region"), -1)
    block = Block(Flow(region, angle, pitch), tone, rng)
    for shortest, longest in ((40, 130), (14, 60), (7, 16)):
        block.carve(rng.uniform((0, 0), (WIDTH, HEIGHT), (6000, 2)), shortest, longest)
    ink = np.where(np.isin(kind, _CLEARED), 0, block.ink())
    ink = np.maximum(ink, _outlines(scene.field("region"), kind))
    return _printed(ink, colour, x, y)


def _from_sun(x: Field, y: Field) -> Field:
    return np.hypot(x - SUN[0], y - SUN[1])


def _tone_and_colour(scene: Scene, kind: Field, x: Field, y: Field) -> tuple[Field, Field]:
    """Share of the black that is cut away, (H, W), and the colours under it, (H, W, 3)."""
    along, down = scene.field("along"), scene.field("down")
    sun = _from_sun(x, y)
    glow = smoothstep(430, 110, sun)
    warm = mixed(_PAPER, _OCHRE, smoothstep(1.0, 0.6, glow))
    sky = np.clip(0.26 + 0.5 * glow + 0.5 * fbm(x / 260 + 4, y / 60, 3), 0.12, 0.86)
    lit = smoothstep(-0.3, 0.4, fbm(x / 38, y / 90, 2))
    snow = smoothstep(0.5, 0.3, down + 0.2 * fbm(x / 20, y / 40, 2))
    glint = np.exp(-(((x - SUN[0]) / 70) ** 2))
    crest = smoothstep(0.14, 0.06, down)
    warp = 0.35 * fbm(3.5 * down, along, 2) + 0.3 * along
    stripe = smoothstep(-0.35, 0.35, np.sin(2 * np.pi * (5.5 * down + warp)))
    mist = smoothstep(0.16, 0.22, fbm(x / 110, y / 5, 2) - 0.3 + 0.4 * (y - SUN[1]) / SUN[2])
    looks = {
        "sky": (sky, mixed(warm, _VERMILION, smoothstep(0.62, 0.18, glow))),
        "range": (0.25 + 0.45 * lit, _PALE_JADE),
        "peak": (0.2 + 0.6 * lit, mixed(_JADE, _PAPER, snow)),
        "calm": (0.35 + 0.45 * glint, mixed(_PALE_JADE, _OCHRE, glint)),
        "swell": (0.3 + 0.5 * smoothstep(0.3, 0, down), mixed(_JADE, _PAPER, crest)),
        "wave": (0.3 + 0.54 * stripe, mixed(_JADE, _PAPER, stripe)),
        "sun": (0, mixed(_VERMILION, _OCHRE, mist)),
        "hull": (0, _VERMILION),
    }
    tone, colour = np.zeros_like(x), np.tile(_PAPER, (*x.shape, 1))
    for name, (light, dye) in looks.items():
        here = kind == name
        tone[here] = np.broadcast_to(light, x.shape)[here]
        colour[here] = np.broadcast_to(dye, colour.shape)[here]
    return tone, colour


def _outlines(region: Field, kind: Field) -> Field:
    """Ink that the knife leaves standing round the shapes, (H, W), 0 or 1."""
    edge = np.zeros(region.shape, bool)
    for axis in (0, 1):
        edge |= np.diff(region, axis=axis, prepend=region.take([0], axis)) != 0
    fat = Image.fromarray(np.uint8(255 * edge)).filter(ImageFilter.MaxFilter(5))
    return (np.asarray(fat) > 0) & ~np.isin(kind, ("foam", "spray")) | (kind == "ink")


def _printed(ink: Field, colour: Field, x: Field, y: Field) -> Image.Image:
    """The blocks pulled on paper: the grain of the wood shows and the colours sit a little off."""
    grain = fbm(x / 90, y / 3.2, 3)
    colour = np.roll(colour, (-2, 3), (0, 1))
    worn = smoothstep(0.2, 0.6, fbm(x / 2.2 + 50, y / 2.2, 2) + 0.35 * grain)
    sheet = mixed(colour, _PAPER, 0.22 * worn + 0.10 * grain)
    salt = smoothstep(0.42, 0.56, fbm(x / 1.8, y / 1.8, 2) + 0.3 * fbm(x / 40, y / 40, 2))
    sheet = mixed(sheet, _INK, ink * (1 - 0.5 * salt))
    picture = Image.fromarray((np.clip(sheet, 0, 1) * 255 + 0.5).astype(np.uint8))
    return picture.resize((WIDTH, HEIGHT), Image.Resampling.HAMMING)
