"""Statistics of features that add up over positions: everything a style loss looks at.

Tiles, regions, several devices and several paintings all rest on this one fact: the number of
positions, the sum of the feature vectors and the sum of their outer products are sums.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_RIDGE = 1e-3
"""The ridge relative to the mean variance."""

_TINY = 1e-12
"""Far below any real power; keeps a flat picture from dividing by 0."""


@dataclass(frozen=True)
class Statistics:
    """Additive statistics of the features of one layer.

    Attributes:
        count: Number of positions, or their total weight.
        total: Sum of the feature vectors, shape (C,), float32 or float64.
        outer: Sum of the outer products f f^T, shape (C, C), symmetric.
    """

    count: float
    total: Tensor
    outer: Tensor

    def __add__(self, other: Statistics) -> Statistics:
        """The statistics of both sets of positions together."""
        return Statistics(
            self.count + other.count, self.total + other.total, self.outer + other.outer
        )

    @property
    def mean(self) -> Tensor:
        """Mean feature vector, (C,)."""
        return self.total / self.count

    @property
    def gram(self) -> Tensor:
        """Gram matrix F F^T / HW, (C, C): the raw second moment."""
        return self.outer / self.count

    @property
    def covariance(self) -> Tensor:
        """Covariance, (C, C); positive semi-definite up to rounding."""
        mean = self.mean
        return self.gram - torch.outer(mean, mean)

    @property
    def variance(self) -> Tensor:
        """Variance of each channel, (C,), never below 0."""
        return (self.gram.diagonal() - self.mean.square()).clamp_min(0)

    @functools.cached_property
    def ridge(self) -> Tensor:
        """What is added to the variances before roots are taken; a scalar.

        Few positions span few directions, and the root's slope at 0 is infinite.
        """
        return _RIDGE * self.variance.mean() + _TINY

    @functools.cached_property
    def covariance_root(self) -> Tensor:
        """Square root of covariance plus ridge, (C, C); a target is asked for it at every step."""
        identity = torch.eye(len(self.total), dtype=self.total.dtype, device=self.total.device)
        values, vectors = eigh(self.covariance + self.ridge * identity)
        return symmetric_power(values, vectors, 0.5)


def eigh(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues (C,), ascending, and eigenvectors (C, C) in columns of a symmetric matrix."""
    if matrix.device.type == "mps":  # Metal cannot, in most of the versions we run on
        values, vectors = torch.linalg.eigh(matrix.cpu())
        return values.to(matrix.device), vectors.to(matrix.device)
    values, vectors = torch.linalg.eigh(matrix)
    return values, vectors


def symmetric_power(values: Tensor, vectors: Tensor, exponent: float) -> Tensor:
    """A symmetric positive definite matrix to a power, from its eigenvalues and eigenvectors.

    Args:
        values: Ascending, (C,); rounding may leave the smallest below 0.
        vectors: In columns, (C, C).
        exponent: Any real number.
    """
    resolution = torch.finfo(values.dtype).eps
    safe = values.clamp_min(values[-1].abs() * resolution + _TINY)
    return (vectors * safe.pow(exponent)) @ vectors.T


def as_matrix(features: Tensor) -> Tensor:
    """View features (1, C, H, W) as a matrix (C, HW), whichever way they lie in memory."""
    if features.is_contiguous(memory_format=torch.channels_last):
        return features.permute(0, 2, 3, 1).reshape(-1, features.shape[1]).T
    return features.reshape(features.shape[1], -1)


@torch.no_grad()
def measure(features: Tensor) -> Statistics:
    """Statistics of features (1, C, H, W), summed in at least float32."""
    matrix = as_matrix(features)
    matrix = matrix.to(torch.promote_types(matrix.dtype, torch.float32))
    return Statistics(matrix.shape[1], matrix.sum(1), matrix @ matrix.T)


def add_up(sums: dict[str, Statistics], layer: str, part: Statistics) -> None:
    """Add one tile's statistics of a layer to those of the tiles before it."""
    sums[layer] = sums[layer] + part if layer in sums else part


@torch.no_grad()
def blend(parts: Sequence[Statistics], shares: Sequence[float]) -> Statistics:
    """Statistics of a mixture: each part counts by its share, however many positions it had.

    Args:
        parts: Statistics of the same layer of different pictures.
        shares: Relative weights, not negative, not all zero.
    """
    whole = sum(shares)
    scales = [share / whole / part.count for part, share in zip(parts, shares, strict=True)]
    total = torch.stack([part.total * k for part, k in zip(parts, scales, strict=True)]).sum(0)
    outer = torch.stack([part.outer * k for part, k in zip(parts, scales, strict=True)]).sum(0)
    return Statistics(1.0, total, outer)
