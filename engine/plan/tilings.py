"""The ways in which a machine may cut images, the fastest first."""

from __future__ import annotations

from collections.abc import Iterable

from engine.network.costs import NetworkCosts
from engine.plan.machine import Machine
from engine.spec.choices import Device, NetworkName
from engine.spec.scales import Scale
from engine.spec.settings import Settings
from engine.spec.tiles import SMALLEST_TILE, Tiling

_SIDES: tuple[int | None, ...] = (None, 1024, 512, 256, 192, 128, 64)
"""Sides of tiles, the fastest first."""

_LAST_SIDES = (32, SMALLEST_TILE)
"""Mostly halo: not planned with, but tried before a job is given up."""

_CACHED = {NetworkName.DRAFT: 256}
_USUALLY_CACHED = 192
"""The largest side for a CPU: near its cache a tile takes about the time of its share of the whole
image, and far less memory."""

_SEGMENTS = 4
"""Of the whole network; remembering them all spares every second walk."""

_MOST_NUMBERS = 2**31 - 1
"""In one tensor on a graphics card or Apple's chips: many of their kernels count in 32 bits."""


def tilings(settings: Settings, machine: Machine, scale: Scale) -> list[Tiling]:
    """What the settings allow, the fastest first.

    Where an accelerator cannot count the numbers of the tiles that a person set, what it can.
    """
    if settings.tile != "auto":
        asked = _countable(_ways([settings.tile_side]), settings, machine, scale)
        if asked:
            return asked
    return _countable(_ways(_sides(settings, machine)), settings, machine, scale)


def leaner_tilings(settings: Settings, machine: Machine, tiling: Tiling) -> list[Tiling]:
    """All that are smaller than a tiling, whatever tiles were set, the fastest first."""
    sides = [tiling.side, *_sides(settings, machine), *_LAST_SIDES]
    ways = dict.fromkeys(_ways(sides))
    return [way for way in ways if way.is_smaller_than(tiling)]


def place(tiling: Tiling, tilings: list[Tiling]) -> int:
    """Where a tiling stands among others, the fastest first; the beginning for a foreign one."""
    return tilings.index(tiling) if tiling in tilings else 0


def _sides(settings: Settings, machine: Machine) -> list[int | None]:
    if machine.device is not Device.CPU:
        return list(_SIDES)
    longest = _CACHED.get(settings.network, _USUALLY_CACHED)
    return [side for side in _SIDES if side is not None and side <= longest]


def _ways(sides: Iterable[int | None]) -> list[Tiling]:
    return [
        Tiling(side, remembered)
        for side in sides
        for remembered in ((0,) if side is None else range(_SEGMENTS, -1, -1))
    ]


def _countable(
    tilings: list[Tiling], settings: Settings, machine: Machine, scale: Scale
) -> list[Tiling]:
    """Those whose tensors are not too large for the machine."""
    if machine.device is Device.CPU:
        return tilings
    network = NetworkCosts.of(settings, machine.item, winograd=machine.winograd)
    return [
        tiling
        for tiling in tilings
        if all(
            network.largest_features(size[::-1], tiling) <= _MOST_NUMBERS
            for size in (scale.canvas, *scale.styles)
        )
    ]
