"""What halving features keeps and takes, number for number beside `pooling`; no torch.

All are bytes for one channel: of what is halved there are so many positions `before`, of what comes
out `after`. A number inside the network has `item` bytes, one that is summed at least four.
"""

from __future__ import annotations

from engine.spec.choices import Pooling


def kept_bytes(
    pooling: Pooling | None, before: int, after: int, item: int, *, rectify: bool
) -> int:
    """What the way back needs, the features themselves left out (see `keeps_features`)."""
    match pooling:
        case Pooling.MAX:  # two bytes for the place of each maximum, one for its sign
            return after * (3 if rectify else 2)
        case Pooling.L2:
            return after * max(4, item)
        case _:
            return before if rectify else 0


def shared_bytes(pooling: Pooling | None, after: int) -> int:
    """What the way back needs once for all channels: the corners that maxima are counted from."""
    return 8 * after if pooling is Pooling.MAX else 0


def keeps_features(pooling: Pooling | None) -> bool:
    """Whether the way back needs the features that were halved."""
    return pooling is Pooling.L2


def forward_bytes(pooling: Pooling | None, before: int, after: int, item: int) -> int:
    """What is alive at once beside the features and what is kept."""
    wide = max(4, item)
    match pooling:
        case Pooling.MAX:  # 8-byte indices, before they shrink to two
            return after * (item + 8)
        case Pooling.L2:  # squares, and for short numbers what was squared, before what is kept
            return before * wide if item == wide else (2 * before - after) * wide
        case _:
            return 2 * after * item


def backward_bytes(pooling: Pooling | None, before: int, after: int, item: int) -> int:
    """What is alive at once beside what is kept, both gradients included."""
    wide = max(4, item)
    padded = 4 * after if before > 4 * after else 0  # an odd last row or column gets zeros
    match pooling:
        case Pooling.MAX:
            return after * (item + 8) + before * item
        case Pooling.L2:
            shortened = before * item if item < wide else 0
            return after * (item + wide) + before * wide + max(padded * wide, shortened)
        case _:
            return (2 * after + before + padded) * item
