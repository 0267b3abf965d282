"""How fast evaluations are, beside the plain way and beside what the card could do."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from engine.network.costs import NetworkCosts
from engine.spec.choices import StyleLoss
from engine.spec.settings import Settings
from engine.spec.tiles import WHOLE
from tests.benchmarks.common import Way, evaluations
from tests.benchmarks.device import alternatives
from tests.benchmarks.device.bench import Bench, float32_as, unrecorded
from tests.benchmarks.device.timing import convolution_rate, median_seconds

_TOP = 15
"""Kernels that are listed, the slowest first."""


def measure(bench: Bench) -> None:
    """Times, then the kernels they are made of, then other ways to do the same."""
    numbers = "bfloat16" if bench.card else "ieee"
    bench.add("ceiling", _ceiling, bench, numbers)
    sizes = (1024, 2048, 512) if bench.card else (64,)
    for size in sizes:
        for loss in (StyleLoss.GRAM, StyleLoss.WASSERSTEIN) if bench.card else (StyleLoss.GRAM,):
            bench.add(f"vgg19 {loss} {size}", _beside_reference, bench, loss, size, needs=5)
        bench.add(f"draft {size}", _draft, bench, size)
        if bench.card and size < 2048:
            for network in ("vgg19", "draft"):
                bench.add(f"kernels, {network} {size}", _kernels, bench, network, size)
    alternatives.measure(bench)


def _ceiling(bench: Bench, numbers: str) -> dict[str, object]:
    rates = convolution_rate(bench.device, numbers)
    return {"rates": rates, "best": max(rates.values())}


def _beside_reference(bench: Bench, loss: StyleLoss, size: int) -> dict[str, object]:
    """Seconds of the plain way in TF32, products included, and in exact float32; and of ours."""
    settings = bench.settings(style_loss=loss)
    plain = Way("reference", settings.changed(precision="float32"), None)
    found: dict[str, Any] = {}
    for numbers in ("tf32", "ieee") if bench.card else ("ieee",):
        context = float32_as(numbers, numbers)
        found[f"reference, {numbers}"] = _seconds(bench, plain, size, context)
        bench.clear()
    found |= _ours(bench, settings, size)
    seconds = found["ours"]
    costs = NetworkCosts.of(settings, 4, winograd=False)
    found["operations per second"] = costs.operations((size, size), WHOLE) / seconds
    found["ratio"] = {
        numbers: found[f"reference, {numbers}"] / seconds
        for numbers in ("tf32", "ieee")
        if f"reference, {numbers}" in found
    }
    return found


def _ours(bench: Bench, settings: Settings, size: int) -> dict[str, Any]:
    """Seconds as the program does it, replayed on a card; there also kernel by kernel."""
    way = Way("ours", settings, WHOLE)
    found = {"ours": _seconds(bench, way, size)}
    bench.clear()
    if bench.card:
        found["ours, eager"] = _seconds(bench, way, size, unrecorded())
    return found


def _draft(bench: Bench, size: int) -> dict[str, Any]:
    return _ours(bench, bench.settings(network="draft"), size)


def _seconds(
    bench: Bench, way: Way, size: int, how: AbstractContextManager[None] | None = None
) -> float:
    """Of one evaluation in some context, once all is warm and recorded."""
    evaluate = evaluations(way, bench.weights_of(way.settings))(size)
    with how or nullcontext():
        return median_seconds(evaluate, bench.device, rounds=10 if bench.card else 3, warm=6)


def _kernels(bench: Bench, network: str, size: int) -> list[dict[str, object]]:
    """The kernels that take most of one evaluation, with the share of all kernels' time."""
    way = Way("ours", bench.settings(network=network), WHOLE)
    evaluate = evaluations(way, bench.weights_of(way.settings))(size)
    with unrecorded():
        for _ in range(5):
            evaluate()
        torch.cuda.synchronize()
        with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
            evaluate()
            torch.cuda.synchronize()
    events = [event for event in seen.key_averages() if event.device_type.name == "CUDA"]
    whole = sum(event.self_device_time_total for event in events)
    events.sort(key=lambda event: event.self_device_time_total, reverse=True)
    rows: list[dict[str, object]] = [
        {
            "kernel": event.key[:120],
            "count": event.count,
            "microseconds": event.self_device_time_total,
            "share": event.self_device_time_total / whole,
        }
        for event in events[:_TOP]
    ]
    every = sum(event.count for event in events)
    return [{"kernel": "all", "count": every, "microseconds": whole, "share": 1.0}, *rows]
