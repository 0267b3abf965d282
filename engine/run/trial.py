"""The trial: a device proves that it computes what the CPU computes, before it is trusted.

Tiny objectives are evaluated by the fast means and, as the measure, by plain float32 on the CPU.
What disagrees costs a rung (`engine.spec.computing`), and all is tried again. The verdict is kept
for as long as torch, the driver, the device and its memory stay the same.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import re
import sys
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from engine.objective.evaluation import Evaluation
from engine.run import devices, specimens
from engine.run.cards import is_lost, mark_lost
from engine.run.device_memory import is_out_of_memory, release_memory
from engine.run.specimens import Specimen
from engine.spec.choices import Device, Precision
from engine.spec.computing import Computing, GivenUp, Rung
from engine.spec.errors import EngineError
from engine.storage.verdicts import Verdicts

logger = logging.getLogger(__name__)

_REPLAY, _TRANSPORT = 1e-3, 1e-2
"""How far from what was recorded a replay may be, and a transport from float64's, relative."""

_SLOWER = "is slower here than float32"
"""Why a CPU does without half precision that it computes rightly."""

_MEANS = 1
"""Counts the versions of what is tried: means that were mended deserve another trial."""

_CONVOLUTIONS = (
    Rung.FUSED,
    Rung.CHANNELS_LAST,
    Rung.WINOGRAD,
    Rung.PRECISION,
    Rung.TF32,
    Rung.DEVICE,
)
"""Suspects where what was computed eagerly and without roots is wrong."""


@dataclass(frozen=True)
class _Bounds:
    """How far an evaluation may be off: a term of the total, the gradient's direction and norm."""

    terms: float
    cosine: float
    norm: float


_BOUNDS = {
    "float32": _Bounds(1e-3, 0.9999, 0.002),
    "TF32": _Bounds(5e-3, 0.998, 0.01),
    "bfloat16": _Bounds(2e-2, 0.97, 0.08),
    "float16": _Bounds(2e-2, 0.97, 0.08),
}


@dataclass(frozen=True)
class _Finding:
    """Something is not as it should be.

    Attributes:
        reason: As a sentence goes on: `gave no numbers`.
        suspects: The rungs that may be to blame.
        stage: Where on the way through a trial.
    """

    reason: str
    suspects: Collection[Rung]
    stage: int = 0


def known(computing: Computing) -> Computing | None:
    """What an earlier trial has left of a way to compute; None where there was none."""
    given_up = Verdicts().find(key_of(computing))
    return None if given_up is None else _applied(computing, given_up)


def proven(computing: Computing) -> Computing:
    """What is left of a way to compute once it has been tried; seconds the first time on a machine.

    float32 on the CPU is what others are held against: it is tried where a person asks for that.
    """
    found = known(computing)
    if found is not None:
        return found
    if computing.kind is Device.CPU and computing.precision is Precision.FLOAT32:
        return computing
    try:
        return checked(computing)
    except EngineError as error:
        logger.warning("%s", error)
        lost = isinstance(error, DeviceLostError)
        return computing.without(Rung.DEVICE, "failed", devices.host()) if lost else computing


def is_only_slower(found: Computing) -> bool:
    """Whether nothing was given up but half precision, for its time alone."""
    return [lost.reason for lost in found.given_up] == [_SLOWER]


def checked(computing: Computing) -> Computing:
    """What is left of a way to compute after a trial now, which is remembered.

    Raises:
        EngineError: The trial could not be held, so nothing is known.
    """
    found = tried(computing)
    Verdicts().keep(key_of(computing), found.given_up)
    return found


class DeviceLostError(EngineError):
    """A device failed while it was tried."""


def tried(computing: Computing) -> Computing:
    """What is left of a way to compute after a trial at this moment.

    Raises:
        DeviceLostError: The device failed for good.
        EngineError: It is too full to be tried, or there is nothing left to give up.
    """
    host, began = devices.host(), time.perf_counter()
    while (finding := _first_finding(computing)) is not None:
        logger.warning("%s %s", computing.words, finding.reason)
        lower = _relieved(computing, finding, host)
        if lower is None:
            raise EngineError(
                f"{computing.words} computes wrong numbers.", "Nothing of it can be trusted."
            )
        computing = lower
    if computing.kind is Device.CPU and computing.precision is not Precision.FLOAT32:
        computing = _faster(computing, host)
    logger.info("Tried %s in %.1f s", computing.words, time.perf_counter() - began)
    return computing


def key_of(computing: Computing) -> str:
    """What a verdict holds for."""
    device = torch.device(computing.device)
    driver, memory = torch.backends.cpu.get_cpu_capability(), 0
    if device.type == "cuda":
        driver = _driver()
        memory = torch.cuda.get_device_properties(device).total_memory
    parts = (
        _MEANS,
        torch.__version__,
        driver,
        computing.device.value,
        computing.name,
        memory,
        computing.precision.value,
    )
    return " | ".join(map(str, parts))


def _driver() -> str:
    """The driver's version where Linux tells it, else that of the CUDA it knows."""
    told = Path("/proc/driver/nvidia/version")
    if told.exists():
        found = re.search(r"\d+\.\d+[.\d]*", told.read_text())
        return found[0] if found else ""
    version = ctypes.c_int()
    library = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(library).cuDriverGetVersion(ctypes.byref(version))
    return str(version.value)


def _applied(computing: Computing, given_up: Iterable[GivenUp]) -> Computing:
    host = devices.host()
    for lost in given_up:
        if lost.rung in computing.rungs:
            computing = computing.without(lost.rung, lost.reason, host)
    return computing


