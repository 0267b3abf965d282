"""The 3x3 convolutions of the network, by the fastest means this machine has.

Three ways give the same numbers to rounding: Winograd in float32 (NNPACK, where a CPU has no unit
for bfloat16; half as fast again as the direct way at 512 px), oneDNN's direct convolution with
weights packed beforehand and the ReLU fused in (bfloat16 on a CPU, and CPUs without NNPACK), and
torch's own choice with channels last (everything else, and beside NNPACK where channels are few).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.network.winograd import is_large, is_wide

_PACKED_FOR = 128
"""The side of the image that weights are packed for; other sizes run as well."""


@dataclass(frozen=True)
class Arithmetic:
    """How numbers are computed: where, in which type, in which memory layout, by which means.

    Attributes:
        device: Where the tensors live.
        dtype: What the network computes in: float32, bfloat16, or float64 as a reference.
        winograd: Whether to use NNPACK, which reads plain (C, H, W) images.
        fused: Whether a convolution rectifies in the same kernel: oneDNN's, with packed weights,
            on a CPU, and cuDNN's on a card.
        channels_last: Whether the channels of a position lie together in memory.
        products: Whether roots of matrices are taken by products; else by eigenvalues.
        recordings: Whether evaluations of whole images are recorded and replayed.
    """

    device: torch.device
    dtype: torch.dtype
    winograd: bool = False
    fused: bool = False
    channels_last: bool = True
    products: bool = False
    recordings: bool = False

    @property
    def packed(self) -> bool:
        """Whether weights are packed for oneDNN."""
        return self.fused and self.device.type == "cpu"

    @property
    def layout(self) -> torch.memory_format:
        """How features and weights lie in memory."""
        plain = self.winograd or not self.channels_last
        return torch.contiguous_format if plain else torch.channels_last

    def tensor(self, values: Tensor) -> Tensor:
        """Values (1, C, H, W) as this arithmetic wants them; no copy where they already are."""
        return values.to(self.device, self.dtype).contiguous(memory_format=self.layout)


def winograd_available() -> bool:
    """Whether this build of torch has NNPACK and the CPU runs it; asking also initialises it."""
    return bool(torch.backends.nnpack.is_available())  # type: ignore[no-untyped-call]


def fused_available(dtype: torch.dtype) -> bool:
    """Whether oneDNN computes in these numbers on this CPU, and by its own units."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    if dtype is torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return dtype is torch.float32


class Convolution:
    """One 3x3 convolution with padding 1, forward and its transpose; the weights are constant."""

    def __init__(self, weight: Tensor, bias: Tensor, arithmetic: Arithmetic) -> None:
        """Take weight (C_out, C_in, 3, 3) and bias (C_out,) to the arithmetic's place and dtype."""
        if arithmetic.winograd and not is_wide(weight.shape[1], weight.shape[0]):
            arithmetic = replace(arithmetic, winograd=False)
        self._layout = arithmetic.layout
        self._weight = arithmetic.tensor(weight)
        self._bias = bias.to(arithmetic.device, arithmetic.dtype)
        # The gradient of a convolution with padding 1 is the convolution with the kernels turned
        # half round and input and output channels swapped.
        self._turned = arithmetic.tensor(weight.flip(2, 3).transpose(0, 1))
        self._convolve = _convolution(self._weight, arithmetic)
        self._transpose = _convolution(self._turned, arithmetic)
        self._rectified = _rectified(arithmetic)

    def forward(self, image: Tensor) -> Tensor:
        """Convolve (1, C_in, H, W) to (1, C_out, H, W)."""
        return self._convolve(self._laid(image), self._bias, rectify=False)

    def forward_relu(self, image: Tensor) -> Tensor:
        """Convolve and rectify in one go."""
        return self._convolve(self._laid(image), self._bias, rectify=True)

    def forward_replicated(self, image: Tensor) -> Tensor:
        """Convolve with the border's pixels repeated outwards instead of zeros."""
        return F.conv2d(self._replicated(image), self._weight, self._bias)

    def forward_replicated_relu(self, image: Tensor) -> Tensor:
        """The same and rectify in one go."""
        return self._rectified(self._replicated(image), self._weight, self._bias, padding=0)

    def transpose(self, gradient: Tensor) -> Tensor:
        """Carry a gradient (1, C_out, H, W) back to the input (1, C_in, H, W)."""
        return self._transpose(self._laid(gradient), None, rectify=False)

    def transpose_replicated(self, gradient: Tensor) -> Tensor:
        """Carry a gradient back through `forward_replicated`."""
        widened = F.conv2d(self._laid(gradient), self._turned, None, padding=2)
        # What fell on the repeated border belongs to the pixels it was repeated from.
        widened[..., 1, :] += widened[..., 0, :]
        widened[..., -2, :] += widened[..., -1, :]
        widened[..., 1] += widened[..., 0]
        widened[..., -2] += widened[..., -1]
        return widened[..., 1:-1, 1:-1]

    def _replicated(self, image: Tensor) -> Tensor:
        return self._laid(F.pad(image, (1, 1, 1, 1), mode="replicate"))

    def _laid(self, image: Tensor) -> Tensor:
        return image.contiguous(memory_format=self._layout)


