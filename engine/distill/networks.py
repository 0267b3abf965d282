"""Teacher and student as modules with one interface: pictures in, comparable features out.

The teacher's features at a layer are its activations on an orthonormal basis of its principal
directions, over their usual size. An orthonormal basis keeps lengths and angles, so losses measured
on these few channels are the teacher's own, but for the part the basis leaves out; and whatever
imitates these channels imitates the losses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.network.networks import MEAN, STD
from engine.spec.choices import NetworkName
from engine.spec.layers import CHANNELS, CONVOLUTIONS, PROJECTIONS, place_of

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYER = "relu4_2"
TAPS = tuple(PROJECTIONS)
"""The layers the student imitates, in the order of the network."""

Features = dict[str, Tensor]
"""Layer -> features (N, K, H, W)."""


@dataclass(frozen=True)
class Design:
    """The student's architecture.

    Attributes:
        convolutions: How many each of the five stages has; poolings lie between the stages.
        widths: Channels of the convolutions in each stage.
        directions: For each tap, how many of the teacher's principal directions are imitated.
    """

    convolutions: tuple[int, ...] = CONVOLUTIONS[NetworkName.DRAFT]
    widths: tuple[int, ...] = CHANNELS[NetworkName.DRAFT]
    directions: tuple[int, ...] = tuple(PROJECTIONS.values())

    def blocks(self) -> list[tuple[str, int, int]]:
        """Name (`3_1`), channels in and channels out of each convolution, in order."""
        channels, blocks = 3, []
        for stage, (count, width) in enumerate(
            zip(self.convolutions, self.widths, strict=True), start=1
        ):
            for index in range(1, count + 1):
                blocks.append((f"{stage}_{index}", channels, width))
                channels = width
        return blocks

    def width_at(self, layer: str) -> int:
        """Channels of a layer: relu4_2 -> those of the fourth stage."""
        return self.widths[place_of(layer)[0] - 1]


class Teacher(nn.Module):
    """VGG-19 up to relu5_1, its taps on their principal directions once these are known.

    Args:
        weights: `conv1_1.weight` (C_out, C_in, 3, 3), `conv1_1.bias` (C_out,), ...
    """

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self._kernels: list[tuple[str, Tensor, Tensor]] = []
        for stage, count in enumerate(CONVOLUTIONS[NetworkName.VGG19][:4], start=1):
            for index in range(1, count + 1):
                self._add_block(f"{stage}_{index}", weights)
        self._add_block("5_1", weights)
        self.bases: dict[str, Tensor] = {}

    def _add_block(self, name: str, weights: Mapping[str, Tensor]) -> None:
        kernel = weights[f"conv{name}.weight"].contiguous(memory_format=torch.channels_last)
        self._kernels.append((name, kernel, weights[f"conv{name}.bias"]))

    def moved(self, device: torch.device) -> Teacher:
        """This teacher with its weights on a device."""
        self._kernels = [(name, w.to(device), b.to(device)) for name, w, b in self._kernels]
        self.bases = {layer: basis.to(device) for layer, basis in self.bases.items()}
        return self

    def kernels(self) -> list[tuple[str, Tensor, Tensor]]:
        """Name, weight and bias of each convolution, in order."""
        return self._kernels

    def forward(self, images: Tensor) -> Features:
        """The taps of sRGB images (N, 3, H, W) in 0..1; raw activations where there is no basis."""
        flow, found = normalised(images), {}
        for name, weight, bias in self._kernels:
            if opens_stage(name):
                flow = F.max_pool2d(flow, 2)
            flow = torch.relu(convolve(flow, weight, bias, name))
            layer = f"relu{name}"
            if layer in TAPS:
                basis = self.bases.get(layer)
                found[layer] = flow if basis is None else F.conv2d(flow, basis[:, :, None, None])
        return found


class Student(nn.Module):
    """The draft network: VGG's skeleton with fewer and narrower convolutions.

    3x3 convolutions with padding 1 (the first repeats the border), each with a ReLU, a 2x2
    average between stages (its gradients are smoother than a maximum's, which go to single
    pixels); at each tap a 1x1 projection without bias maps the activations to the
    teacher's principal directions.
    """

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.design = design
        self.convolutions = nn.ModuleDict(
            {name: nn.Conv2d(inward, outward, 3, padding=1)
             for name, inward, outward in design.blocks()}
        )  # fmt: skip
        self.projections = nn.ParameterDict()
        for layer, directions in zip(TAPS, design.directions, strict=True):
            width = design.width_at(layer)
            self.projections[layer] = nn.Parameter(torch.randn(directions, width) / width**0.5)
        for _, weight, bias in self.kernels():
            nn.init.kaiming_normal_(weight, nonlinearity="relu")
            nn.init.zeros_(bias)

    def forward(self, images: Tensor) -> Features:
        """The taps of sRGB images (N, 3, H, W) in 0..1, projected."""
        flow, found = normalised(images), {}
        for name, weight, bias in self.kernels():
            if opens_stage(name):
                flow = F.avg_pool2d(flow, 2)
            flow = torch.relu(convolve(flow, weight, bias, name))
            layer = f"relu{name}"
            if layer in TAPS:
                found[layer] = F.conv2d(flow, self.projections[layer][:, :, None, None])
        return found

    def tensors(self) -> dict[str, Tensor]:
        """The weights as they are kept in files: conv1_1.weight, ..., relu5_1.projection."""
        kept: dict[str, Tensor] = {}
        for name, weight, bias in self.kernels():
            kept[f"conv{name}.weight"] = weight
            kept[f"conv{name}.bias"] = bias
        kept.update({f"{tap}.projection": self.projections[tap] for tap in TAPS})
        return kept

    def kernels(self) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Name, weight and bias of each convolution, in order."""
        for name, convolution in self.convolutions.items():
            assert isinstance(convolution, nn.Conv2d)
            assert convolution.bias is not None
            yield name, convolution.weight, convolution.bias


def normalised(images: Tensor) -> Tensor:
    """Images (N, 3, H, W) in 0..1 as the first convolution wants them."""
    mean, std = (images.new_tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


def opens_stage(name: str) -> bool:
    """Whether there is a pooling before a convolution (`2_1`)."""
    return name.endswith("_1") and name != "1_1"


def padded(flow: Tensor, name: str) -> Tensor:
    """Features with the border a convolution needs; the first one's repeats what it meets."""
    return F.pad(flow, (1, 1, 1, 1), mode="replicate" if name == "1_1" else "constant")


def convolve(flow: Tensor, weight: Tensor, bias: Tensor, name: str) -> Tensor:
    """What the convolution of that name makes of features, before its ReLU."""
    if name == "1_1":
        return F.conv2d(padded(flow, name), weight, bias)
    return F.conv2d(flow, weight, bias, padding=1)
