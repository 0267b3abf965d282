"""How much memory a job takes, how it is cut so that it fits, and the largest that would."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.network.costs import NetworkCosts
from engine.objective.costs import evaluation_bytes, matching_bytes, measuring_bytes, targets_bytes
from engine.plan.machine import Machine
from engine.plan.tilings import leaner_tilings, place, tilings
from engine.spec.choices import Canvas, Device, OptimizerName
from engine.spec.computing import Computing
from engine.spec.errors import EngineError, InputError
from engine.spec.limits import LARGEST_RECORDED, LONGEST_SIDE
from engine.spec.orientations import orientations
from engine.spec.pictures import Size
from engine.spec.plan import Plan
from engine.spec.request import Request
from engine.spec.scales import Scale, plan_scales
from engine.spec.settings import Settings
from engine.spec.tiles import Tiling
from engine.spec.wording import gigabytes

_IMAGES = {OptimizerName.ADAM: 9, OptimizerName.GRADIENT_DESCENT: 7, OptimizerName.LBFGS: 9}
_TURNED_IMAGES = 2
"""Float32 images held at once in a process by the canvas, the optimiser and what is shown of them,
the L-BFGS history left out; and the canvas and its gradient once more, turned."""

_IMAGES_ON_A_CARD = {
    OptimizerName.ADAM: 5,  # the image, its average, two moments, the gradient
    OptimizerName.GRADIENT_DESCENT: 3,
    OptimizerName.LBFGS: 7,  # the image and the gradient before, too; what a step makes of them
}
_TURNED_IMAGES_ON_A_CARD = 1
"""The same in a card's own memory; the last good images lie on the host. The gradient is turned
back when all else of the evaluation is gone."""

_REMEMBERED = {OptimizerName.ADAM: 2, OptimizerName.GRADIENT_DESCENT: 0, OptimizerName.LBFGS: 4}
"""Of those, what the optimiser remembers, or makes in a step, of the values that it moves."""

_PYRAMID = 4 / 3
"""Images that a pyramid is as large as."""

_SHARE = 0.75
"""Of all the memory there is, what a plan counts on; the rest is for the system and other
programs."""

_RESERVE = 0.9
"""The share of free memory a job may take; the rest is for surprises."""

_MODEST_BYTES, _MODEST_SHARE = 1_500_000_000, 1 / 8
"""What an evaluation on a CPU may take of all memory so as to remember more."""

_FIXED = 80_000_000
"""Bytes for what does not grow with the picture: small matrices, libraries' scratch space."""

_FIXED_ON_A_CARD = 200_000_000
"""The same on a card, where cuBLAS and cuDNN keep room for each stream; measured on an H100."""

_LEANER = 0.9
"""Of what ran out at most so much is tried next: each try costs the steps since the last good
image."""

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
    ways = tilings(plan.settings, machine, scale)
    # What was decided first; then, the fastest first, what takes less.
    candidates = [plan.tiling, *ways[place(plan.tiling, ways) :]]
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
    held = _held(settings, machine, scale, _images(settings, machine, scale, tiling))
    return int(held + _peak(settings, machine, scale, tiling))


def evaluating_bytes(settings: Settings, machine: Machine, scale: Scale, tiling: Tiling) -> int:
    """Bytes at the peak of one evaluation alone: network weights, image and gradient included."""
    held = _held(settings, machine, scale, images=2)
    evaluation = evaluation_bytes(
        settings, machine.item, scale.canvas, tiling, winograd=machine.winograd
    )
    return int(held + evaluation)


def choose_tiling(settings: Settings, machine: Machine, scale: Scale) -> Tiling:
    """The fastest way to cut that fits into the memory there is; the leanest if none does."""
    ways = tilings(settings, machine, scale)
    fitting = None
    for tiling in ways:
        if job_bytes(settings, machine, scale, tiling) <= machine.total * _SHARE:
            fitting = tiling
            if _is_modest(settings, machine, scale, tiling):
                return tiling
    return fitting or ways[-1]


def _is_modest(settings: Settings, machine: Machine, scale: Scale, tiling: Tiling) -> bool:
    """Whether remembering takes a share of the memory that all programs live in, not most of it."""
    if machine.device is not Device.CPU or not tiling.remembered:
        return True
    modest = max(_MODEST_BYTES, machine.total * _MODEST_SHARE)
    item, winograd = machine.item, machine.winograd
    return evaluation_bytes(settings, item, scale.canvas, tiling, winograd=winograd) <= modest


def smaller(plan: Plan, computing: Computing, scale: Scale, tiling: Tiling) -> Tiling | None:
    """What to try when memory ran out all the same; None when nothing takes less.

    Args:
        plan: Of the job.
        computing: How numbers are computed now.
        scale: Where it ran out.
        tiling: How evaluations were cut.
    """
    machine = Machine(computing, total=0, available=0, networks={})
    most = _LEANER * _peak(plan.settings, machine, scale, tiling)
    for leaner in leaner_tilings(plan.settings, machine, tiling):
        if _peak(plan.settings, machine, scale, leaner) <= most:
            return leaner
    return None


def largest_size(request: Request, plan: Plan, machine: Machine) -> int:
    """The largest output size that fits in the smallest tiles, to 16 px."""
    fits, too_large = 0, LONGEST_SIDE // _GRAIN + 1
    while too_large - fits > 1:
        middle = (fits + too_large) // 2
        scale = _scale_at(request, _GRAIN * middle)
        if scale is None or _can_fit(plan.settings, machine, scale):
            fits = middle
        else:
            too_large = middle
    return _GRAIN * fits


def _can_fit(settings: Settings, machine: Machine, scale: Scale) -> bool:
    """Whether a scale fits in the smallest tiles into what is free.

    Of two tiles, walking one again may take more than remembering both.
    """
    ways = tilings(settings, machine, scale)
    return any(
        job_bytes(settings, machine, scale, tiling) <= machine.available * _RESERVE
        for tiling in ways
        if tiling.side == ways[-1].side
    )


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


def _images(settings: Settings, machine: Machine, scale: Scale, tiling: Tiling) -> float:
    """Float32 images held at once by canvas, optimiser and recordings at one scale."""
    card = machine.device is Device.CUDA
    images: float = (_IMAGES_ON_A_CARD if card else _IMAGES)[settings.optimizer]
    looks = len(orientations(settings))
    if looks > 1:
        images += _TURNED_IMAGES_ON_A_CARD if card else _TURNED_IMAGES
    remembered = _REMEMBERED[settings.optimizer]
    if settings.optimizer is OptimizerName.LBFGS:
        pairs = 2 * min(settings.lbfgs_history, scale.steps)
        images, remembered = images + pairs, remembered + pairs
    if settings.canvas is Canvas.PYRAMID:
        # Image and gradient stay beside the pyramid and the gradient of that; halves of the image,
        # which it is made of, come and go.
        images += 2 * _PYRAMID + (remembered + 1) * (_PYRAMID - 1)
    if machine.computing.recordings and _is_recorded(scale.canvas, tiling):
        # The image that all recordings read, and the gradient that each writes. What they take
        # meanwhile is what one evaluation takes: they share it.
        images += 1 + looks
    return images


def _is_recorded(canvas: Size, tiling: Tiling) -> bool:
    width, height = canvas
    return tiling.takes_whole((height, width)) and width * height <= LARGEST_RECORDED


def _peak(settings: Settings, machine: Machine, scale: Scale, tiling: Tiling) -> float:
    """Bytes at the peak of what comes and goes at a scale: an evaluation, or a measurement."""
    item, winograd = machine.item, machine.winograd
    peaks = [evaluation_bytes(settings, item, scale.canvas, tiling, winograd=winograd)]
    # A painting is measured in float32 before it becomes the network's own numbers.
    peaks += [
        12 * 2 * size[0] * size[1]
        + measuring_bytes(settings, item, size, tiling, winograd=winograd)
        for size in scale.styles
    ]
    peaks.append(
        matching_bytes(settings, item, scale.canvas, scale.styles, tiling, winograd=winograd)
    )
    return max(peaks)


def _held(settings: Settings, machine: Machine, scale: Scale, images: float) -> float:
    """Bytes that stay through a scale, so many images of its size included."""
    network = NetworkCosts.of(settings, machine.item, winograd=machine.winograd)
    targets = targets_bytes(settings, machine.item, scale.canvas, scale.styles)
    width, height = scale.canvas
    weights = network.weights_bytes(host=machine.device is not Device.CUDA)
    fixed = _FIXED_ON_A_CARD if machine.device is Device.CUDA else _FIXED
    return fixed + weights + targets + 12 * images * width * height


def _scale_at(request: Request, output_size: int) -> Scale | None:
    """The largest scale of a job at another output size; None where a picture is too narrow."""
    resized = request.settings.changed(output_size=output_size)
    try:
        return plan_scales(request.asking(resized))[-1]
    except InputError:
        return None
