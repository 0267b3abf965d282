"""Roots of small matrices by products alone, for devices that an eigendecomposition holds up.

On a graphics card an eigendecomposition of 512 x 512 numbers makes the host wait and takes longer
than the whole network. Newton-Schulz iterations are products, which it is made for. Their first
steps are stretched by the scaling of Chen and Chow (2014), so that a singular value of 1e-5 of the
largest is on its way to 1 as soon as the others.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

_MARGIN = 1.02
"""How far below 1 the largest singular value is kept: above it the first step turns it round."""

_ROOT_STEPS, _ROOT_LEAST = 14, 1e-4
_POLAR_STEPS, _POLAR_LEAST = 16, 1e-5
"""Steps until singular values from the least one up, relative to the norm, have arrived."""


@functools.cache
def _stretches(steps: int, least: float) -> tuple[float, ...]:
    """By how much each step stretches the singular values before it bends them towards 1."""
    found = []
    for _ in range(steps):
        stretch = (3 / (1 + least + least**2)) ** 0.5
        found.append(stretch)
        least = stretch * least * (1.5 - 0.5 * (stretch * least) ** 2)
    return tuple(found)


def root_and_inverse(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """A^1/2 and A^-1/2 of a symmetric positive definite matrix (C, C).

    Exact to rounding where the smallest eigenvalue is above 1e-8 of the norm.
    """
    size: Tensor = torch.linalg.matrix_norm(matrix) * _MARGIN**2
    identity = torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
    root, inverse = matrix / size, identity
    for stretch in _stretches(_ROOT_STEPS, _ROOT_LEAST):
        step = _step(identity, inverse, root, stretch)
        root, inverse = root @ step, step @ inverse
    return root * size.sqrt(), inverse / size.sqrt()


def polar_factor(matrix: Tensor) -> Tensor:
    """U V^T of a matrix U S V^T (C, K), C >= K: the orthonormal columns nearest to its own.

    Exact to rounding where the smallest singular value is above 1e-5 of the norm.
    """
    factor: Tensor = matrix / (torch.linalg.matrix_norm(matrix) * _MARGIN)
    identity = torch.eye(matrix.shape[1], dtype=matrix.dtype, device=matrix.device)
    for stretch in _stretches(_POLAR_STEPS, _POLAR_LEAST):
        factor = factor @ _step(identity, factor.T, factor, stretch)
    return factor


def _step(identity: Tensor, left: Tensor, right: Tensor, stretch: float) -> Tensor:
    """A (3 I - a^2 L R) / 2."""
    step: Tensor = torch.addmm(identity, left, right, beta=1.5 * stretch, alpha=-0.5 * stretch**3)
    return step
