"""Other ways to compute the same, each beside the way it is done: what is worth changing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.objective.losses import transport_by_products
from tests.benchmarks.device.bench import Bench
from tests.benchmarks.device.timing import median_seconds

_SIZES = (64, 128, 256, 512, 512)
"""Channels of the five style layers of VGG-19."""

_CHAIN = 60
"""Products one after another, about as many as the roots of one layer take."""

_RIDGE = 1e-3

_ONE = [1, 1]
"""Stride, padding and dilation of a convolution."""


def measure(bench: Bench) -> None:
    """Time them all; every value is in seconds."""
    bench.add("alternatives, masks", _masks, bench)
    if bench.card:
        bench.add("alternatives, convolution and ReLU", _rectified, bench)
        bench.add("alternatives, three channels or eight", _first, bench)
    bench.add("alternatives, padding by nothing", _padding, bench)
    for size in sorted(set(_SIZES)) if bench.card else (64,):
        bench.add(f"roots, {size} channels", _roots, bench, size)
    if bench.card:
        bench.add("roots, all layers", _all_roots, bench)


def _features(bench: Bench, channels: int, side: int) -> Tensor:
    """Features (1, C, H, W) as the network has them on this device, half of them 0."""
    if not bench.card:
        side //= 16
    dtype = torch.bfloat16 if bench.card else torch.float32
    values = torch.randn(1, channels, side, side, device=bench.device).relu_()
    return values.to(dtype).contiguous(memory_format=torch.channels_last)


def _timed(bench: Bench, ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    return {name: median_seconds(work, bench.device) for name, work in ways.items()}


def _masks(bench: Bench) -> dict[str, float]:
    """Stopping a gradient where the features are 0."""
    features = _features(bench, 64, 1024)
    gradient = torch.randn_like(features)
    positive = (features > 0).view(torch.uint8)
    as_numbers, stopped = positive.to(features.dtype), features <= 0
    ways: dict[str, Callable[[], object]] = {
        "times bytes": lambda: gradient.mul_(positive),
        "times numbers of its kind": lambda: gradient.mul_(as_numbers),
        "filled where stopped": lambda: gradient.masked_fill_(stopped, 0),
        "threshold of the features": lambda: torch.ops.aten.threshold_backward.grad_input(
            gradient, features, 0, grad_input=gradient
        ),
    }
    return _timed(bench, ways)


def _rectified(bench: Bench) -> dict[str, float]:
    """A convolution with its ReLU, in cuDNN's one call and in two."""
    found: dict[str, float] = {}
    for channels, side in ((64, 1024), (128, 512), (256, 256), (512, 128)):
        features = _features(bench, channels, side)
        given = features, _kernel(channels, channels, features), features.new_zeros(channels)
        ways: dict[str, Callable[[], object]] = {
            f"{channels} channels, two": partial(_in_two, *given),
            f"{channels} channels, one": partial(
                torch.cudnn_convolution_relu, *given, _ONE, _ONE, _ONE, 1
            ),
        }
        found |= _timed(bench, ways)
    return found


def _in_two(features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.relu_(F.conv2d(features, weight, bias, padding=1))


def _kernel(after: int, before: int, like: Tensor) -> Tensor:
    """A convolution's weight (C_out, C_in, 3, 3), of the same kind as some features."""
    weight = torch.randn(after, before, 3, 3, device=like.device)
    return weight.to(like.dtype).contiguous(memory_format=torch.channels_last)


def _first(bench: Bench) -> dict[str, float]:
    """The first convolution, of three channels and of as many as fill a tensor core's row."""
    ways: dict[str, Callable[[], object]] = {}
    for channels in (3, 4, 8):
        image = _features(bench, channels, 1024)
        weight = _kernel(64, channels, image)
        ways[f"{channels} channels"] = partial(F.conv2d, image, weight, padding=1)
        back, turned = _features(bench, 64, 1024), _kernel(channels, 64, image)
        ways[f"back to {channels} channels"] = partial(F.conv2d, back, turned, padding=1)
    return _timed(bench, ways)


def _padding(bench: Bench) -> dict[str, float]:
    """What a padding by no rows and columns costs beside one copy."""
    features = _features(bench, 64, 1024)
    return _timed(
        bench,
        {
            "padded by nothing": lambda: F.pad(features, (0, 0, 0, 0)),
            "copied": lambda: features.clone(),
        },
    )


def _covariance(bench: Bench, size: int, seed: int) -> Tensor:
    """A covariance (C, C) with a wide spectrum."""
    generator = torch.Generator().manual_seed(seed)
    factor = torch.randn(size, size, generator=generator) * torch.logspace(0, -2, size)
    found = factor @ factor.T / size + _RIDGE * torch.eye(size)
    return found.to(bench.device)


def _roots(bench: Bench, size: int) -> dict[str, float]:
    """The optimal transport of one layer by products, and an eigendecomposition as large."""
    found, target = (_covariance(bench, size, seed) for seed in (0, 1))
    factor, ridge = torch.linalg.cholesky(target), torch.tensor(_RIDGE, device=bench.device)
    ways: dict[str, Callable[[], object]] = {
        "by products": lambda: transport_by_products(found, factor, ridge),
        "eigenvalues": lambda: torch.linalg.eigh(found),
    }
    if bench.card:
        transport_by_products(found, factor, ridge)
        ways["by products, replayed"] = _recorded(
            lambda: transport_by_products(found, factor, ridge)
        )
    return _timed(bench, ways)


def _all_roots(bench: Bench) -> dict[str, float]:
    """Chains of products of all layers' sizes, replayed: one by one, side by side, and batched."""
    # Orthogonal, so that their products neither grow nor vanish.
    random = (torch.randn(size, size, device=bench.device) for size in _SIZES)
    matrices = [torch.linalg.qr(matrix).Q.contiguous() for matrix in random]
    pair = torch.stack(matrices[-2:])
    streams = [torch.cuda.Stream() for _ in matrices]  # type: ignore[no-untyped-call]
    ways: dict[str, Callable[[], object]] = {
        "one by one": lambda: [_chain(matrix) for matrix in matrices],
        "side by side": lambda: _side_by_side(matrices, streams),
        "the two largest, one by one": lambda: [_chain(matrix) for matrix in matrices[-2:]],
        "the two largest, side by side": lambda: _side_by_side(matrices[-2:], streams),
        "the two largest, batched": lambda: _chain(pair),
    }
    return _timed(bench, {name: _recorded(work) for name, work in ways.items()})


def _chain(matrix: Tensor) -> Tensor:
    """Products that each wait for the one before."""
    product = matrix
    for _ in range(_CHAIN):
        product = product @ matrix
    return product


def _side_by_side(matrices: Sequence[Tensor], streams: Sequence[torch.cuda.Stream]) -> None:
    """A stream for each matrix, which forks from the present one and joins it again."""
    present = torch.cuda.current_stream()
    for matrix, stream in zip(matrices, streams, strict=False):
        stream.wait_stream(present)
        with torch.cuda.stream(stream):
            _chain(matrix)
    for _, stream in zip(matrices, streams, strict=False):
        present.wait_stream(stream)


def _recorded(work: Callable[[], object]) -> Callable[[], object]:
    """The replay of some work."""
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        work()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay
