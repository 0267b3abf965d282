"""VGG-19 and VGG-16 as a chain from pixels to named features, and the way back for gradients.

Only what the asked-for layers need is built. The backward pass is written out rather than left to
autograd: every operation has a one-line transpose, nothing is kept that the way back does not need,
and the gradients of the losses join in place at the layers they belong to.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.choices import NetworkName, Padding, Pooling
from engine.convolutions import Arithmetic, Convolution
from engine.layers import CHANNELS, CONVOLUTIONS

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""ImageNet's channel statistics, which torchvision's training subtracted and divided by."""

_POOLING_SCALES = {
    Pooling.AVERAGE: (1.2, 1.6, 1.4, 2.0),
    Pooling.L2: (0.57, 0.7, 0.67, 0.79),
}
"""What keeps the power of the activations after each of the four poolings, where the network was
trained with max pooling: the mean ratio on photographs and paintings, which hardly vary."""

Visit = Callable[[str, Tensor], None]
"""Look at features (1, C, H, W), given the asked-for layer's name."""

AddGradient = Callable[[str, Tensor, Tensor], None]
"""Add the loss's gradient, given a layer's name, features and what to add to."""


@dataclass(frozen=True)
class Record:
    """One operation of a forward pass: its transpose, and its features where asked for."""

    transpose: Callable[[Tensor], Tensor]
    layer: str = ""
    features: Tensor | None = None


Tape = list[Record]
"""A forward pass in order, as `Network.vjp` walks it back."""


@dataclass(frozen=True)
class _Block:
    """One convolution with its ReLU, named by stage and index as in `3_1`."""

    name: str
    convolution: Convolution
    pooled: bool


class Network:
    """A pretrained network up to the deepest layer asked for, normalisation inside.

    Args:
        name: Which network.
        weights: `conv1_1.weight` (C_out, C_in, 3, 3), `conv1_1.bias` (C_out,), ...
        layers: The layers whose features are wanted.
        arithmetic: Where and in which numbers.
        pooling: How features are halved.
        padding: What lies beyond the border for conv1_1.
    """

    def __init__(
        self,
        name: NetworkName,
        weights: Mapping[str, Tensor],
        layers: Collection[str],
        arithmetic: Arithmetic,
        pooling: Pooling = Pooling.MAX,
        padding: Padding = Padding.ZEROS,
    ) -> None:
        self.arithmetic = arithmetic
        self.layers = frozenset(layers)
        self._pooling = pooling
        self._padding = padding
        depth = max(_position(layer) for layer in layers)
        self._blocks = tuple(
            _Block(
                block,
                Convolution(
                    weights[f"conv{block}.weight"], weights[f"conv{block}.bias"], arithmetic
                ),
                pooled=index == 1 and stage > 1,
            )
            for stage, count in enumerate(CONVOLUTIONS[name], start=1)
            for index in range(1, count + 1)
            if (stage, index) <= depth
            for block in [f"{stage}_{index}"]
        )
        wide = torch.promote_types(arithmetic.dtype, torch.float32)
        self._mean, self._std = (
            torch.tensor(values, dtype=wide).view(1, 3, 1, 1).to(arithmetic.device)
            for values in (MEAN, STD)
        )

    @torch.no_grad()
    def forward(self, image: Tensor, visit: Visit, *, keep: bool = True) -> Tape:
        """Compute the features of an sRGB image and show each asked-for layer to `visit`.

        Args:
            image: (1, 3, H, W) in 0..1, H and W at least 16, on the arithmetic's device.
            visit: Must not change the features; without `keep` they are gone after the pass.
            keep: Whether to record what `vjp` needs.
        """
        tape: Tape = []
        flow = self.arithmetic.tensor((image - self._mean) / self._std)
        for number, block in enumerate(self._blocks):
            if block.pooled:
                flow, transpose = _pool(flow, self._pooling, int(block.name[0]) - 1)
                tape.append(Record(transpose))
            flow = self._convolve(flow, block, visit, tape, first=number == 0)
            if not keep:
                tape.clear()
        return tape

    def _convolve(
        self, flow: Tensor, block: _Block, visit: Visit, tape: Tape, *, first: bool
    ) -> Tensor:
        """One convolution and its ReLU; in place unless the convolution itself was asked for."""
        convolution = block.convolution
        conv, relu = f"conv{block.name}", f"relu{block.name}"
        replicated = first and self._padding is Padding.REPLICATE
        back = convolution.transpose_replicated if replicated else convolution.transpose
        if conv in self.layers:
            linear = (
                convolution.forward_replicated(flow) if replicated else convolution.forward(flow)
            )
            visit(conv, linear)
            tape.append(Record(back, conv, linear))
            flow = torch.relu(linear)
        else:
            tape.append(Record(back))
            if replicated:
                flow = torch.relu_(convolution.forward_replicated(flow))
            else:
                flow = convolution.forward_relu(flow)
        rectify = functools.partial(_relu_transpose, flow)
        if relu in self.layers:
            visit(relu, flow)
            tape.append(Record(rectify, relu, flow))
        else:
            tape.append(Record(rectify))
        return flow

    @torch.no_grad()
    def vjp(self, tape: Tape, add_gradient: AddGradient) -> Tensor:
        """The image's gradient, given that of each asked-for layer.

        Args:
            tape: From `forward`; emptied on the way, so that memory falls as it goes.
            add_gradient: Called once for each asked-for layer, from the deepest on.

        Returns:
            dL/dx, shape (1, 3, H, W), at least float32, for the image as `forward` was given it.
        """
        gradient: Tensor | None = None
        while tape:
            record = tape.pop()
            if record.features is not None:
                if gradient is None:
                    gradient = torch.zeros_like(record.features)
                add_gradient(record.layer, record.features, gradient)
            if gradient is not None:
                gradient = record.transpose(gradient)
        assert gradient is not None, "the deepest block holds an asked-for layer"
        return gradient.to(torch.promote_types(gradient.dtype, torch.float32)) / self._std


