"""Values counted in bins along directions, and what it costs to move one distribution to another.

Along each direction lie evenly spaced bins. A value between the centres of two of them counts in
both, the more the nearer, so counts are continuous in the values. They are kept as whole numbers of
a tiny unit: whole numbers add up to the same in any order, so to the bit on every device and in any
tiles, though a card adds them in whichever order it comes to them.

What is minimised, along one direction, in bins:

    W(p, q) = integral_0^1 (P^-1(u) - Q^-1(u))^2 du - 1/12

P has the mass p_b at each centre b, Q has the target's q_b spread evenly over [b - 1/2, b + 1/2].
It is convex in p, never below 0, and 0 only where p = q. What lies by e > 0 beyond the ends counts
in the bin at the end and costs e^2 + 2 e m besides, m bins being the margin between the target's
own values and the ends: as much as if the target had nothing further away than at that margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.objective.statistics import TINY

BINS = 512
"""Along each direction."""

MARGIN = 64
"""Bins between the target's own values and either end."""

UNIT = 2.0**34
"""What a position of weight 1 counts; 2^29 of them fit, twice those of the largest picture.

Weights are rounded to as much, which is all that is ever rounded of them.
"""

_MIXTURE = 2.0**60
"""What a mixture of paintings counts altogether."""

_NARROWEST = 1e-3
"""The range of a painting along a direction in which it does not vary, relative to its values."""


@dataclass(frozen=True)
class Extent:
    """Between which values a painting lies, (D,) each."""

    lowest: Tensor
    highest: Tensor

    def __or__(self, other: Extent) -> Extent:
        """Of both together."""
        return Extent(
            torch.minimum(self.lowest, other.lowest), torch.maximum(self.highest, other.highest)
        )

    @property
    def width(self) -> Tensor:
        """Of a bin."""
        size = torch.maximum(self.lowest.abs(), self.highest.abs())
        spread = torch.maximum(self.highest - self.lowest, _NARROWEST * size) + TINY
        return spread / (BINS - 1 - 2 * MARGIN)

    @property
    def first(self) -> Tensor:
        """The centre of the first bin."""
        return (self.lowest + self.highest) / 2 - (BINS - 1) / 2 * self.width


@dataclass(frozen=True)
class Counted:
    """Additive: values in bins.

    Attributes:
        amounts: (D, B), whole numbers of `UNIT`; of Metal's tensors on the host.
        beyond: What it costs that values lie beyond the ends, (D,), in squares of bins.
    """

    amounts: Tensor
    beyond: Tensor

    def __add__(self, other: Counted) -> Counted:
        """Those of both sets of values."""
        return Counted(self.amounts + other.amounts, self.beyond + other.beyond)


@dataclass(frozen=True)
class Bins:
    """One painting at one layer: between which values it lies, and how they are spread there."""

    extent: Extent
    amounts: Tensor


@torch.no_grad()
def count(values: Tensor, weights: Tensor | None = None) -> Counted:
    """Count values (D, P), measured in bins from the first centre on.

    Args:
        values: float32 or float64.
        weights: How much each position counts, (1, P), alike; None where all count alike.
    """
    inside = values.clamp(0, BINS - 1)
    over = (values - inside).abs_()
    costs = over * (over + 2 * MARGIN)
    beyond = (costs if weights is None else costs * weights).sum(1)
    amounts = None if weights is None else _on_host_of_metal(weights) * UNIT
    return Counted(_deposited(_on_host_of_metal(inside), amounts), beyond)


def cells(values: Tensor) -> tuple[Tensor, Tensor]:
    """Between which centres values (D, P) lie, and how far beyond the ends, signed.

    0 is before the first centre, B behind the last one.
    """
    inside = values.clamp(0, BINS - 1)
    # What is no number must lie somewhere, too.
    cell = values.clamp(-1, BINS - 1).floor().long().add_(1).clamp_(0, BINS)
    return cell, values - inside


def _deposited(inside: Tensor, amounts: Tensor | None) -> Tensor:
    """Amounts (1, P) or (D, P) of values (D, P) within the bins, (D, B); None: a unit of each."""
    directions = len(inside)
    cell = inside.long().clamp_(0, BINS - 2)
    fraction = inside - cell
    cell += BINS * torch.arange(directions, device=cell.device)[:, None]
    upper = (fraction * (UNIT if amounts is None else amounts)).long()
    whole = upper.new_ones(()) if amounts is None else amounts.round().long()
    there, moved = (
        upper.new_zeros(directions * BINS).scatter_add_(
            0, cell.view(-1), part.expand(inside.shape).reshape(-1)
        )
        for part in (whole, upper)
    )
    if amounts is None:
        there.mul_(int(UNIT))
    found, moved = (there - moved).view(-1, BINS), moved.view(-1, BINS)
    found[:, 1:] += moved[:, :-1]  # nothing moves out of the last bin
    return found


