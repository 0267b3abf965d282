"""Names colours for the sample pictures."""

import numpy as np
from noise import Field


def rgb(*codes: str) -> Field:
    """Colours from codes such as "f0c658", (N, 3), 0..1."""
    return np.float32([[int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)] for code in codes])


def mixed(first: Field, second: Field, share: Field) -> Field:
    """Colours between two, (H, W, 3), for a share of the second at each place, (H, W)."""
    return first + share[..., None] * (second - first)
