"""Renders the sample photograph: a mountain lake at evening, marched over a heightfield."""

from dataclasses import dataclass

import numpy as np
from conifers import Stand, plant
from evening import haze, sky
from noise import Field, fbm, ridged, smoothstep
from PIL import Image
from terrain import CELL, carved_terrain, places, sampled

WIDTH, HEIGHT, OVERSAMPLING = 960, 640, 2
_W, _H = WIDTH * OVERSAMPLING, HEIGHT * OVERSAMPLING
_FOCAL = 0.98 * _W
_HORIZON = int(0.60 * _H)
_EYE = 0.03  # km above the lake
_TO_SUN = np.float32([0.90, 0.34, 0.06]) / np.float32(0.964)
_SUNLIGHT = np.float32([3.3, 1.95, 0.98])
_SKYLIGHT = np.float32([0.26, 0.37, 0.62])
# (x, z, reach along x, reach along z, height) in km of the banks before the far shore
_BANKS = ((0.30, 0.56, 0.24, 0.09, 0.009), (-0.085, 0.100, 0.055, 0.035, 0.006))
_HUT = (0.155, 0.535)


def photograph(rng: np.random.Generator) -> Image.Image:
    """The finished picture, WIDTH x HEIGHT, RGB."""
    land = _survey(carved_terrain(rng))
    stands = _forest(land, rng)
    profiles = _profiles(land)
    above = sky(_COLUMN_TANGENT, _ROW_TANGENT[:_HORIZON])
    above = np.pad(above, ((0, _H - _HORIZON), (0, 0), (0, 0)))
    seen, depth = _view(land, profiles, stands, above, _EYE)
    mirrored, _ = _view(land, profiles, stands, above, -_EYE)
    light = np.where((depth == _WATER)[..., None], _water(mirrored), seen)
    exposed = np.clip(1.05 * light * _vignette(), 0, None)
    film = exposed * (2.51 * exposed + 0.03) / (exposed * (2.43 * exposed + 0.59) + 0.14)
    film = np.clip(film, 0, 1) ** (1 / 2.2)
    film += 0.30 * (smoothstep(0, 1, film) - film)
    film += rng.normal(0, 0.012, (_H, _W, 1)).astype(np.float32)
    picture = Image.fromarray((np.clip(film, 0, 1) * 255 + 0.5).astype(np.uint8))
    return picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


Profiles = list[tuple[Field, Field]]


@dataclass(frozen=True)
class Land:
    """What the map holds for each cell: height in km, share of sun 0..1, hollowness."""

    height: Field
    sunlit: Field
    hollow: Field


_COLUMN_TANGENT = (np.arange(_W, dtype=np.float32) - _W / 2 + 0.5) / _FOCAL
_ROW_TANGENT = (_HORIZON - np.arange(_H, dtype=np.float32) - 0.5) / _FOCAL
_WATER, _SKY = np.float32(1e3), np.float32(1e4)


def _height(land: Land, x: Field, z: Field) -> Field:
    """Height in km, with crags finer than the map and the near banks."""
    ground = sampled(land.height, x, z)
    crags = 0.030 * ridged(17 * x, 17 * z, 4) + 0.006 * fbm(160 * x, 160 * z, 2)
    ground += smoothstep(0.03, 0.7, ground) * (crags - 0.012)
    for centre_x, centre_z, reach_x, reach_z, height in _BANKS:
        distance = ((x - centre_x) / reach_x) ** 2 + ((z - centre_z) / reach_z) ** 2
        near = distance < 2
        bumps = fbm(55 * x[near], 55 * z[near], 4)
        bank = height * (1 - distance[near] + 0.8 * bumps)
        ground[near] = np.maximum(ground[near], bank)
    return ground