def _on_host_of_metal(tensor: Tensor) -> Tensor:
    """Metal adds no long whole numbers, and has no float64."""
    return tensor.cpu() if tensor.device.type == "mps" else tensor


class Aim:
    """The distribution of a mixture of paintings along directions, as it is moved towards.

    Args:
        parts: The paintings, at the same layer along the same directions.
        shares: Relative weights, not negative, not all zero. One without a share has no say, not
            even in where the bins lie.

    Attributes:
        extent: Of the paintings with a share.
        width: Of a bin, (D,), float64.
        power: The sum over directions of the mean square of the values, float64.
    """

    @torch.no_grad()
    def __init__(self, parts: Sequence[Bins], shares: Sequence[float]) -> None:
        whole = sum(shares)
        mixed = [
            (part, share / whole) for part, share in zip(parts, shares, strict=True) if share > 0
        ]
        extent = mixed[0][0].extent
        for part, _ in mixed[1:]:
            extent = extent | part.extent
        self.extent = extent
        amounts = torch.stack([_moved(part, extent, share) for part, share in mixed]).sum(0)
        reached = amounts.cumsum(1).double()
        centres = torch.arange(BINS, dtype=torch.float64, device=amounts.device)
        density = amounts.double() / reached[:, -1:]
        self._reached = _from_nothing(reached / reached[:, -1:])
        self._moments = _from_nothing((density * centres).cumsum(1))
        self._square = (density * centres.square()).sum(1)
        self._centres = centres
        first, self.width = (
            _on_host_of_metal(places).to(density) for places in (extent.first, extent.width)
        )
        at = first[:, None] + centres * self.width[:, None]
        self.power = (density * at.square()).sum()

    def cost(self, amounts: Tensor) -> tuple[Tensor, Tensor]:
        """What it costs to move counted values here, and how that changes with each value.

        Args:
            amounts: (D, B), whole numbers.

        Returns:
            W (D,), in squares of bins, and for values in each of the `cells` (D, B + 1) the slope
            of W by the share of the mass that lies at a value, in bins. Both float64.
        """
        reached = amounts.cumsum(1)
        levels = _from_nothing(reached.double() / reached[:, -1:])
        goals, moments = self._up_to(levels[:, 1:].contiguous())
        density, carried = levels.diff(dim=1), _from_nothing(moments).diff(dim=1)
        centres = self._centres
        value = (density * centres.square() - 2 * carried * centres).sum(1) + self._square
        slopes = 2 * (centres[:-1] + 0.5 - goals[:, :-1])
        ends = slopes.new_full((len(slopes), 1), 2.0 * MARGIN)
        return value, torch.cat([-ends, slopes, ends], 1)

    def _up_to(self, levels: Tensor) -> tuple[Tensor, Tensor]:
        """Q^-1(u) and its integral from 0 to u for levels u (D, B) in 0..1."""
        bin_ = torch.searchsorted(self._reached[:, 1:].contiguous(), levels).clamp_(max=BINS - 1)
        below, above = self._reached.gather(1, bin_), self._reached.gather(1, bin_ + 1)
        part = ((levels - below) / (above - below).clamp_min(TINY**2)).clamp_(0, 1)
        lower = bin_ - 0.5
        moments = self._moments.gather(1, bin_) + (levels - below) * (lower + part / 2)
        return lower + part, moments


def _moved(part: Bins, extent: Extent, share: float) -> Tensor:
    """A painting's amounts in the bins of another extent, which holds its own; a share in all."""
    amounts = part.amounts.double()
    here = (
        _on_host_of_metal(places).to(amounts)[:, None]
        for places in (part.extent.first, part.extent.width, extent.first, extent.width)
    )
    first, width, other_first, other_width = here
    centres = torch.arange(BINS, dtype=torch.float64, device=amounts.device)
    places = (first + centres * width - other_first) / other_width
    amounts = amounts / amounts.sum(1, keepdim=True) * (share * _MIXTURE)
    return _deposited(places.clamp(0, BINS - 1), amounts)


def _from_nothing(sums: Tensor) -> Tensor:
    """Sums so far (D, B), with a 0 in front."""
    return torch.nn.functional.pad(sums, (1, 0))
