"""What an objective asks of many pictures at once: its gradient, in batches.

It is the default objective, content plus Wasserstein style loss, each relative to its target; the
engine's own takes one picture at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.distill.networks import CONTENT_LAYER, STYLE_LAYERS, Features

_RIDGE = 1e-3
"""What is added to the variances before roots are taken, relative to their mean."""

_TINY = 1e-12

Network = Callable[[Tensor], Features]


@dataclass(frozen=True)
class Moments:
    """A style's statistics at one layer, for each picture of the batch.

    Attributes:
        mean: (N, K).
        root: Square root of covariance plus ridge, (N, K, K).
        ridge: (N, 1, 1).
        power: Mean squared length of a feature vector, (N, 1, 1).
    """

    mean: Tensor
    root: Tensor
    ridge: Tensor
    power: Tensor


@dataclass(frozen=True)
class Aims:
    """What the content and style pictures of a batch ask for."""

    content: Tensor
    styles: dict[str, Moments]


@torch.no_grad()
def aims_of(network: Network, contents: Tensor, styles: Tensor) -> Aims:
    """Measure content and style pictures (N, 3, H, W), each in 0..1."""
    content = network(contents)[CONTENT_LAYER]
    found = network(styles)
    return Aims(content, {layer: _moments(found[layer]) for layer in STYLE_LAYERS})


def gradients(network: Network, images: Tensor, aims: Aims, weights: Tensor) -> Tensor:
    """The objective's gradient at pictures, times the number of values in one picture.

    Args:
        network: What measures the pictures.
        images: (N, 3, H, W) in 0..1.
        aims: Measured with the same network.
        weights: Of the content term and each style layer, (N, 6).

    Returns:
        (N, 3, H, W).
    """
    images = images.detach().requires_grad_()
    features = network(images)
    slopes = [weights[:, 0, None, None, None] * _content_slope(features[CONTENT_LAYER], aims)]
    for number, layer in enumerate(STYLE_LAYERS, start=1):
        slope = _style_slope(features[layer], aims.styles[layer])
        slopes.append(weights[:, number, None, None, None] * slope)
    outputs = [features[layer] for layer in (CONTENT_LAYER, *STYLE_LAYERS)]
    (gradient,) = torch.autograd.grad(outputs, images, slopes)
    return gradient * images[0].numel()


@torch.no_grad()
def _content_slope(features: Tensor, aims: Aims) -> Tensor:
    """Slope of mean (F - P)^2 / mean P^2."""
    target = aims.content
    power = target.square().mean((1, 2, 3), keepdim=True) + _TINY
    return (features - target) * (2 / target[0].numel()) / power


@torch.no_grad()
def _style_slope(features: Tensor, target: Moments) -> Tensor:
    """Slope of the squared Wasserstein distance over the target's power.

    With M = (I - T) / power, the covariance's slope, a feature vector's is 2 M (f - mean) / n.
    """
    mean, covariance = _mean_and_covariance(features)
    identity = torch.eye(covariance.shape[1], device=features.device)
    whole = target.root @ (covariance + target.ridge * identity) @ target.root
    transport = target.root @ _power(whole, -0.5) @ target.root
    matrix = (identity - transport) / target.power
    flat = features.flatten(2)
    slope = matrix @ (flat - mean[:, :, None])
    slope = slope + ((mean - target.mean) / target.power[:, :, 0])[:, :, None]
    return (slope * (2 / flat.shape[2])).view_as(features)


def _moments(features: Tensor) -> Moments:
    mean, covariance = _mean_and_covariance(features)
    variance = covariance.diagonal(dim1=1, dim2=2)
    ridge = (_RIDGE * variance.clamp_min(0).mean(1) + _TINY)[:, None, None]
    identity = torch.eye(covariance.shape[1], device=features.device)
    power = variance.sum(1) + mean.square().sum(1) + _TINY
    return Moments(mean, _power(covariance + ridge * identity, 0.5), ridge, power[:, None, None])


def _mean_and_covariance(features: Tensor) -> tuple[Tensor, Tensor]:
    flat = features.flatten(2)
    mean = flat.mean(2)
    outer = flat @ flat.mT / flat.shape[2]
    return mean, outer - mean[:, :, None] * mean[:, None, :]


def _power(matrices: Tensor, exponent: float) -> Tensor:
    """Symmetric positive definite matrices (N, K, K) to a power."""
    values, vectors = torch.linalg.eigh(matrices)
    floor = values[:, -1:].abs() * torch.finfo(values.dtype).eps + _TINY
    result: Tensor = (vectors * values.maximum(floor).pow(exponent)[:, None]) @ vectors.mT
    return result


def gram(features: Tensor) -> Tensor:
    """Second moments F F^T / HW, (N, K, K)."""
    flat = features.flatten(2)
    return flat @ flat.mT / flat.shape[2]
