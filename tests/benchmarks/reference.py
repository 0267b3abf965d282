"""The objective as most programs compute it: float32, (N, C, H, W), autograd through everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.spec.choices import NetworkName, Padding, Pooling, StyleLoss
from engine.spec.settings import Settings

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

_STAGES = {NetworkName.VGG19: (2, 2, 4, 4, 4), NetworkName.VGG16: (2, 2, 3, 3, 3)}
"""How many convolutions each stage has."""


class Reference:
    """The objective of one content and one style image, written with plain torch operations.

    Args:
        weights: `conv1_1.weight`, `conv1_1.bias`, ..., float32, on the images' device.
        settings: Layers, weights, style loss and padding; the pooling is max pooling.
        content: (1, 3, H, W), sRGB in 0..1, as large as the images to be judged.
        style: (1, 3, h, w).
    """

    def __init__(
        self, weights: Mapping[str, Tensor], settings: Settings, content: Tensor, style: Tensor
    ) -> None:
        assert settings.pooling is Pooling.MAX
        self._weights = weights
        self._settings = settings
        with torch.no_grad():
            found = self._features(content)
            self._content = {layer: found[layer] for layer, _ in settings.content_layers}
            found = self._features(style)
            self._style = {layer: _target(found[layer]) for layer, _ in settings.style_layers}

    def total(self, image: Tensor) -> Tensor:
        """The objective at an image, a scalar."""
        settings = self._settings
        found = self._features(image)
        whole = sum(weight for _, weight in settings.content_layers)
        total = image.new_zeros(())
        for layer, weight in settings.content_layers:
            aim = self._content[layer]
            error = (found[layer] - aim).square().mean() / aim.square().mean()
            balance = settings.content_weight / max(settings.style_strength, 1 / 1000)
            total = total + balance * weight / whole * error
        whole = sum(weight for _, weight in settings.style_layers)
        for layer, weight in settings.style_layers:
            error = _style_loss(settings.style_loss, found[layer], self._style[layer])
            strength = settings.style_weight * settings.style_strength
            total = total + strength * weight / whole * error
        if settings.smoothness:
            across, down = (image.diff(dim=dim).square().mean() for dim in (3, 2))
            total = total + settings.smoothness * (across + down)
        return total

    def gradient(self, image: Tensor) -> Tensor:
        """The objective's gradient at an image, (1, 3, H, W)."""
        leaf = image.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(self.total(leaf), leaf)
        return gradient

    def _features(self, image: Tensor) -> dict[str, Tensor]:
        mean, std = (torch.tensor(v, device=image.device).view(1, 3, 1, 1) for v in (MEAN, STD))
        flow = (image - mean) / std
        found: dict[str, Tensor] = {}
        named = (*self._settings.content_layers, *self._settings.style_layers)
        names = {layer for layer, _ in named}
        for block in self._blocks(names):
            if block != "1_1" and block.endswith("_1"):
                flow = F.max_pool2d(flow, 2)
            replicated = block == "1_1" and self._settings.padding is Padding.REPLICATE
            if replicated:
                flow = F.pad(flow, (1, 1, 1, 1), mode="replicate")
            weight, bias = (self._weights[f"conv{block}.{part}"] for part in ("weight", "bias"))
            linear = F.conv2d(flow, weight, bias, padding=0 if replicated else 1)
            flow = F.relu(linear)
            found |= {
                name: features
                for name, features in ((f"conv{block}", linear), (f"relu{block}", flow))
                if name in names
            }
        return found

    def _blocks(self, names: set[str]) -> Iterator[str]:
        """`1_1`, `1_2`, `2_1`, ... as far as the deepest layer that is named."""
        deepest = max(name[4:] for name in names)
        for stage, count in enumerate(_STAGES[self._settings.network], start=1):
            for block in (f"{stage}_{index}" for index in range(1, count + 1)):
                if block <= deepest:
                    yield block


@dataclass(frozen=True)
class _Target:
    """What is known of one layer of the painting: moments, ridge, and the covariance's root."""

    gram: Tensor
    mean: Tensor
    variance: Tensor
    ridge: Tensor
    root: Tensor


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Gram matrix (C, C) and mean (C,) of features (1, C, H, W)."""
    matrix = features.flatten(2)[0]
    return matrix @ matrix.T / matrix.shape[1], matrix.mean(1)


def _target(features: Tensor) -> _Target:
    gram, mean = _moments(features)
    covariance = gram - torch.outer(mean, mean)
    variance = covariance.diagonal().clamp_min(0)
    ridge = 1e-3 * variance.mean()
    values, vectors = torch.linalg.eigh(covariance + ridge * torch.eye(len(mean)).to(mean))
    root = vectors * values.clamp_min(0).sqrt() @ vectors.T
    return _Target(gram, mean, variance, ridge, root)


FORMULAS = (StyleLoss.GRAM, StyleLoss.GRAM_MEAN_STD, StyleLoss.WASSERSTEIN)
"""The style losses that this reference knows."""


def _style_loss(kind: StyleLoss, features: Tensor, aim: _Target) -> Tensor:
    gram, mean = _moments(features)
    if kind is not StyleLoss.WASSERSTEIN:
        error = _relative(gram, aim.gram)
        if kind is StyleLoss.GRAM:
            return error
        variance = gram.diagonal() - mean.square()
        spread, wanted = ((v.clamp_min(0) + aim.ridge).sqrt() for v in (variance, aim.variance))
        return (error + _relative(mean, aim.mean) + _relative(spread, wanted)) / 3
    covariance = gram - torch.outer(mean, mean) + aim.ridge * torch.eye(len(mean)).to(mean)
    values = torch.linalg.eigvalsh(aim.root @ covariance @ aim.root)
    # Rounding may leave the smallest below 0, where the root has no slope.
    cross = values.clamp_min(1e-7 * float(values[-1].detach())).sqrt().sum()
    distance = (mean - aim.mean).square().sum() + covariance.trace() - 2 * cross
    return (distance + aim.root.square().sum()) / aim.gram.trace()


def _relative(found: Tensor, aim: Tensor) -> Tensor:
    error: Tensor = (found - aim).square().sum() / aim.square().sum()
    return error
