"""Fractal noise, from which the sample pictures draw their terrain, clouds and pigment."""

import numpy as np

Field = np.ndarray

_GRADIENTS = np.exp(2j * np.pi * np.random.default_rng(20).random(1 << 16)).astype(np.complex64)


def gradient_noise(x: Field, y: Field) -> Field:
    """Perlin's gradient noise, about -1..1, on a unit lattice that repeats every 256."""
    left, top = np.floor(x), np.floor(y)
    u, v = x - left, y - top
    i0, j0 = left.astype(np.intp) & 255, (top.astype(np.intp) & 255) << 8
    i1, j1 = (i0 + 1) & 255, (j0 + 256) & 0xFF00
    su, sv = u * u * u * (u * (u * 6 - 15) + 10), v * v * v * (v * (v * 6 - 15) + 10)
    near = _corner(j0 + i0, u, v)
    near += su * (_corner(j0 + i1, u - 1, v) - near)
    far = _corner(j1 + i0, u, v - 1)
    far += su * (_corner(j1 + i1, u - 1, v - 1) - far)
    return 1.5 * (near + sv * (far - near))


def _corner(cell: Field, u: Field, v: Field) -> Field:
    gradient = _GRADIENTS.take(cell)
    return gradient.real * u + gradient.imag * v


def fbm(x: Field, y: Field, octaves: int, gain: float = 0.5) -> Field:
    """Sum of octaves of noise, about -1..1 with mean 0; each finer one weighs ``gain`` as much."""
    total, amplitude, reach = np.zeros_like(x), 1.0, 0.0
    for _ in range(octaves):
        total += amplitude * gradient_noise(x, y)
        reach += amplitude
        amplitude *= gain
        x, y = next_octave(x, y)
    return total / reach


def ridged(x: Field, y: Field, octaves: int, gain: float = 0.5) -> Field:
    """Like `fbm`, but 0..1 and creased into sharp ridges, as mountains are."""
    total, amplitude, reach = np.zeros_like(x), 1.0, 0.0
    weight = np.ones_like(x)
    for _ in range(octaves):
        crest = (1 - np.abs(gradient_noise(x, y))) ** 2
        total += amplitude * weight * crest
        weight = np.clip(1.6 * crest, 0, 1)
        reach += amplitude
        amplitude *= gain
        x, y = next_octave(x, y)
    return total / reach


def next_octave(x: Field, y: Field) -> tuple[Field, Field]:
    """Coordinates twice as fine, turned so that the lattice never shows."""
    return 2.03 * (0.8 * x - 0.6 * y) + 17.3, 2.03 * (0.6 * x + 0.8 * y) + 41.7


def smoothstep(low: float, high: float, x: Field) -> Field:
    """0 up to ``low``, 1 from ``high`` on, a smooth ramp between (falling if low > high)."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
