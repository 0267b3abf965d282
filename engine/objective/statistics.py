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

_WIDENED = 1 << 16
"""Positions that are widened to float32 at a time."""

TINY = 1e-12
"""Far below any real power; keeps a flat picture from dividing by 0."""


_GOES = 256
"""Parts of the positions that are summed beside each other on a card."""


@dataclass(frozen=True)
class Statistics:
    """Additive statistics of the features of one layer.

    Attributes:
        count: Number of positions, or their total weight, which stays on the device.
        total: Sum of the feature vectors, shape (C,), float32 or float64.
        outer: Sum of the outer products f f^T, shape (C, C), symmetric.
    """

    count: float | Tensor
    total: Tensor
    outer: Tensor

    def __add__(self, other: Statistics) -> Statistics:
        """The statistics of both sets of positions together."""
        return Statistics(
            self.count + other.count, self.total + other.total, self.outer + other.outer
        )

    def projected(self, projection: Tensor | None) -> Statistics:
        """The statistics of the features times a matrix (K, C); the same without one."""
        if projection is None:
            return self
        return Statistics(
            self.count, projection @ self.total, projection @ self.outer @ projection.T
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
        """A variance too small to matter, a scalar: the slope of a root at 0 is infinite."""
        return _RIDGE * self.variance.mean() + TINY

    @functools.cached_property
    def principal(self) -> tuple[Tensor, Tensor]:
        """Variances (K,) above the ridge and their directions (C, K); asked for at every step.

        Few positions span few directions, so of a small picture K is far below C.
        """
        values, vectors = eigh(self.covariance)
        above = values > self.ridge
        return values[above], vectors[:, above]


def eigh(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues (C,), ascending, and eigenvectors (C, C) in columns of a symmetric matrix."""
    # Metal cannot, in most of the versions we run on.
    here = matrix.cpu() if matrix.device.type == "mps" else matrix
    try:
        found = torch.linalg.eigh(here)
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
        # Many eigenvalues that are all but equal, as a painting of two colours has.
        found = torch.linalg.eigh(here.cpu().double())
    values, vectors = (tensor.to(matrix) for tensor in found)
    return values, vectors


def lies_as_matrix(features: Tensor) -> bool:
    """Whether the rows of features (1, C, H, W) follow each other, so `as_matrix` is a view."""
    return features.stride(2) == features.shape[3] * features.stride(3)


def as_matrix(features: Tensor) -> Tensor:
    """Features (1, C, H, W) as a matrix (C, HW), whichever way they lie in memory."""
    if features.stride(1) == 1:
        # Of a part of an image, rows of C are copied as they lie.
        return features.permute(0, 2, 3, 1).reshape(-1, features.shape[1]).T
    return features.reshape(features.shape[1], -1)


def mixed(matrix: Tensor, features: Tensor) -> Tensor:
    """A matrix (D, C) times each position's features (1, C, H, W), lying as the features do."""
    rows = as_matrix(features)
    found = (rows.T @ matrix.T).T if features.stride(1) == 1 else matrix @ rows
    return as_features(found, features)


def as_features(matrix: Tensor, like: Tensor) -> Tensor:
    """A matrix (D, HW) as features (1, D, H, W), in the positions of others; a view."""
    return matrix.reshape(1, -1, *like.shape[2:])


@torch.no_grad()
def measure(features: Tensor, weights: Tensor | None = None) -> Statistics:
    """Statistics of features, summed in at least float32.

    Args:
        features: (1, C, H, W).
        weights: How much each position counts, (1, 1, H, W); None where all count alike.
    """
    matrix = as_matrix(features)
    wide = torch.promote_types(matrix.dtype, torch.float32)
    row = None if weights is None else as_matrix(weights).to(wide)
    count = matrix.shape[1] if row is None else row.sum()
    if matrix.dtype is wide:
        counted = matrix if row is None else matrix * row
        return Statistics(count, counted.sum(1), counted @ matrix.T)
    if matrix.is_cuda and row is None:
        # Products of such numbers are exact in float32, where the card adds them up.
        outer = torch.mm(matrix, matrix.T, out_dtype=wide)
        return Statistics(count, _row_sums(matrix, wide), outer)
    # Part by part: features in float32 would take twice the memory that their own numbers save.
    total = matrix.new_zeros(len(matrix), dtype=wide)
    outer = matrix.new_zeros((len(matrix), len(matrix)), dtype=wide)
    for begin in range(0, matrix.shape[1], _WIDENED):
        widened = matrix[:, begin : begin + _WIDENED].to(wide)
        counted = widened if row is None else widened * row[:, begin : begin + _WIDENED]
        total += counted.sum(1)
        outer.addmm_(counted, widened.T)
    return Statistics(count, total, outer)


def _row_sums(matrix: Tensor, dtype: torch.dtype) -> Tensor:
    """Of a matrix (C, P), each (C,); in two goes, as one leaves half of a card idle.

    Not by a product, though it would be as fast: how a card adds up in those is its own affair, and
    an error of the mean is squared into the covariance of a flat picture.
    """
    even = matrix.shape[1] // _GOES * _GOES
    parts = matrix[:, :even].reshape(len(matrix), _GOES, -1).sum(2, dtype=dtype)
    return parts.sum(1) + matrix[:, even:].sum(1, dtype=dtype)


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