def _relieved(computing: Computing, finding: _Finding, host: Computing) -> Computing | None:
    """One rung lower: the first suspect whose loss alone helps; if none does, simply the first."""
    suspects = [rung for rung in computing.rungs if rung in finding.suspects]
    for rung in suspects:
        lower = computing.without(rung, finding.reason, host)
        if rung is suspects[-1]:
            break  # it goes anyway, and is tried then
        left = _first_finding(lower)
        if left is None or left.stage > finding.stage:
            return lower
    return computing.lowered(finding.reason, host, suspects or tuple(Rung))


def _first_finding(computing: Computing) -> _Finding | None:
    """What is wrong first; the innermost means are looked at first."""
    stages: list[Callable[[], _Finding | None]] = [partial(_look_at_roots, computing)]
    for specimen in (specimens.random_vgg(), specimens.draft(), specimens.grey()):
        stages.append(partial(_look_at, computing, specimen))
        stages.append(partial(_look_at_replays, computing, specimen))
    try:
        devices.set_up(computing)
        for stage, look in enumerate(stages):
            try:
                finding = look()
            except RuntimeError as error:
                _refuse_if_untriable(error, computing)
                first = (str(error).strip().splitlines() or [type(error).__name__])[0]
                finding = _Finding(f"failed ({first[:80]})", tuple(Rung))
            if finding is not None:
                return replace(finding, stage=stage)
    finally:
        release_memory()
    return None


def _refuse_if_untriable(error: RuntimeError, computing: Computing) -> None:
    """An error that is no finding: it says nothing of how the device computes."""
    device = torch.device(computing.device)
    if is_out_of_memory(error, device):
        raise EngineError(
            f"{computing.name} is too full to be tried.", "Close other programs that use it."
        ) from error
    if is_lost(error, device):
        mark_lost(device)
        raise DeviceLostError(
            f"{computing.name} stopped working.", "Restart Gramarye to use it again."
        ) from error


def _look_at_roots(computing: Computing) -> _Finding | None:
    if not computing.products:
        return None
    found = specimens.transport(devices.arithmetic_of(computing).device).cpu().double()
    suspects = (Rung.PRODUCTS, Rung.DEVICE)
    if not found.isfinite().all():
        return _Finding("gave no numbers", suspects)
    if _distance(found, specimens.expected_transport()) > _TRANSPORT:
        return _Finding("gave wrong numbers", suspects)
    return None


def _look_at(computing: Computing, specimen: Specimen) -> _Finding | None:
    """Hold the evaluations of an objective against the measure."""
    arithmetic = devices.arithmetic_of(computing)
    objective, image = specimen.objective(arithmetic), specimens.image(0).to(arithmetic.device)
    for step, expected in enumerate(specimen.expected):
        finding = _compared(objective.evaluate(image, step), expected, computing, specimen)
        if finding is not None:
            return finding
    return None


def _look_at_replays(computing: Computing, specimen: Specimen) -> _Finding | None:
    """Hold replays against what was not recorded, at two images and orientation by orientation."""
    if not computing.recordings:
        return None
    arithmetic = devices.arithmetic_of(computing)
    objective = specimen.objective(arithmetic)
    here, there = (specimens.image(seed).to(arithmetic.device) for seed in (0, 1))
    steps = range(objective.period)
    wanted = [[objective.evaluate(image, step) for step in steps] for image in (there, here)]
    for _ in range(2):  # the fourth in each orientation is recorded
        for step in steps:
            objective.evaluate(here, step)
    for image, eager in zip((there, here), wanted, strict=True):
        for step in steps:
            replayed = objective.evaluate(image, step).gradient
            far = _distance(replayed, eager[step].gradient)
            if not (far <= _REPLAY or specimen.flat):
                return _Finding("gave another picture's numbers", (Rung.RECORDINGS, Rung.DEVICE))
    return None


def _compared(
    found: Evaluation, expected: Evaluation, computing: Computing, specimen: Specimen
) -> _Finding | None:
    suspects: tuple[Rung, ...] = _CONVOLUTIONS
    if computing.products and specimen is not specimens.random_vgg():
        suspects = (Rung.PRODUCTS, *_CONVOLUTIONS)
    terms, slope = found.terms.cpu().double(), found.gradient.cpu().double().flatten()
    if not (terms.isfinite().all() and slope.isfinite().all()):
        return _Finding("gave no numbers", suspects)
    if specimen.flat:
        return None
    bounds, aim = _BOUNDS[computing.numbers], expected.gradient.double().flatten()
    off = float((terms - expected.terms).abs().max() / expected.total)
    cosine = float(slope @ aim / (slope.norm() * aim.norm()))
    ratio = float(slope.norm() / aim.norm())
    logger.info("Terms are off by %.1e, cosine %.6f, norm %.5f", off, cosine, ratio)
    if off <= bounds.terms and cosine >= bounds.cosine and abs(ratio - 1) <= bounds.norm:
        return None
    return _Finding("gave wrong numbers", suspects)


def _faster(computing: Computing, host: Computing) -> Computing:
    """Half precision or float32 on this CPU, whichever evaluates in less time."""
    if _evaluation_seconds(computing) <= _evaluation_seconds(host):
        return computing
    return computing.without(Rung.PRECISION, _SLOWER, host)


def _evaluation_seconds(computing: Computing) -> float:
    objective = specimens.random_vgg().objective(devices.set_up(computing))
    taken = []
    for _ in range(4):
        began = time.perf_counter()
        objective.evaluate(specimens.image(0))
        taken.append(time.perf_counter() - began)
    return min(taken)


def _distance(found: Tensor, wanted: Tensor) -> float:
    """Of two tensors, relative to the second."""
    return float((found - wanted).norm() / wanted.norm())