class _Convolve(Protocol):
    def __call__(self, image: Tensor, bias: Tensor | None, *, rectify: bool) -> Tensor: ...


def _convolution(weight: Tensor, arithmetic: Arithmetic) -> _Convolve:
    """The fastest way to convolve with these weights and padding 1."""
    if arithmetic.packed:
        return _packed(weight)
    return _winograd(weight) if arithmetic.winograd else _direct(weight, _rectified(arithmetic))


class _Rectified(Protocol):
    def __call__(
        self, image: Tensor, weight: Tensor, bias: Tensor | None, *, padding: int
    ) -> Tensor: ...


def _rectified(arithmetic: Arithmetic) -> _Rectified:
    """How to convolve and rectify where weights are not packed."""
    return _in_one_kernel if arithmetic.fused and not arithmetic.packed else _in_two_steps


def _in_one_kernel(image: Tensor, weight: Tensor, bias: Tensor | None, *, padding: int) -> Tensor:
    """By cuDNN; torch would add the bias and rectify in kernels of their own."""
    ones = [1, 1]
    result: Tensor = torch.cudnn_convolution_relu(
        image, weight, bias, ones, [padding, padding], ones, 1
    )
    return result


def _in_two_steps(image: Tensor, weight: Tensor, bias: Tensor | None, *, padding: int) -> Tensor:
    return torch.relu_(F.conv2d(image, weight, bias, padding=padding))


def _direct(weight: Tensor, rectified: _Rectified = _in_two_steps) -> _Convolve:
    def convolve(image: Tensor, bias: Tensor | None, *, rectify: bool) -> Tensor:
        if rectify:
            return rectified(image, weight, bias, padding=1)
        return F.conv2d(image, weight, bias, padding=1)

    return convolve


def _winograd(weight: Tensor) -> _Convolve:
    direct = _direct(weight)

    def convolve(image: Tensor, bias: Tensor | None, *, rectify: bool) -> Tensor:
        if not is_large(image.shape[2] * image.shape[3]):
            return direct(image, bias, rectify=rectify)
        result = torch._nnpack_spatial_convolution(image, weight, bias, 1)
        return torch.relu_(result) if rectify else result

    return convolve


def _packed(weight: Tensor) -> _Convolve:
    ones = [1, 1]
    example = [1, weight.shape[1], _PACKED_FOR, _PACKED_FOR]
    packed = torch.ops.mkldnn._reorder_convolution_weight(weight, ones, ones, ones, 1, example)

    def convolve(image: Tensor, bias: Tensor | None, *, rectify: bool) -> Tensor:
        result: Tensor = torch.ops.mkldnn._convolution_pointwise(
            image, packed, bias, ones, ones, ones, 1, "relu" if rectify else "none", [], ""
        )
        return result

    return convolve
