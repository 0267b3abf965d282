"""What the benchmarks share: weights, pictures, ways to evaluate, clocks and peaks of memory."""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from engine.network.random_weights import random_weights
from engine.objective.objective import OrientedObjectives
from engine.plan.machine import Machine
from engine.plan.resolve import resolve
from engine.run import device_memory, devices
from engine.run.machines import machine_for
from engine.run.targets import TargetMeasurer
from engine.run.tensors import to_tensor
from engine.spec.choices import NetworkName
from engine.spec.errors import NetworkMissingError
from engine.spec.job import Job, job_of
from engine.spec.layers import layer_names, measured_layers
from engine.spec.pictures import Picture, StyleImage
from engine.spec.plan import Plan
from engine.spec.scales import Scale
from engine.spec.settings import DEFAULTS, Settings
from engine.spec.tiles import Tiling
from engine.storage.images import picture_from_pixels
from engine.storage.preset_store import preset_named
from engine.weights.checkpoints import read_weights
from engine.weights.installed import find_weights, networks_here
from tests.benchmarks.reference import Reference

_Result = TypeVar("_Result")

FLOWING = preset_named("Flowing").preset.applied_to(DEFAULTS)
"""Content and style alone, of pixels: what the plain reference has formulas for."""

_WARM_UP = 64
"""Pixels of the evaluation after which a process counts as idle."""

NETWORKS = (NetworkName.VGG19, NetworkName.VGG16)

Evaluate = Callable[[], Tensor]
"""Evaluate the objective once; returns the gradient."""


@dataclass(frozen=True)
class Way:
    """One way to evaluate the objective.

    Attributes:
        path: What the tables call it.
        settings: The objective, the device and the precision.
        tiling: How the image is cut; None for the plain reference.
    """

    path: str
    settings: Settings
    tiling: Tiling | None