def _profiles(land: Land) -> Profiles:
    """Depths and the heights there in each column's direction, (D,) and (D, W).

    The near banks and the far land come apart, as a mirrored ray may pass beneath a bank.
    """
    ranges = np.geomspace(0.06, 1.0, 240), np.geomspace(2.0, 13, 1400)
    profiles = []
    for z in (depths.astype(np.float32)[:, None] for depths in ranges):
        x = z * _COLUMN_TANGENT
        profiles.append((z[:, 0], _height(land, x, z + 0 * x)))
    return profiles


def _view(
    land: Land, profiles: Profiles, stands: list[Stand], above: Field, eye: float
) -> tuple[Field, Field]:
    """Light and depth (H, W) seen from ``eye`` km above the lake, or mirrored in it if negative."""
    depth = np.full((_H, _W), _SKY)
    with np.errstate(divide="ignore"):
        to_water = (_EYE / np.abs(_ROW_TANGENT))[:, None]
    for z, height in profiles:
        skyline = np.where(height > 0, (height - eye) / z[:, None], -np.inf)
        np.maximum.accumulate(skyline, axis=0, out=skyline)
        reach = np.append(z, _SKY)
        hit = np.stack([reach[np.searchsorted(line, _ROW_TANGENT)] for line in skyline.T], axis=1)
        if eye < 0:
            hit[hit < np.minimum(to_water, 1.5)] = _SKY
        np.minimum(depth, hit, out=depth)
    if eye > 0:
        below = (_ROW_TANGENT < 0)[:, None] & (depth > to_water)
        depth[below] = _WATER
    light = above.copy()
    rows, columns = np.nonzero(depth < _WATER)
    far = depth[rows, columns]
    light[rows, columns] = _ground_light(
        land, far * _COLUMN_TANGENT[columns], far, _COLUMN_TANGENT[columns]
    )
    _hut(light, depth, eye)
    for stand in stands:
        _draw(stand, light, depth, eye)
    return light, depth


def _ground_light(land: Land, x: Field, z: Field, tangent: Field) -> Field:
    """Colour of the ground at each place, lit and veiled by the air, (N, 3)."""
    step = np.float32(0.0035)
    height = _height(land, x, z)
    slope_x = (_height(land, x + step, z) - height) / step
    slope_z = (_height(land, x, z + step) - height) / step
    length = np.sqrt(1 + slope_x**2 + slope_z**2)
    upright = 1 / length
    facing = (-slope_x * _TO_SUN[0] + _TO_SUN[1] - slope_z * _TO_SUN[2]) / length
    hollow = sampled(land.hollow, x, z)
    patches = fbm(5 * x, 5 * z, 5)
    grass = fbm(400 * x, 400 * z, 4, gain=0.7)
    strata = fbm(3 * x + 9, 60 * height + 4 * patches, 3)

    rock = np.float32([0.150, 0.128, 0.118]) * (1 + 0.75 * strata + 0.4 * patches)[:, None]
    meadow = np.float32([0.085, 0.088, 0.030]) * (1 + 0.7 * patches + 1.5 * grass)[:, None]
    forest = np.float32([0.022, 0.040, 0.020]) * (1 + 0.9 * fbm(60 * x, 60 * z, 2))[:, None]
    grown = smoothstep(0.75, 0.50, height + 0.25 * patches) * smoothstep(0.55, 0.72, upright)
    wooded = smoothstep(0.55, 0.35, height + 0.35 * patches) * smoothstep(1.5, 2.5, z)
    colour = rock + grown[:, None] * (meadow - rock)
    colour += (wooded * smoothstep(0.42, 0.55, upright))[:, None] * (forest - colour)
    lying = upright + 9 * hollow + 0.10 * fbm(14 * x, 14 * z, 3) + 0.10 * height
    snowy = smoothstep(0.55, 0.95, height + 0.30 * patches) * smoothstep(0.42, 0.54, lying)
    colour += snowy[:, None] * (np.float32([0.86, 0.88, 0.93]) - colour)

    direct = np.clip(facing, 0, 1) * sampled(land.sunlit, x, z) * smoothstep(-0.12, 0.45, height)
    light = colour * (direct[:, None] * _SUNLIGHT + (0.35 + 0.65 * upright)[:, None] * _SKYLIGHT)
    mist = 1.1 * np.exp(-np.maximum(height, 0) / 0.10) * smoothstep(1.6, 3.6, z)
    veil = 1 - np.exp(-0.030 * z * np.exp(-np.maximum(height, 0) / 1.6) - 0.06 * mist)
    return light + veil[:, None] * (haze(tangent) - light)


