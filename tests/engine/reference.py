"""An independent reference: the objective written the plain way, in float64, through autograd.

It imports nothing it judges; settings are read as plain values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

MEAN = torch.tensor((0.485, 0.456, 0.406), dtype=torch.float64).view(1, 3, 1, 1)
STD = torch.tensor((0.229, 0.224, 0.225), dtype=torch.float64).view(1, 3, 1, 1)

VGG19, DRAFT = (2, 2, 4, 4, 4), (2, 2, 4, 4, 1)
"""How many convolutions each stage has."""

Pool = Callable[[Tensor, int], Tensor]


def features(image: Tensor, weights: Mapping[str, Tensor], pooling: str, padding: str) -> dict:
    """All features of VGG-19 at a float64 image."""
    scales = {"average": (1.2, 1.6, 1.4, 2.0), "l2": (0.57, 0.7, 0.67, 0.79)}
    pool = {
        "max": lambda h, _: F.max_pool2d(h, 2),
        "average": lambda h, stage: scales["average"][stage - 1] * F.avg_pool2d(h, 2),
        "l2": lambda h, stage: scales["l2"][stage - 1] * F.lp_pool2d(h, 2, 2),
    }[pooling]
    return _features(image, weights, pool, padding, VGG19)


def draft_features(image: Tensor, weights: Mapping[str, Tensor], padding: str) -> dict:
    """The draft network's features where they are projected."""
    found = _features(image, weights, lambda h, _: F.avg_pool2d(h, 2), padding, DRAFT)
    return {
        layer: F.conv2d(h, weights[f"{layer}.projection"].double()[:, :, None, None])
        for layer, h in found.items()
        if f"{layer}.projection" in weights
    }


def _features(
    image: Tensor, weights: Mapping[str, Tensor], pool: Pool, padding: str, counts: tuple[int, ...]
) -> dict:
    h = (image - MEAN) / STD
    found = {}
    for stage, count in enumerate(counts, start=1):
        if stage > 1:
            h = pool(h, stage - 1)
        for index in range(1, count + 1):
            name = f"conv{stage}_{index}"
            if name == "conv1_1" and padding == "replicate":
                h = F.pad(h, (1, 1, 1, 1), mode="replicate")
            else:
                h = F.pad(h, (1, 1, 1, 1))
            h = F.conv2d(h, weights[f"{name}.weight"].double(), weights[f"{name}.bias"].double())
            found[name] = h
            h = F.relu(h)
            found[name.replace("conv", "relu")] = h
    return found


def style_loss(kind: str, found: Tensor, target: Tensor) -> Tensor:
    """One layer's style loss from features (1, C, H, W), straight from the formulas."""
    f, s = found.flatten(2)[0], target.flatten(2)[0]
    gram, gram_s = f @ f.T / f.shape[1], s @ s.T / s.shape[1]
    gram_error = (gram - gram_s).pow(2).sum() / gram_s.pow(2).sum()
    mean, mean_s = f.mean(1), s.mean(1)
    var, var_s = f.var(1, unbiased=False), s.var(1, unbiased=False)
    ridge = 1e-3 * var_s.mean()
    if kind == "gram":
        return gram_error
    if kind == "gram+mean+std":
        std, std_s = (var + ridge).sqrt(), (var_s + ridge).sqrt()
        mean_error = (mean - mean_s).pow(2).sum() / mean_s.pow(2).sum()
        return (gram_error + mean_error + (std - std_s).pow(2).sum() / std_s.pow(2).sum()) / 3
    cov, cov_s = torch.cov(f, correction=0), torch.cov(s, correction=0)
    # Both Gaussians are widened by the ridge, in the target's principal directions only.
    values, vectors = torch.linalg.eigh(cov_s)
    widened = (values + ridge) * (values > ridge)
    root = vectors @ torch.diag(widened.sqrt()) @ vectors.T
    eye = torch.eye(len(cov), dtype=cov.dtype)
    inside = torch.linalg.eigvalsh(root @ (cov + ridge * eye) @ root).clamp_min(0)
    inside = inside[-int((values > ridge).sum()) :]  # the rest is 0, where a root has no slope
    cross = inside.sqrt().sum() - widened.sum()
    distance = (mean - mean_s).pow(2).sum() + cov.trace() - cov_s.trace() - 2 * cross
    return distance / gram_s.trace()


def objective(
    image: Tensor,
    content: Tensor | None,
    style: Tensor,
    weights: Mapping[str, Tensor],
    settings: Any,
) -> Tensor:
    """The total at an image, for one style image; as the network of the settings sees them."""
    return sum(terms(image, content, style, weights, settings).values(), image.new_zeros(()))


def terms(
    image: Tensor,
    content: Tensor | None,
    style: Tensor,
    weights: Mapping[str, Tensor],
    settings: Any,
) -> dict[str, Tensor]:
    """The weighted terms whose sum the total is: `content relu4_2`, `style relu1_1`, ..."""

    def seen(picture: Tensor) -> dict:
        if settings.network == "draft":
            return draft_features(picture, weights, settings.padding)
        return features(picture, weights, settings.pooling, settings.padding)

    at = seen(image)
    found = {}
    gain = 1.0
    if settings.network == "draft":
        gain = 2.4 if settings.optimizer == "lbfgs" else 1.32
    if content is not None:
        balance = settings.content_weight / max(settings.style_strength, 1 / 1000)
        aim = seen(content)
        whole = sum(weight for _, weight in settings.content_layers)
        for layer, weight in settings.content_layers:
            error = (at[layer] - aim[layer]).pow(2).mean() / aim[layer].pow(2).mean()
            found[f"content {layer}"] = gain * balance * weight / whole * error
    whole = sum(weight for _, weight in settings.style_layers)
    strength = settings.style_weight * settings.style_strength
    aim = seen(style)
    for layer, weight in settings.style_layers:
        loss = style_loss(settings.style_loss, at[layer], aim[layer])
        found[f"style {layer}"] = strength * weight / whole * loss
    across, down = image.diff(dim=3).pow(2).mean(), image.diff(dim=2).pow(2).mean()
    return found | {"smoothness": settings.smoothness * (across + down)}
