"""What has broken on graphics cards elsewhere: flat paintings, long sums, failed recordings."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.objective.statistics import measure as measure_statistics
from engine.run.stylize import stylize
from engine.spec.job import Job
from engine.spec.outcome import Ending, Outcome
from engine.spec.pictures import Picture
from engine.storage.images import picture_from_pixels
from tests.benchmarks.common import returned
from tests.benchmarks.device.bench import Bench

_FROM_CPU = 0.01
"""How far the objective after the same steps may be from the one the CPU reaches."""

_LEFT_BEHIND = 64 * 2**20
"""Bytes more than usual that a failed recording may leave reserved."""

_SUMS = ((64, (18, 20, 22, 24)), (512, (18, 20)))
"""Channels, and the powers of two of the positions that are summed over."""

_CHUNK = 1 << 18
"""Positions that are summed in float64 at a time."""


def measure(bench: Bench) -> None:
    """Go through them one by one."""
    for name, painting in _paintings().items():
        bench.add(f"flat, {name}", flat_painting, bench, painting, needs=6)
    for channels, powers in _SUMS if bench.card else ((64, (12, 16)),):
        for power in powers:
            name = f"sums, {channels} channels, 2^{power} positions"
            bench.add(name, gram_errors, bench, channels, 1 << power)
    if bench.card:
        bench.add("failed recording", failed_recording, bench, needs=10)


def _paintings() -> Mapping[str, Picture]:
    """Paintings in which hardly anything varies."""
    side = 64
    ramp = np.linspace(0, 255, side)
    noise = np.random.default_rng(0).integers(0, 2, (side, side, 3))
    made = {
        "grey": np.full((side, side, 3), 128),
        "noise of one level": 128 + noise,
        "two colours": np.where(np.arange(side)[:, None, None] < side // 2, [200, 40, 30], 90),
        "gradient": ramp[None, :, None] * np.ones((side, 1, 3)),
    }
    return {
        name: picture_from_pixels(
            np.broadcast_to(pixels, (side, side, 3)).astype(np.uint8).copy(), name
        )
        for name, pixels in made.items()
    }


def flat_painting(bench: Bench, painting: Picture) -> dict[str, object]:
    """Fifty steps of Adam under the Wasserstein loss: nothing breaks, and the CPU comes as far."""
    found: dict[str, object] = {}
    for network in ("draft", "vgg19") if bench.card else ("draft",):
        side = 128 if bench.card else 48
        settings = bench.settings(
            network=network, output_size=side, coarsest_size=side, steps=50, optimizer="adam"
        )
        outcome = returned(stylize(bench.job(settings, painting)))
        row = _told(outcome)
        # A distance is not below 0, whatever is wrong with it.
        sound = outcome.ending is Ending.FINISHED and not outcome.events
        row["within"] = sound and 0 <= row["total"] < float("inf")
        if bench.card:
            # In the same numbers, so that only the roots differ.
            here = settings.changed(precision="float32")
            there = here.changed(device="cpu")
            ours, host = (_told(returned(stylize(bench.job(s, painting)))) for s in (here, there))
            row["over the CPU's"] = ours["total"] / host["total"] - 1
            row["within"] = row["within"] and abs(row["over the CPU's"]) <= _FROM_CPU
        found[network] = row
    return found


def _told(outcome: Outcome) -> dict[str, Any]:
    """How a job ended, in JSON's words."""
    total = float("nan") if outcome.pastiche is None else outcome.pastiche.progress.total
    return {
        "ending": outcome.ending.value,
        "error": None if outcome.error is None else str(outcome.error),
        "events": [event.kind for event in outcome.events],
        "total": total,
    }


@torch.no_grad()
def gram_errors(bench: Bench, channels: int, positions: int) -> dict[str, float]:
    """The worst error of a Gram matrix g, relative to the root of g_ii g_jj, in all numbers."""
    height = 1 << (positions.bit_length() - 1) // 2
    shape = (1, channels, height, positions // height)
    found = {}
    for dtype in (torch.bfloat16, torch.float16, torch.float32):
        generator = torch.Generator(bench.device).manual_seed(0)
        features = torch.empty(
            shape, dtype=dtype, device=bench.device, memory_format=torch.channels_last
        )
        features.normal_(generator=generator).relu_()
        wanted = _gram(features)
        away = measure_statistics(features).gram.double() - wanted
        power = wanted.diagonal().sqrt()
        relative = (away / power / power[:, None]).abs()
        found[str(dtype).removeprefix("torch.")] = float(relative.max())
        del features
    return found


def _gram(features: Tensor) -> Tensor:
    """Features (1, C, H, W) as their Gram matrix (C, C) in float64, part by part."""
    rows = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])
    total = torch.zeros((rows.shape[1],) * 2, dtype=torch.float64, device=rows.device)
    for part in torch.split(rows, _CHUNK):
        wide = part.double()
        total += wide.T @ wide
    return total / len(rows)


def failed_recording(bench: Bench) -> dict[str, object]:
    """A job whose evaluation reads from the card as it is recorded: it goes on, and leaves nothing.

    The same job is run twice before, as a measure of what usually stays reserved.
    """
    settings = bench.settings(network="draft", output_size=256, coarsest_size=256, steps=40)
    job = bench.job(settings)
    usual = [_reserved_after(job)[0] for _ in range(2)][-1]
    with _reading_while_recorded() as reads:
        spoilt, outcome = _reserved_after(job)
    after, _ = _reserved_after(job)
    within = (
        outcome.ending is Ending.FINISHED
        and reads[0] > 0
        and max(spoilt, after) - usual <= _LEFT_BEHIND
    )
    reserved = {"usual": usual, "after the failure": spoilt, "after another job": after}
    return {**_told(outcome), "reads": reads[0], "reserved": reserved, "within": within}


def _reserved_after(job: Job) -> tuple[int, Outcome]:
    """Bytes that are still reserved when a job has ended, and how it did."""
    outcome = returned(stylize(job))
    gc.collect()
    torch.cuda.empty_cache()
    return torch.cuda.memory_reserved(), outcome


@contextmanager
def _reading_while_recorded() -> Iterator[list[int]]:
    """Have convolutions read a number back while they are recorded, and count how often."""
    reads, convolve = [0], F.conv2d

    def reading(*args: Any, **named: Any) -> Tensor:
        result: Tensor = convolve(*args, **named)
        if torch.cuda.is_current_stream_capturing():
            reads[0] += 1
            float(result.flatten()[0])
        return result

    with mock.patch.object(F, "conv2d", reading):
        yield reads
