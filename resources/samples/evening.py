"""Gives the sample photograph its evening: sky, clouds, sun and the haze before the hills."""

import numpy as np
from noise import Field, fbm, smoothstep

_SUN_ACROSS, _SUN_UP = 0.318, 0.112  # where the disc shows, as tangents from the middle


def sky(across: Field, up: Field) -> Field:
    """Evening sky with clouds lit from the right.

    Args:
        across: Tangent of each column to the right of the middle, (W,).
        up: Tangent of each row above the horizon, all positive, (H,).

    Returns:
        Light, (H, W, 3), 1 being white paper in the shade.
    """
    up = up[:, None]
    tangent = np.broadcast_to(across, (up.size, across.size))
    zenith, low = np.float32([0.045, 0.125, 0.37]), np.float32([0.42, 0.50, 0.68])
    climb = smoothstep(-0.02, 0.46, up - 0.10 * tangent)[..., None]
    light = low + climb * (zenith - low)
    glow = np.exp(-up / 0.19) * smoothstep(-0.75, 0.45, tangent)
    light = light + glow[..., None] * (np.float32([1.75, 0.62, 0.16]) - light) * 0.95

    over = 1 / (up + 0.09)
    x, z = np.float32(1.3) * tangent * over, np.float32(0.9) * over
    x, z = np.broadcast_arrays(x, z)
    drift = 0.9 * fbm(0.5 * x, 0.5 * z + 7, 3)
    x, z = x + drift, z + 0.6 * drift
    cloud = fbm(0.62 * x + 3, 1.25 * z + 1, 7, gain=0.53)
    towards_sun = fbm(0.62 * (x + 0.22) + 3, 1.25 * z + 1, 4, gain=0.53)
    cover = smoothstep(-0.04, 0.30, cloud) * smoothstep(0.0, 0.06, up)
    thin = smoothstep(-0.25, 0.35, fbm(0.9 * x + 30, 5 * z, 5)) * 0.22 * smoothstep(0.1, 0.35, up)
    lit = np.clip(0.50 + 2.2 * (cloud - towards_sun) - 0.35 * cover, 0, 1)
    sunward = smoothstep(-0.75, 0.6, tangent)
    bright = np.float32([0.95, 0.62, 0.48]) + sunward[..., None] * np.float32([0.95, 0.12, -0.26])
    shade = np.float32([0.17, 0.19, 0.32]) + sunward[..., None] * np.float32([0.32, 0.03, -0.12])
    colour = shade + lit[..., None] * (bright - shade)
    light = light + np.maximum(0.88 * cover, thin)[..., None] * (colour - light)
    away = np.hypot(tangent - _SUN_ACROSS, up - _SUN_UP)
    light = light + np.exp(-away / 0.085)[..., None] * np.float32([1.6, 0.66, 0.13])
    light = light + np.exp(-away / 0.020)[..., None] * np.float32([4.0, 2.3, 0.7])
    light = light + smoothstep(0.0125, 0.0105, away)[..., None] * np.float32([14, 11, 7])
    near_horizon = np.exp(-up / 0.035)[..., None]
    return (light + near_horizon * 0.6 * (haze(tangent) - light)).astype(np.float32)


def haze(tangent: Field) -> Field:
    """Colour of the lit air low over the horizon, warmer towards the sun on the right."""
    warmth = smoothstep(-0.45, 0.62, tangent)[..., None]
    cool, warm = np.float32([0.30, 0.38, 0.56]), np.float32([1.10, 0.53, 0.22])
    return cool + warmth * (warm - cool)
