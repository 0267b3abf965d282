"""Network weights drawn at random, where only the arithmetic counts and not what is seen."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from engine.spec.choices import NetworkName
from engine.spec.layers import CHANNELS, block_names


def random_weights(name: NetworkName, layers: Collection[str]) -> dict[str, Tensor]:
    """Convolutions that keep the power of what passes them (He 2015), the same at every call."""
    generator = torch.Generator().manual_seed(0)
    weights, before = {}, 3
    for block in block_names(name, layers):
        after = CHANNELS[name][int(block[0]) - 1]
        kernel = torch.randn(after, before, 3, 3, generator=generator) * (2 / (9 * before)) ** 0.5
        weights[f"conv{block}.weight"], weights[f"conv{block}.bias"] = kernel, torch.zeros(after)
        before = after
    return weights
