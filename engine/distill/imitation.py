"""A student's weights in closed form: layer by layer it takes over part of its teacher.

    for each convolution, in order:
        choose the teacher's channels that tell most about the others
        find the kernel which computes them best from what the student has computed so far

Such a kernel is a least squares solution, so this takes minutes and no gradient, and each layer
makes up for the errors of those before it.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.distill.episodes import as_images
from engine.distill.networks import Student, Teacher, convolve, normalised, opens_stage, padded

_FRAMES = 32
"""Pictures shown at once."""

_POSITIONS = 120_000
"""Samples of a layer, a few for each unknown of a kernel; taken on a grid in every picture."""

_ALTERNATIONS = 5

_RIDGE = 1e-4
"""What is added to second moments, relative to their mean diagonal."""


@torch.no_grad()
def imitate(student: Student, teacher: Teacher, frames: Tensor) -> None:
    """Set a student's weights so that its layers are a part of the teacher's.

    Args:
        student: Each of its convolutions imitates the teacher's of the same name.
        teacher: With its bases, on the student's device.
        frames: (N, 3, S, S), uint8.
    """
    device = next(student.parameters()).device
    shown = [normalised(as_images(part, device)) for part in torch.split(frames, _FRAMES)]
    followed = list(shown)
    kernels = {name: (weight, bias) for name, weight, bias in student.kernels()}
    for name, kernel, offset in teacher.kernels():
        if opens_stage(name):
            shown = [F.max_pool2d(flow, 2) for flow in shown]
            followed = [F.avg_pool2d(flow, 2) for flow in followed]
        samples = []
        positions = sum(flow[:, 0].numel() for flow in shown)
        stride = max(1, round((positions / _POSITIONS) ** 0.5))
        for number, flow in enumerate(shown):
            wanted = convolve(flow, kernel, offset, name)
            if name in kernels:
                patches = _patches(followed[number], name, stride)
                samples.append((patches, _columns(_grid(wanted, stride))))
            shown[number] = torch.relu(wanted)
        if name in kernels:
            patches, wanted = (torch.cat(parts, 1) for parts in zip(*samples, strict=True))
            weight, bias = kernels[name]
            wanted = wanted[most_telling(torch.relu(wanted), len(bias))]
            fitted = fit_convolution(patches, wanted)
            weight.copy_(fitted[:, :-1].view(len(bias), 3, 3, -1).permute(0, 3, 1, 2))
            bias.copy_(fitted[:, -1])
            followed = [torch.relu(convolve(flow, weight, bias, name)) for flow in followed]
        basis = teacher.bases.get(f"relu{name}")
        if basis is not None:
            student.projections[f"relu{name}"].copy_(_projection(followed, shown, basis))


def fit_convolution(patches: Tensor, wanted: Tensor) -> Tensor:
    """The matrix (C, D) for which relu(matrix @ patches) comes near relu(wanted).

    Where a unit is to be silent anything negative will do, so there the guess itself becomes what
    is wanted, and least squares are solved again.

    Args:
        patches: (D, n).
        wanted: (C, n), before the ReLU.
    """
    square = (patches @ patches.T).double()
    square.diagonal().add_(_RIDGE * square.diagonal().mean())
    factor = torch.linalg.cholesky(square)
    aim = wanted
    for _ in range(_ALTERNATIONS):
        matrix = torch.cholesky_solve((patches @ aim.T).double(), factor).T.float()
        aim = torch.where(wanted > 0, wanted, (matrix @ patches).clamp_max_(0))
    return matrix


def most_telling(activations: Tensor, count: int) -> list[int]:
    """The channels of activations (C, n) from which the others can best be told linearly.

    A pivoted Cholesky decomposition of the second moments: always next the channel of which least
    is known from those before (Higham 1990).
    """
    left = (activations @ activations.T).double()
    chosen: list[int] = []
    for _ in range(count):
        powers = left.diagonal().clone()
        powers[chosen] = -1
        chosen.append(int(powers.argmax()))
        column = left[:, chosen[-1]]
        left = left - torch.outer(column, column) / column[chosen[-1]].clamp_min(1e-12)
    return chosen


def _projection(followed: list[Tensor], shown: list[Tensor], basis: Tensor) -> Tensor:
    """The best linear map (K, C) from the student's activations to the teacher's on a basis."""
    width = followed[0].shape[1]
    square = basis.new_zeros(width, width, dtype=torch.float64)
    product = basis.new_zeros(width, len(basis), dtype=torch.float64)
    for flow, activations in zip(followed, shown, strict=True):
        found = _columns(flow)
        square += found @ found.T
        product += found @ (basis @ _columns(activations)).T
    square.diagonal().add_(_RIDGE * square.diagonal().mean())
    projection: Tensor = torch.linalg.solve(square, product).T
    return projection


def _patches(flow: Tensor, name: str, stride: int) -> Tensor:
    """What a convolution meets around each position of the grid, and a 1: (9 C + 1, n)."""
    height, width = flow.shape[2:]
    framed = padded(flow, name)
    shifted = [
        _grid(framed[:, :, row : row + height, column : column + width], stride)
        for row in range(3)
        for column in range(3)
    ]
    columns = _columns(torch.cat(shifted, 1))
    return torch.cat([columns, columns.new_ones(1, columns.shape[1])])


def _grid(flow: Tensor, stride: int) -> Tensor:
    return flow[:, :, stride // 2 :: stride, stride // 2 :: stride]


def _columns(flow: Tensor) -> Tensor:
    """Features (N, C, H, W) as (C, N H W)."""
    return flow.transpose(0, 1).flatten(1)
