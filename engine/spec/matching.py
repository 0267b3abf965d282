"""How places of the paintings are matched: how many, and the ways a painting is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.spec.choices import MatchTurns

if TYPE_CHECKING:
    from torch import Tensor

MOST_ENTRIES = 16384
"""Places of all paintings together in a codebook."""

DIRECTIONS = 128
"""In which hypercolumns are compared, where there are many."""

FEW = 4096
"""Entries, and places that are looked up, to which hypercolumns are compared in all their
directions; from so many entries the directions are found."""

QUERIES_AT_ONCE = 1024
"""Positions whose similarity to all entries is held at once."""


@dataclass(frozen=True)
class Turn:
    """One way to hold a painting (N, C, H, W): mirrored or not, then turned by quarters."""

    quarters: int = 0
    mirrored: bool = False

    def of(self, picture: Tensor) -> Tensor:
        """The painting, so held."""
        held = picture.flip(3) if self.mirrored else picture
        return held.rot90(self.quarters, (2, 3)).contiguous() if self.quarters else held


_TURNS = {
    MatchTurns.NONE: (Turn(),),
    MatchTurns.MIRROR: (Turn(), Turn(mirrored=True)),
    MatchTurns.QUARTERS: tuple(Turn(quarters) for quarters in range(4)),
    MatchTurns.ALL: tuple(
        Turn(quarters, mirrored) for mirrored in (False, True) for quarters in range(4)
    ),
}


def turns(chosen: MatchTurns) -> tuple[Turn, ...]:
    """All ways in which a painting is held for a codebook, the first as it is."""
    return _TURNS[chosen]


def shared_entries(positions: Sequence[int], shares: Sequence[float], ways: int) -> list[int]:
    """How many places of each painting a codebook takes, in each way that it is held.

    Args:
        positions: Of each painting at the matching stage.
        shares: Each painting's in the blend.
        ways: In how many ways each is held.
    """
    whole = sum(shares)
    return [
        min(count, round(MOST_ENTRIES * share / whole / ways))
        for count, share in zip(positions, shares, strict=True)
    ]
