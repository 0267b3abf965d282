"""How much memory a job takes, how it is cut so that it fits, and the largest that would."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.network.costs import NetworkCosts
from engine.objective.costs import evaluation_bytes, measuring_bytes, targets_bytes
from engine.plan.machine import Machine
from engine.spec.choices import Device, NetworkName, OptimizerName
from engine.spec.errors import EngineError, InputError
from engine.spec.limits import LONGEST_SIDE
from engine.spec.orientations import orientations
from engine.spec.pictures import Size
from engine.spec.plan import Plan
from engine.spec.request import Request
from engine.spec.scales import Scale, plan_scales
from engine.spec.settings import Settings
from engine.spec.tiles import SMALLEST_TILE, Tiling
from engine.spec.wording import gigabytes

_IMAGES = {OptimizerName.ADAM: 9, OptimizerName.GRADIENT_DESCENT: 7, OptimizerName.LBFGS: 9}
"""Float32 images held at once by the canvas and the optimiser, the L-BFGS history left out."""

_TURNED_IMAGES = 2
"""The canvas and its gradient once more, turned."""

_SHARE = 0.75
"""Of all the memory there is, what a plan counts on; the rest is for the system and other
programs."""

_RESERVE = 0.9
"""The share of free memory a job may take; the rest is for surprises."""

_MODEST_BYTES, _MODEST_SHARE = 1_500_000_000, 1 / 8
"""What an evaluation on a CPU may take of all memory so as to remember more."""

_FIXED = 80_000_000
"""Bytes for what does not grow with the picture: small matrices, libraries' scratch space."""

_SIDES: tuple[int | None, ...] = (None, 1024, 512, 256, 192, 128, 64)
"""Sides of tiles, the fastest first."""

_CACHED = {NetworkName.DRAFT: 256}
_USUALLY_CACHED = 192
"""The largest side for a CPU: near its cache a tile takes about the time of its share of the whole
image, and far less memory."""

_SEGMENTS = 4
"""Of the whole network; remembering them all spares every second walk."""

_GRAIN = 16
"""Pixels to which the largest size is told."""


@dataclass(frozen=True)
class Outlook:
    """Whether a plan can be carried out with the memory that is free at this moment.

    Attributes:
        plan: What was decided.
        tiling: How evaluations would be cut now: the plan's way, or smaller where that does not
            fit; the leanest where nothing does.
        bytes: At the peak, so cut.
        available: Bytes that are free.
        largest: The largest output size that fits, pixels; None where this one does.
    """

    plan: Plan
    tiling: Tiling
    bytes: int
    available: int
    largest: int | None = None

    @property
    def fits(self) -> bool:
        """Whether what is free is enough."""
        return self.bytes <= self.available * _RESERVE


def look_out(request: Request, plan: Plan, machine: Machine) -> Outlook:
    """Hold a plan against the memory that is free."""
    scale, allowed = plan.scales[-1], machine.available * _RESERVE
    tilings = _tilings(plan.settings, machine)
    # What was decided first; then, the fastest first, what takes less.
    candidates = [plan.tiling, *tilings[_place(plan.tiling, tilings) :]]
    for tiling in candidates:
        needed = job_bytes(plan.settings, machine, scale, tiling)
        if needed <= allowed:
            break
    outlook = Outlook(plan, tiling, needed, machine.available)
    if outlook.fits:
        return outlook
    return replace(outlook, largest=largest_size(request, plan, machine))


def job_bytes(settings: Settings, machine: Machine, scale: Scale, tiling: Tiling) -> int:
    """Bytes at a job's peak, which is at its largest scale, network weights included.

    Args:
        settings: As a plan has them.
        machine: Where.
        scale: The largest.
        tiling: How evaluations are cut.
    """
    held = _held(settings, machine, scale, _images(settings, scale))
    item, winograd = machine.item, machine.winograd
    peaks = [evaluation_bytes(settings, item, scale.canvas, tiling, winograd=winograd)]
    # A painting is measured in float32 before it becomes the network's own numbers.
    peaks += [
        12 * 2 * size[0] * size[1]
        + measuring_bytes(settings, item, size, tiling, winograd=winograd)
        for size in scale.styles
    ]
    return int(held + max(peaks))


def evaluating_bytes(settings: Settings, machine: Machine, scale: Scale, tiling: Tiling) -> int:
    """Bytes at the peak of one evaluation alone: network weights, image and gradient included."""
    held = _held(settings, machine, scale, images=2)
    evaluation = evaluation_bytes(
        settings, machine.item, scale.canvas, tiling, winograd=machine.winograd
    )
    return int(held + evaluation)


