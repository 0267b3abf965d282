"""Builds the mountains of the sample photograph: fractal massifs, carved by rain."""

import numpy as np
from noise import Field, fbm, ridged, smoothstep

CELL = 0.0135  # km
LEFT, NEAR = -7.0, 2.0  # km: the map's corner, right of which and beyond which it lies
COLUMNS, ROWS = 1040, 860

# (x, z, height, reach) of each massif in km: the summit, its shoulders and the far range
_MASSIFS = (
    (-1.15, 6.4, 2.05, 2.5),
    (-3.1, 6.6, 1.25, 2.0),
    (0.7, 7.2, 1.30, 1.9),
    (3.4, 7.4, 1.25, 2.2),
    (-5.2, 8.6, 1.7, 2.6),
    (2.0, 10.8, 1.55, 2.6),
    (5.6, 10.2, 1.9, 2.8),
)


def carved_terrain(rng: np.random.Generator) -> Field:
    """Height above the lake in km, (ROWS, COLUMNS), far rows last; below 0 lies water."""
    coarse = _fractal(*places(2))
    for _ in range(11):
        _rain(coarse, 2 * CELL, rng, drops=14_000)
    x, z = places(1)
    height = sampled(coarse, x, z, 2 * CELL)
    rough = smoothstep(0.05, 0.9, height)
    height += 0.05 * rough * (ridged(6 * x, 6 * z, 5) - 0.4)
    for _ in range(4):
        _rain(height, CELL, rng, drops=24_000)
    return height


def places(spacing: int) -> tuple[Field, Field]:
    """The x and z in km of every ``spacing``-th cell, each (rows, columns)."""
    x = np.float32(LEFT) + CELL * np.arange(0, COLUMNS, spacing, dtype=np.float32)
    z = np.float32(NEAR) + CELL * np.arange(0, ROWS, spacing, dtype=np.float32)
    return tuple(np.meshgrid(x, z))


def _fractal(x: Field, z: Field) -> Field:
    envelope = np.zeros_like(x)
    warped_x = x + 0.45 * fbm(x * 0.8 + 5, z * 0.8, 3)
    warped_z = z + 0.45 * fbm(x * 0.8 + 70, z * 0.8 + 9, 3)
    for centre_x, centre_z, height, reach in _MASSIFS:
        distance = np.hypot(warped_x - centre_x, warped_z - centre_z) / reach
        np.maximum(envelope, height * np.clip(1 - distance, 0, 1) ** 1.3, out=envelope)
    relief = ridged(0.75 * x + 11, 0.75 * z + 3, 7, gain=0.47)
    shore = 2.75 + 0.35 * np.sin(1.3 * x + 0.6) + 0.2 * np.sin(3.1 * x)
    inland = smoothstep(0.0, 2.0, z - shore)
    plain = np.minimum(0.03 * (z - shore), 0.12)
    return plain + 0.14 * relief * inland + envelope * (0.5 + 0.78 * relief) * inland


def _rain(height: Field, cell: float, rng: np.random.Generator, drops: int) -> None:
    """Lets drops run downhill, all at once, cutting where they speed up and silting where not."""
    rows, columns = height.shape
    x = rng.uniform(1, columns - 3, drops).astype(np.float32)
    y = rng.uniform(1, rows - 3, drops).astype(np.float32)
    way_x, way_y, load = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    speed, water = np.ones_like(x), np.ones_like(x)
    ground = height / cell
    change = np.zeros(height.size, np.float32)
    level, slope_x, slope_y, corners, shares = _ground_at(ground, x, y)
    for _ in range(64):
        way_x, way_y = 0.1 * way_x - 0.9 * slope_x, 0.1 * way_y - 0.9 * slope_y
        length = np.hypot(way_x, way_y) + 1e-6
        way_x, way_y = way_x / length, way_y / length
        x = np.clip(x + way_x, 1, columns - 3)
        y = np.clip(y + way_y, 1, rows - 3)
        here, under = corners, shares
        before = level
        level, slope_x, slope_y, corners, shares = _ground_at(ground, x, y)
        drop = before - level
        capacity = np.maximum(drop, 0.01) * speed * water * 6
        give = np.where(drop < 0, np.minimum(-drop, load), np.maximum(load - capacity, 0) * 0.25)
        take = np.where(drop > 0, np.minimum(np.maximum(capacity - load, 0) * 0.22, drop), 0)
        load += take - give
        for corner, share in zip(here, under, strict=True):
            np.add.at(change, corner, (give - take) * share)
        speed = np.sqrt(np.maximum(speed * speed + drop * 0.6, 0.02))
        water *= 0.985
    change = np.clip(change.reshape(rows, columns), -1.2, 0.8)
    for axis in (0, 1):
        change = 0.5 * change + 0.25 * (np.roll(change, 1, axis) + np.roll(change, -1, axis))
    height += change * cell


def _ground_at(ground: Field, x: Field, y: Field) -> tuple:
    """Level, slopes, the four surrounding cells and their bilinear shares, for each drop."""
    i, j = x.astype(np.int32), y.astype(np.int32)
    u, v = x - i, y - j
    columns = ground.shape[1]
    corner = j * columns + i
    corners = (corner, corner + 1, corner + columns, corner + columns + 1)
    a, b, c, d = (ground.ravel()[k] for k in corners)
    shares = ((1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v)
    level = a * shares[0] + b * shares[1] + c * shares[2] + d * shares[3]
    return level, (b - a) * (1 - v) + (d - c) * v, (c - a) * (1 - u) + (d - b) * u, corners, shares


def sampled(grid: Field, x: Field, z: Field, cell: float = CELL) -> Field:
    """``grid`` at places given in km, bilinearly; places beyond its edge take the edge's value."""
    rows, columns = grid.shape
    i = np.clip((x - LEFT) / cell, 0, columns - 1.001)
    j = np.clip((z - NEAR) / cell, 0, rows - 1.001)
    i0, j0 = i.astype(np.int32), j.astype(np.int32)
    u, v = i - i0, j - j0
    corner, flat = j0 * columns + i0, grid.ravel()
    near = flat[corner] * (1 - u) + flat[corner + 1] * u
    far = flat[corner + columns] * (1 - u) + flat[corner + columns + 1] * u
    return near * (1 - v) + far * v
