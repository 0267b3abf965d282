"""Clocks for a device's work, and the most that a device can do."""

from __future__ import annotations

import functools
import itertools
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.nn import functional as F

from tests.benchmarks.device.bench import float32_as

NUMBERS: Mapping[str, tuple[torch.dtype, str]] = {
    "bfloat16": (torch.bfloat16, "ieee"),
    "tf32": (torch.float32, "tf32"),
    "ieee": (torch.float32, "ieee"),
}
"""Name -> the type of the numbers, and how those of float32 are multiplied on a card."""


def median_seconds(
    work: Callable[[], object], device: torch.device, rounds: int = 10, warm: int = 3
) -> float:
    """The median of some calls, one queued behind the other, by the device's own clock."""
    for _ in range(warm):
        work()
    if device.type == "cpu":
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            work()
            times.append(time.perf_counter() - began)
        return statistics.median(times)
    torch.cuda.synchronize()
    marks: list[Any] = [
        torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        for _ in range(rounds + 1)
    ]
    marks[0].record()
    for mark in marks[1:]:
        work()
        mark.record()
    torch.cuda.synchronize()
    pairs = itertools.pairwise(marks)
    return float(statistics.median(before.elapsed_time(after) / 1e3 for before, after in pairs))


def copy_rate(device: torch.device) -> float:
    """Bytes in a second of a copy within the device, read and written bytes both counted."""
    count = 2**30 if device.type == "cuda" else 2**24
    source = torch.rand(count // 4, device=device)
    target = torch.empty_like(source)
    return 2 * count / median_seconds(lambda: target.copy_(source), device)


def product_rate(device: torch.device, numbers: str) -> float:
    """Floating-point operations in a second of a large product of square matrices."""
    side = 8192 if device.type == "cuda" else 256
    dtype, multiplied = NUMBERS[numbers]
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    with float32_as(multiplied, multiplied):
        return 2 * side**3 / median_seconds(lambda: left @ right, device, rounds=5)


@torch.no_grad()
def convolution_rate(device: torch.device, numbers: str) -> dict[str, float]:
    """Floating-point operations in a second of 3x3 convolutions as each stage of VGG has them."""
    scale = 4 if device.type == "cuda" else 1 / 8
    dtype, multiplied = NUMBERS[numbers]
    found = {}
    for channels, side in ((64, 512), (128, 256), (256, 128), (512, 64)):
        side = int(side * scale)
        image = torch.rand(1, channels, side, side, device=device).to(dtype)
        image = image.contiguous(memory_format=torch.channels_last)
        weight = (torch.rand(channels, channels, 3, 3, device=device) - 0.5).to(dtype)
        weight = weight.contiguous(memory_format=torch.channels_last)
        with float32_as(multiplied, multiplied):
            taken = median_seconds(
                functools.partial(F.conv2d, image, weight, padding=1), device, rounds=5
            )
        found[f"{channels} channels"] = 18 * channels**2 * side**2 / taken
    return found