def _survey(height: Field) -> Land:
    """Looks from each cell towards the sun past the mountains, and finds the gullies."""
    x, z = places(1)
    rise = _TO_SUN[1] / np.hypot(_TO_SUN[0], _TO_SUN[2])
    way_x, way_z = _TO_SUN[[0, 2]] / np.hypot(_TO_SUN[0], _TO_SUN[2])
    blocked = np.full_like(height, -np.inf)
    for step in np.geomspace(1.5 * CELL, 5, 48).astype(np.float32):
        sight = sampled(height, x + step * way_x, z + step * way_z) - step * rise
        np.maximum(blocked, sight, out=blocked)
    hollow = sum(np.roll(height, 2 * sign, axis) for sign in (-1, 1) for axis in (0, 1)) / 4
    return Land(height, smoothstep(0.03, -0.02, blocked - height), hollow - height)


def _water(mirrored: Field) -> Field:
    """The lake over the whole frame: the mirrored view, shaken by ripples, (H, W, 3)."""
    down = np.maximum(-_ROW_TANGENT, 0.5 / _FOCAL)[:, None]
    z = np.broadcast_to(_EYE / down, (_H, _W)).astype(np.float32)
    x = z * _COLUMN_TANGENT
    breeze = smoothstep(-0.35, 0.45, fbm(4 * x + 3, 9 * np.sqrt(z), 3))
    waves = fbm(90 * x / (0.35 + z), 330 * np.sqrt(z) + 12 * x, 4, gain=0.6)
    swell = fbm(30 * x / (0.3 + z), 110 * np.sqrt(z) + 40, 2)
    shake = (0.35 + 0.65 * breeze) * (34 * waves + 16 * swell) * smoothstep(0.0, 0.10, down)
    shake += 5 * waves
    row = 2 * _HORIZON - np.arange(_H)[:, None] - 1 + shake
    row = np.clip(row, 0, _HORIZON - 1)
    column = np.clip(np.arange(_W) + 0.35 * shake, 0, _W - 1).astype(np.int32)
    reflected = mirrored[row.astype(np.int32), column]
    grazing = (1 - down / np.sqrt(1 + down**2)) ** 5
    share = np.clip(0.30 + 0.66 * grazing + 0.10 * waves, 0, 1)[..., None]
    deep = np.float32([0.012, 0.050, 0.066])
    return deep + share * (reflected - deep)


def _forest(land: Land, rng: np.random.Generator) -> list[Stand]:
    """Every conifer, far ones first: the woods of the far shore, the spit's, the near bank's."""
    x = rng.uniform(-2.2, 2.2, 26_000)
    z = rng.uniform(2.5, 4.4, x.size)
    woods = _rooted(land, x, z, rng.uniform(0.014, 0.032, x.size))
    clumps = fbm(2.5 * woods[:, 0], 2.5 * woods[:, 1], 3) > -0.22
    woods = woods[clumps & (woods[:, 2] > 0.002) & (woods[:, 2] < 0.4)]
    x, z = rng.uniform(0.10, 0.42, 110), rng.uniform(0.505, 0.64, 110)
    spit = _rooted(land, x, z, rng.uniform(0.010, 0.027, x.size))
    clear = (np.abs(spit[:, 0] - _HUT[0]) > 0.022) | (spit[:, 1] > _HUT[1] + 0.01)
    spit = spit[clear & (spit[:, 2] > 0.0015)]
    x = np.array([-0.0475, -0.0405, -0.0555, -0.0335, -0.0500, -0.0290])
    z = np.array([0.108, 0.117, 0.100, 0.121, 0.122, 0.112])
    tall = np.array([0.030, 0.024, 0.036, 0.014, 0.020, 0.007])
    bank = _rooted(land, x, z, tall)
    return plant(np.concatenate([woods, spit, bank]), rng)