def base_parser(words: str, size: int) -> argparse.ArgumentParser:
    """The options that all benchmarks have; `words` is the module's docstring."""
    parser = argparse.ArgumentParser(
        description=words, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--size", type=int, default=size, metavar="N", help=f"of the canvas, pixels ({size})")
    add("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    add("--network", choices=NETWORKS, default=NETWORKS[0], metavar="NAME")
    add("--weights", type=Path, metavar="FILE", help="the network's; random where none are found")
    add("--json", action="store_true", help="print one JSON object instead of a table")
    return parser


@contextmanager
def weights_file(network: NetworkName, explicit: Path | None) -> Iterator[Path]:
    """The network weights to measure with: given, found, or random ones for the time being."""
    try:
        found = find_weights(network, explicit)
    except NetworkMissingError:
        print("No network weights were found; measuring with random ones.", file=sys.stderr)
    else:
        yield found
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{network}.safetensors"
        save_file(random_weights(network, layer_names(network)), path)
        yield path


def small_picture(seed: int) -> Picture:
    """Coarse random patches; a canvas of any size is made from them."""
    patches = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
    return picture_from_pixels(patches, f"patches {seed}")


def square_job(settings: Settings, weights: Path) -> Job:
    """A square photograph and a square painting."""
    return job_of(
        small_picture(1), [StyleImage(small_picture(2))], settings, network_weights=weights
    )


def machine_of(job: Job) -> Machine:
    """Where a job's settings put it."""
    settings = job.request.settings
    return machine_for(settings, networks_here(settings.network, job.network_weights))


def plan_of(job: Job, **decided: object) -> Plan:
    """What is decided for a job here, but for what is named."""
    return resolve(job.request, machine_of(job)).model_copy(update=decided)


def device_of(settings: Settings) -> torch.device:
    """Where these settings compute."""
    return torch.device(devices.choose_computing(settings).device)


def measurer_of(job: Job, plan: Plan) -> TargetMeasurer:
    """What measures a job's pictures, with the network it is planned with."""
    return TargetMeasurer(job, plan, Path(plan.network_file))


def evaluations(way: Way, weights: Path) -> Callable[[int], Evaluate]:
    """How to come by an evaluation at a size; the network is loaded here, once for all sizes."""
    return _plain(way, weights) if way.tiling is None else _ours(way, way.tiling, weights)


def _ours(way: Way, tiling: Tiling, weights: Path) -> Callable[[int], Evaluate]:
    settings = way.settings
    job = square_job(settings, weights)
    measurer = measurer_of(job, plan_of(job, tiling=tiling))

    def at(size: int) -> Evaluate:
        scale = Scale(canvas=(size, size), styles=((size, size),), steps=1)
        objective = measured(measurer, settings, scale)
        image = random_image(size, measurer.device)
        return lambda: objective.evaluate(image).gradient

    return at


def _plain(way: Way, weights: Path) -> Callable[[int], Evaluate]:
    settings = way.settings
    device = device_of(settings)
    read = read_weights(weights, settings.network)
    tensors = {name: tensor.to(device) for name, tensor in read.tensors.items()}

    def at(size: int) -> Evaluate:
        content, style = (
            to_tensor(small_picture(seed).pixels, (size, size), device) for seed in (1, 2)
        )
        reference = Reference(tensors, settings, content, style)
        image = random_image(size, device)
        return lambda: reference.gradient(image)

    return at


def planned_tiling(settings: Settings, weights: Path) -> Tiling:
    """How the settings' canvas would be cut here."""
    return plan_of(square_job(settings, weights)).tiling


def measured(measurer: TargetMeasurer, settings: Settings, scale: Scale) -> OrientedObjectives:
    """The objective at a scale, from the measurer's own pictures."""
    return returned(measurer.measure(scale, measured_layers(settings), settings, [1.0])).objective


def returned(work: Generator[object, None, _Result]) -> _Result:
    """What a generator returns at its end."""
    while True:
        try:
            next(work)
        except StopIteration as finished:
            result: _Result = finished.value
            return result


def random_image(size: int, device: torch.device) -> Tensor:
    """Noise (1, 3, size, size) in 0..1, the same in every run on the same kind of device."""
    generator = torch.Generator(device).manual_seed(0)
    return torch.rand(1, 3, size, size, generator=generator, device=device)


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """One call's time, the device's queue included."""
    synchronise(device)
    began = time.perf_counter()
    work()
    synchronise(device)
    return time.perf_counter() - began


def alternating(ways: Sequence[Evaluate], rounds: int, device: torch.device) -> list[float]:
    """The median seconds of each way, all taken in turn so that other work hits all alike."""
    if device.type == "cuda":  # until all is recorded that will be replayed
        for evaluate in (way for way in ways for _ in range(4)):
            evaluate()
    times = [[seconds(evaluate, device) for evaluate in ways] for _ in range(rounds)]
    return [statistics.median(taken) for taken in zip(*times, strict=True)]


def synchronise(device: torch.device) -> None:
    """Wait for all that the device has been asked to do."""
    if device.type != "cpu":
        torch.accelerator.synchronize()


def peak(way: Way, weights: Path, size: int) -> int:
    """Bytes at the peak of an evaluation above the idle process, which has evaluated once."""
    device = device_of(way.settings)
    at = evaluations(way, weights)
    at(_WARM_UP)()
    idle = settled_memory(device)
    evaluate = at(size)
    device_memory.forget_peak(device)
    # What the system has taken back since is no part of what the evaluation stands on.
    idle = min(idle, device_memory.memory_used(device))
    for _ in range(2):
        evaluate()
    return device_memory.peak_memory(device) - idle


def settled_memory(device: torch.device) -> int:
    """Bytes in use when everything that can be given back has been; begins a new peak."""
    gc.collect()
    device_memory.release_memory()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # other C libraries than glibc
            ctypes.CDLL("libc.so.6").malloc_trim(0)
    device_memory.forget_peak(device)
    return device_memory.memory_used(device)


def apart(work: Callable[..., _Result], *arguments: object) -> _Result:
    """What `work` returns from a process of its own, where no other work's memory lingers."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(work, *arguments).result()


def print_object(values: Mapping[str, object]) -> None:
    """Print one JSON object on stdout."""
    print(json.dumps(values))


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns under their names, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for first, *others in (head, *rows):
        cells = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        print("  ".join([f"{first:<{widths[0]}}", *cells]))
