"""When Winograd's way to convolve is taken, and the room it wants: numbers, and no torch."""

from __future__ import annotations

_NARROW = 16
"""Up to this many channels on both sides the direct convolution outruns Winograd."""

_FEWEST_POSITIONS = 900
"""Below this transforming the kernels costs more than Winograd saves."""

_DEPTH = 146
"""Input channels that NNPACK transforms at a time, where the first cache holds 32 KiB."""


def is_wide(before: int, after: int) -> bool:
    """Whether Winograd pays for so many channels before and after a convolution."""
    return max(before, after) > _NARROW


def is_large(positions: float) -> bool:
    """Whether Winograd pays for an image of so many positions."""
    return positions >= _FEWEST_POSITIONS


def workspace_bytes(before: int, after: int, positions: float) -> float:
    """The room NNPACK takes beside input and output: float32, and never given back.

    Squares of 8 x 8 stand for 6 x 6 of the result, and kernels become 8 x 8. Three channels are
    transformed in passing.
    """
    if before <= 3 or not is_wide(before, after) or not is_large(positions):
        return 0.0
    squares, depth = positions / 36, min(before, _DEPTH)
    return 4 * 64 * (squares * (depth + after) + depth * after)