def _rooted(land: Land, x: Field, z: Field, tall: Field) -> Field:
    """Places with the ground beneath them, (N, 4) of x, z, ground and height."""
    x, z = x.astype(np.float32), z.astype(np.float32)
    return np.stack([x, z, _height(land, x, z), tall], axis=1)


def _draw(stand: Stand, light: Field, depth: Field, eye: float) -> None:
    """Draws one conifer where nothing nearer hides it."""
    base = _HORIZON - _FOCAL * (stand.ground - 0.0006 - eye) / stand.z
    sprite = stand.kind.sprite(max(3, round(_FOCAL * stand.tall / stand.z)))
    rows, columns = sprite.shape[:2]
    top, left = round(base) - rows, round(_W / 2 + _FOCAL * stand.x / stand.z) - columns // 2
    t, b, a, c = max(top, 0), min(top + rows, _H), max(left, 0), min(left + columns, _W)
    if t >= b or a >= c:
        return
    sprite = sprite[t - top : b - top, a - left : c - left]
    open_view = depth[t:b, a:c] > stand.z
    cover = (sprite[..., 1] * open_view)[..., None]
    shade = sprite[..., :1]
    colour = np.float32([0.020, 0.034, 0.022]) * (0.35 + shade) + shade**3 * _SUNLIGHT * 0.020
    veil = 1 - np.exp(-0.030 * stand.z)
    colour = colour + veil * (haze(np.float32(stand.x / stand.z)) - colour)
    light[t:b, a:c] += cover * (colour - light[t:b, a:c])
    depth[t:b, a:c][cover[..., 0] > 0.5] = stand.z


def _hut(light: Field, depth: Field, eye: float) -> None:
    """Draws the hut on the spit, a lamp behind its windows."""
    x, z = _HUT
    scale = _FOCAL / z
    left, floor = _W / 2 + scale * x, _HORIZON - scale * (0.0045 - eye)
    rows, columns = np.mgrid[0:_H, 0:_W].astype(np.float32)
    u, v = (columns - left) / (0.0013 * scale), (floor - rows) / (0.0013 * scale)  # about metres
    wall = (np.abs(u) < 5) & (v > -1) & (v < 3.4)
    roof = (v >= 3.2) & (v < 6.4) & (np.abs(u) < 6.1 - 0.35 * (v - 3.2))
    chimney = (np.abs(u - 2.6) < 0.5) & (v > 5) & (v < 7.6)
    windows = ((np.abs(np.abs(u) - 2.9) < 0.85) & (np.abs(v - 1.9) < 0.7)) | (
        (np.abs(u) < 0.65) & (v > -1) & (v < 2.5)
    )
    boards = 1 + 0.25 * np.sin(9 * v)[..., None]
    light[wall | chimney] = (np.float32([0.055, 0.034, 0.022]) * boards)[wall | chimney]
    light[roof] = np.float32([0.10, 0.075, 0.07])
    light[windows & wall] = np.float32([3.4, 1.75, 0.50])
    depth[wall | roof | chimney] = z
    halo = np.exp(-(u**2 + (v - 1.5) ** 2) / 90)[..., None]
    light += halo * np.float32([0.10, 0.045, 0.010])


def _vignette() -> Field:
    across = _COLUMN_TANGENT**2 + (_ROW_TANGENT[:, None] * 1.1) ** 2
    return (1 - 0.55 * across)[..., None]