def choose_tiling(settings: Settings, machine: Machine, scale: Scale) -> Tiling:
    """The fastest way to cut that fits into the memory there is; the leanest if none does."""
    tilings = _tilings(settings, machine)
    fitting = None
    for tiling in tilings:
        if job_bytes(settings, machine, scale, tiling) <= machine.total * _SHARE:
            fitting = tiling
            if _is_modest(settings, machine, scale, tiling):
                return tiling
    return fitting or tilings[-1]


def _is_modest(settings: Settings, machine: Machine, scale: Scale, tiling: Tiling) -> bool:
    """Whether remembering takes a share of the memory that all programs live in, not most of it."""
    if machine.device is not Device.CPU or not tiling.remembered:
        return True
    modest = max(_MODEST_BYTES, machine.total * _MODEST_SHARE)
    item, winograd = machine.item, machine.winograd
    return evaluation_bytes(settings, item, scale.canvas, tiling, winograd=winograd) <= modest


def smaller(tiling: Tiling, size: Size) -> Tiling | None:
    """What to try when memory ran out all the same; None when tiles can get no smaller."""
    width, height = size
    side = min(tiling.side or max(size), max(size)) // 2
    while Tiling(side).takes_whole((height, width)):
        side //= 2
    return Tiling(side) if side >= SMALLEST_TILE else None


def largest_size(request: Request, plan: Plan, machine: Machine) -> int:
    """The largest output size that fits in the smallest tiles, to 16 px.

    Of two tiles, walking one again may take more than remembering both.
    """
    tilings = _tilings(plan.settings, machine)
    leanest = [tiling for tiling in tilings if tiling.side == tilings[-1].side]
    allowed = machine.available * _RESERVE
    fits, too_large = 0, LONGEST_SIDE // _GRAIN + 1
    while too_large - fits > 1:
        middle = (fits + too_large) // 2
        scale = _scale_at(request, _GRAIN * middle)
        if scale is None or any(
            job_bytes(plan.settings, machine, scale, tiling) <= allowed for tiling in leanest
        ):
            fits = middle
        else:
            too_large = middle
    return _GRAIN * fits


def refuse_if_too_large(outlook: Outlook) -> None:
    """Say before starting that a job cannot fit.

    Raises:
        EngineError: It cannot; the message names the largest size that would.
    """
    if not outlook.fits:
        remedy = "Close other programs"
        if outlook.largest:
            remedy = f"Set the output size to {outlook.largest} px or less, or close other programs"
        raise EngineError(
            f"{max(outlook.plan.size)} px needs about {gigabytes(outlook.bytes)} of memory and "
            f"{gigabytes(outlook.available)} is free.",
            f"{remedy}.",
        )


def ran_out_of_memory(size: int) -> EngineError:
    """The error for a job that ran out of memory however small the tiles."""
    remedy = f"Close other programs, or set the output size to {size * 3 // 4} px or less."
    return EngineError(f"Memory ran out at {size} px.", remedy)


def _images(settings: Settings, scale: Scale) -> int:
    """Float32 images held at once by the canvas and the optimiser at one scale."""
    images = _IMAGES[settings.optimizer]
    if len(orientations(settings)) > 1:
        images += _TURNED_IMAGES
    if settings.optimizer is OptimizerName.LBFGS:
        images += 2 * min(settings.lbfgs_history, scale.steps)
    return images


def _held(settings: Settings, machine: Machine, scale: Scale, images: int) -> float:
    """Bytes that stay through a scale, so many images of its size included."""
    network = NetworkCosts.of(settings, machine.item, winograd=machine.winograd)
    targets = targets_bytes(settings, machine.item, scale.canvas, len(scale.styles))
    width, height = scale.canvas
    return _FIXED + network.weights_bytes() + targets + 12 * images * width * height


def _tilings(settings: Settings, machine: Machine) -> list[Tiling]:
    """What the settings allow, the fastest first."""
    sides: tuple[int | None, ...] = (settings.tile_side,)
    if settings.tile == "auto":
        sides = _SIDES
        if machine.device is Device.CPU:
            longest = _CACHED.get(settings.network, _USUALLY_CACHED)
            sides = tuple(side for side in _SIDES if side is not None and side <= longest)
    return [
        Tiling(side, remembered)
        for side in sides
        for remembered in ((0,) if side is None else range(_SEGMENTS, -1, -1))
    ]


def _place(tiling: Tiling, tilings: list[Tiling]) -> int:
    """Where a tiling stands among others, the fastest first; the beginning for a foreign one."""
    return tilings.index(tiling) if tiling in tilings else 0


def _scale_at(request: Request, output_size: int) -> Scale | None:
    """The largest scale of a job at another output size; None where a picture is too narrow."""
    resized = request.settings.changed(output_size=output_size)
    try:
        return plan_scales(request.asking(resized))[-1]
    except InputError:
        return None
