"""Roots of small matrices by products alone, for devices that an eigendecomposition holds up.

On a graphics card an eigendecomposition of 512 x 512 numbers makes the host wait and takes longer
than the whole network. Newton-Schulz iterations are products, which it is made for. Their first
steps are stretched by the scaling of Chen and Chow (2014), so that a singular value of 1e-5 of the
largest is on its way to 1 as soon as the others.

The polar factor takes any matrix. The root must have a positive one, and an eigenvalue that sums in
short numbers left below 0 grows without end. How far below they may be is bounded beforehand, by
products again.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

_MARGIN = 1.02
"""How far below 1 the largest singular value is kept: above it the first step turns it round."""

_ROOT_STEPS, _ROOT_LEAST = 12, 1e-3
_POLAR_STEPS, _POLAR_LEAST = 16, 1e-5
"""Steps until singular values from the least one up, relative to the norm, have arrived."""

_COARSE, _FINE = 5, 10
"""Doublings of a Chebyshev polynomial after which it is looked at: 2^5 and 2^10 are its degrees."""


@functools.cache
def _stretches(steps: int, least: float) -> tuple[float, ...]:
    """By how much each step stretches the singular values before it bends them towards 1."""
    found = []
    for _ in range(steps):
        stretch = (3 / (1 + least + least**2)) ** 0.5
        found.append(stretch)
        least = stretch * least * (1.5 - 0.5 * (stretch * least) ** 2)
    return tuple(found)


def depth_below_zero(matrix: Tensor) -> Tensor:
    """No eigenvalue of a symmetric matrix (C, C) is further below 0 than this scalar.

    With s the norm, the Chebyshev polynomial T_m of I - 2 A / s is at most 1 where eigenvalues lie
    in 0..s, and cosh(2 m asinh sqrt(d / s)) at one of -d. No eigenvalue exceeds the Frobenius norm,
    which so bounds d: at its least, of a matrix without any below 0, by about 3e-6 of the norm.
    """
    size: Tensor = torch.linalg.matrix_norm(matrix)
    identity = torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
    polynomial = identity - matrix * (2 / size)
    depth = size
    for doubling in range(1, _FINE + 1):
        # T_2m = 2 T_m^2 - 1
        polynomial = torch.addmm(identity, polynomial, polynomial, beta=-1, alpha=2)
        if doubling in (_COARSE, _FINE):
            # As many eigenvalues of 1 as there are keep the bound from falling below what is told.
            norm = torch.linalg.matrix_norm(polynomial).clamp_min(len(matrix) ** 0.5)
            bound = size * torch.sinh(torch.acosh(norm) / 2 ** (doubling + 1)).square()
            # What lies far below 0 leaves no numbers in the fine one.
            depth = torch.where(bound < depth, bound, depth)
    return depth


def root_and_inverse(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """A^1/2 and A^-1/2 of a symmetric positive definite matrix (C, C).

    Exact to rounding where the smallest eigenvalue is above 1e-6 of the norm.
    """
    size: Tensor = torch.linalg.matrix_norm(matrix) * _MARGIN**2
    identity = torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
    root, inverse = matrix / size, identity
    for stretch in _stretches(_ROOT_STEPS, _ROOT_LEAST):
        # Each from its own side: the other way round, rounding grows from step to step.
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