def floats_per_pixel(name: NetworkName, layers: Collection[str]) -> float:
    """How many values an evaluation keeps for the way back, per pixel of the image."""
    depth = max(_position(layer) for layer in layers)
    total, channels_before = 0.0, 0
    for stage, count in enumerate(CONVOLUTIONS[name], start=1):
        share, channels = 0.25 ** (stage - 1), CHANNELS[stage - 1]
        for index in range(1, count + 1):
            if (stage, index) > depth:
                return total
            total += share * channels * (1 + (f"conv{stage}_{index}" in layers))
            if index == 1:
                total += share * channels_before
        channels_before = channels
    return total


def _position(layer: str) -> tuple[int, int]:
    """Stage and index of a layer's name: conv4_2 -> (4, 2)."""
    stage, _, index = layer.removeprefix("conv").removeprefix("relu").partition("_")
    return int(stage), int(index)


def _relu_transpose(rectified: Tensor, gradient: Tensor) -> Tensor:
    torch.ops.aten.threshold_backward.grad_input(gradient, rectified, 0, grad_input=gradient)
    return gradient


def _pool(flow: Tensor, pooling: Pooling, stage: int) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Halve the features (1, C, H, W) of a stage, and say how gradients come back.

    An odd last row or column is dropped.
    """
    if pooling is Pooling.MAX:
        return _max_pool(flow)
    scale = _POOLING_SCALES[pooling][stage - 1]
    shape = flow.shape
    if pooling is Pooling.AVERAGE:
        return F.avg_pool2d(flow, 2) * scale, lambda g: _spread(g * (scale / 4), shape)
    # The root has no slope at 0, but there all four inputs are 0 and the ReLU stops the gradient.
    pooled = (F.avg_pool2d(flow.square(), 2) * 4).sqrt_()

    def transpose(gradient: Tensor) -> Tensor:
        return _spread(gradient * scale / pooled.clamp_min(1e-12), shape).mul_(flow)

    return pooled * scale, transpose


def _max_pool(flow: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    size, none, one = [2, 2], [0, 0], [1, 1]
    pooled, indices = torch.ops.aten.max_pool2d_with_indices(flow, size, size)

    def transpose(gradient: Tensor) -> Tensor:
        result: Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
            gradient, flow, size, size, none, one, False, indices
        )
        return result

    return pooled, transpose


def _spread(gradient: Tensor, shape: torch.Size) -> Tensor:
    """Repeat each value over its 2x2 square; an odd last row or column of `shape` gets zeros."""
    wide = F.interpolate(gradient, scale_factor=2, mode="nearest")
    return F.pad(wide, (0, shape[3] - wide.shape[3], 0, shape[2] - wide.shape[2]))
