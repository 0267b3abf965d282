"""How features are halved between stages, three ways, each with its transpose."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.spec.choices import Pooling

Transpose = Callable[[Tensor], Tensor]
"""Carries a gradient from an operation's output back to its input; may change it in place."""

_SCALES = {
    Pooling.AVERAGE: (1.2, 1.6, 1.4, 2.0),
    Pooling.L2: (0.57, 0.7, 0.67, 0.79),
}
"""What keeps the power of the activations after each of the four poolings, where the network was
trained with max pooling: the mean ratio on photographs and paintings, which hardly vary."""


def pool(
    flow: Tensor, pooling: Pooling | None, stage: int, *, rectify: bool
) -> tuple[Tensor, Transpose]:
    """Halve the rectified features (1, C, H, W) of a stage, and say how gradients come back.

    An odd last row or column is dropped.

    Args:
        flow: The features; kept only where the way back needs their values.
        pooling: How they are halved; None for the plain mean.
        stage: Of the features, from 1.
        rectify: Whether the transpose also stops the gradient where the features are 0, as the
            ReLU before it would have.
    """
    if pooling is None:
        return _average_pool(flow, 1.0, rectify=rectify)
    if pooling is Pooling.MAX:
        return _max_pool(flow, rectify=rectify)
    scale = _SCALES[pooling][stage - 1]
    if pooling is Pooling.AVERAGE:
        return _average_pool(flow, scale, rectify=rectify)
    return _l2_pool(flow, scale)


def stopping(values: Tensor) -> Transpose:
    """What stops a gradient where values are not above 0, in place; it holds a byte for each."""
    if values.is_cpu:
        # Bytes multiply faster than truths here; on a graphics card it is the other way round.
        positive = (values > 0).view(torch.uint8)
        return lambda gradient: gradient.mul_(positive)
    stopped = values <= 0
    return lambda gradient: gradient.masked_fill_(stopped, 0)


def _average_pool(flow: Tensor, scale: float, *, rectify: bool) -> tuple[Tensor, Transpose]:
    shape, layout = flow.shape, _layout(flow)
    stop = stopping(flow) if rectify else None

    def transpose(gradient: Tensor) -> Tensor:
        spread = _spread((gradient * (scale / 4)).contiguous(memory_format=layout), shape)
        return spread if stop is None else stop(spread)

    return F.avg_pool2d(flow, 2) * scale, transpose


def _l2_pool(flow: Tensor, scale: float) -> tuple[Tensor, Transpose]:
    """The root of the sum of squares; it has no slope at 0, where a ReLU stops the gradient.

    Squares of half-precision numbers overflow, so they are summed in float32.
    """
    wide = torch.promote_types(flow.dtype, torch.float32)
    root = (F.avg_pool2d(flow.to(wide).square(), 2) * 4).sqrt_()

    def transpose(gradient: Tensor) -> Tensor:
        ratio = gradient.to(wide) * scale / root.clamp_min(1e-12)
        return _spread(ratio, flow.shape).mul_(flow).to(flow.dtype)

    return (root * scale).to(flow.dtype), transpose


def _max_pool(flow: Tensor, *, rectify: bool) -> tuple[Tensor, Transpose]:
    """Neither the features nor 8-byte indices are kept, only where in its square each maximum is.

    What remains takes 3 bytes for 4 features.
    """
    size, none, one = [2, 2], [0, 0], [1, 1]
    shape, layout = flow.shape, _layout(flow)
    pooled, indices = torch.ops.aten.max_pool2d_with_indices(flow, size, size)
    height, width = pooled.shape[2:]
    rows = torch.arange(height, device=flow.device).view(-1, 1) * (2 * shape[3])
    corners = rows + 2 * torch.arange(width, device=flow.device)
    # Columns are counted from the corner: 0, 1, W or W + 1, and W is at most 16384.
    offsets = _less(indices, corners)
    stop = stopping(pooled) if rectify else None
    del indices, flow

    def transpose(gradient: Tensor) -> Tensor:
        if stop is not None:
            gradient = stop(gradient)
        places = _plus(offsets, corners)
        if gradient.device.type == "mps":  # its own transpose looks for the maxima again
            flat = gradient.new_zeros(shape).flatten(2)
            return flat.scatter_(2, places.flatten(2), gradient.flatten(2)).view(shape)
        result = torch.empty(
            shape, dtype=gradient.dtype, device=gradient.device, memory_format=layout
        )
        # Of the features only the shape is asked, so the result may stand for them.
        torch.ops.aten.max_pool2d_with_indices_backward.grad_input(
            gradient, result, size, size, none, one, False, places, grad_input=result
        )
        return result

    return pooled, transpose


def _less(indices: Tensor, corners: Tensor) -> Tensor:
    """The difference as int16; a CPU would widen and narrow in copies of its own."""
    if indices.is_cpu:
        return indices.sub_(corners).to(torch.int16)
    return torch.sub(indices, corners, out=torch.empty_like(indices, dtype=torch.int16))


def _plus(offsets: Tensor, corners: Tensor) -> Tensor:
    """The sum as int64."""
    if offsets.is_cpu:
        return offsets.to(torch.int64).add_(corners)
    return offsets + corners


def _layout(flow: Tensor) -> torch.memory_format:
    last = flow.stride(1) == 1  # of a tile's own part, too, which is a view
    return torch.channels_last if last else torch.contiguous_format


def _spread(gradient: Tensor, shape: torch.Size) -> Tensor:
    """Repeat each value over its 2x2 square; an odd last row or column of `shape` gets zeros."""
    wide = _doubled(gradient)
    below, beside = shape[2] - wide.shape[2], shape[3] - wide.shape[3]
    # Padding by nothing copies, too.
    return F.pad(wide, (0, beside, 0, below)) if below or beside else wide


def _doubled(values: Tensor) -> Tensor:
    """Each value (1, C, H, W) four times, in a copy that lies as they do."""
    count, channels, height, width = values.shape
    if values.stride(1) == 1:
        rows = values.permute(0, 2, 3, 1)[:, :, None, :, None]
        spread = rows.expand(count, height, 2, width, 2, channels)
        return spread.reshape(count, 2 * height, 2 * width, channels).permute(0, 3, 1, 2)
    spread = values[:, :, :, None, :, None].expand(count, channels, height, 2, width, 2)
    return spread.reshape(count, channels, 2 * height, 2 * width)
