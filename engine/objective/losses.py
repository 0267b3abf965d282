"""The losses as pure functions, each relative to the power of its own target and so without a unit.

A value of 0 is a perfect match, 1 is as far off as an empty picture. They are means over positions,
so they are the same for every image size, and the weights in front of them mean the same for every
network, layer and painting.

With G = F F^T / HW, C channels, and P the content image's features, a layer costs

    here             content  mean (F-P)^2 / mean P^2    style  ||G-G_s||^2 / ||G_s||^2
    Gatys 2016       content  1/2 sum (F-P)^2            style  1/(4 C^2) ||G-G_s||^2
    Gatys' code      content  mean (F-P)^2               style  1/C^4 ||G-G_s||^2, weighted 1e3
    neural-style-pt  content  mean (F-P)^2, weighted 5   style  1/C^4 ||G-G_s||^2, weighted 100

so a weight of another program, times its loss over ours at the same pictures, is ours.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from engine.objective.matrix_roots import depth_below_zero, polar_factor, root_and_inverse
from engine.objective.statistics import TINY, Statistics, eigh
from engine.spec.choices import StyleLoss

_BELOW_ZERO = 0.01
"""How far below 0 rounding may leave a distance."""

StyleLossFunction = Callable[[Statistics, Statistics], Tensor]
"""(statistics of the pastiche, target) -> scalar; differentiable in the first."""

Transport = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""The trace of R = (L^T (S + e I) L)^1/2, and L R^-1 L^T (C, C), from one Gaussian to another.

Of a covariance S (C, C), the factor L (C, K) of another and a ridge e, which is positive.
"""


def gram_loss(found: Statistics, target: Statistics) -> Tensor:
    """||G - G_s||^2 / ||G_s||^2 (Gatys 2016, eq. 4, made relative)."""
    return (found.gram - target.gram).square().sum() / (target.gram.square().sum() + TINY)


def gram_mean_std_loss(found: Statistics, target: Statistics) -> Tensor:
    """Mean of the relative errors of Gram matrix, means and standard deviations (Galerne 2024)."""
    spread, aim = (found.variance + target.ridge).sqrt(), (target.variance + target.ridge).sqrt()
    mean = (found.mean - target.mean).square().sum() / (target.mean.square().sum() + TINY)
    std = (spread - aim).square().sum() / (aim.square().sum() + TINY)
    return (gram_loss(found, target) + mean + std) / 3


def wasserstein_loss(found: Statistics, target: Statistics, transport: Transport) -> Tensor:
    """Squared 2-Wasserstein distance of the two Gaussians over the target's power.

    ||mu - mu_s||^2 + tr(S + S_s - 2 (S_s^1/2 S S_s^1/2)^1/2), over ||mu_s||^2 + tr S_s, which is
    the distance of the target from nothing. With S_s = L L^T the last trace is that of the root of
    L^T S L, so only the directions in which the target varies are looked at. Both covariances are
    widened by the target's ridge, without which the slope at a variance of 0 would be infinite.

    Args:
        found: Of the pastiche.
        target: Of the paintings.
        transport: How roots are taken.
    """
    variances, directions = target.principal
    mean = (found.mean - target.mean).square().sum()
    widened = variances + target.ridge
    own = 2 * widened.sum() - target.covariance.diagonal().sum()
    bures: Tensor = _Bures.apply(
        found.covariance, directions * widened.sqrt(), target.ridge, transport
    )
    loss: Tensor = (mean + bures + own) / (target.gram.diagonal().sum() + TINY)
    # Roots of what is far from a covariance would drive it below 0 without end.
    return torch.where(loss > -_BELOW_ZERO, loss, torch.nan)


class _Bures(torch.autograd.Function):
    """tr S - 2 tr (L^T (S + e I) L)^1/2 for a covariance S (C, C), a factor L (C, K), a ridge e.

    Its slope in S is I - L (L^T (S + e I) L)^-1/2 L^T, whose second part is the optimal transport
    map from one Gaussian to the other and is had along with the value.
    """

    @staticmethod
    def forward(
        ctx: Any, found: Tensor, factor: Tensor, ridge: Tensor, transport: Transport
    ) -> Tensor:
        overlap, moves = transport(found, factor, ridge)
        ctx.save_for_backward(moves)
        return found.diagonal().sum() - 2 * overlap

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor, None, None, None]:
        (moves,) = ctx.saved_tensors
        slope = -moves * outputs[0]
        slope.diagonal().add_(outputs[0])
        return slope, None, None, None


def transport_by_eigenvalues(
    covariance: Tensor, factor: Tensor, ridge: Tensor
) -> tuple[Tensor, Tensor]:
    """A `Transport` by an eigendecomposition of (K, K), in which rounding is told by the ridge."""
    values, vectors = eigh(factor.T @ _widened(covariance, ridge) @ factor)
    roots = values.clamp_min(ridge.square()).sqrt()
    turned = factor @ vectors
    return roots.sum(), (turned / roots) @ turned.T


def transport_by_products(
    covariance: Tensor, factor: Tensor, ridge: Tensor
) -> tuple[Tensor, Tensor]:
    """A `Transport` by products alone: with S^1/2 L = P R, P orthonormal, it is S^-1/2 P L^T.

    S is no squared covariance, as L^T S L is, so float32 loses less of its small eigenvalues. What
    short numbers left of it below 0 is a reason for a wider ridge: no eigenvalue is below half of
    that. Where the ridge is twice as wide as rounding is deep, it stays.
    """
    root, inverse = root_and_inverse(
        _widened(covariance, torch.maximum(ridge, 2 * depth_below_zero(covariance)))
    )
    product = root @ factor
    orthonormal = polar_factor(product)
    transport = inverse @ orthonormal @ factor.T
    return (orthonormal * product).sum(), (transport + transport.T) / 2


def _widened(covariance: Tensor, ridge: Tensor) -> Tensor:
    """S + e I."""
    widened = covariance.clone()
    widened.diagonal().add_(ridge)
    return widened


def style_loss(name: StyleLoss, *, products: bool = False) -> StyleLossFunction:
    """The loss on statistics of a name, its roots taken by products alone or by eigenvalues.

    Raises:
        ValueError: It looks at more than statistics.
    """
    match name:
        case StyleLoss.GRAM:
            return gram_loss
        case StyleLoss.GRAM_MEAN_STD:
            return gram_mean_std_loss
        case StyleLoss.WASSERSTEIN:
            transport = transport_by_products if products else transport_by_eigenvalues
            return functools.partial(wasserstein_loss, transport=transport)
        case StyleLoss.SLICED | StyleLoss.HISTOGRAM:
            raise ValueError(f"{name} looks at more than statistics.")
