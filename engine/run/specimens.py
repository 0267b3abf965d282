"""What devices are tried on: tiny objectives of the sample pictures, and what they should give."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.network.convolutions import Arithmetic
from engine.network.networks import Network
from engine.network.random_weights import random_weights
from engine.objective.evaluation import Evaluation
from engine.objective.losses import transport_by_eigenvalues, transport_by_products
from engine.objective.objective import OrientedObjectives
from engine.objective.statistics import Statistics, measure
from engine.objective.targets import Targets, encode_content, encode_style
from engine.run.tensors import to_tensor
from engine.spec.choices import NetworkName, Padding, StyleLoss
from engine.spec.layers import measured_layers
from engine.spec.orientations import orientations
from engine.spec.pictures import Pixels
from engine.spec.settings import DEFAULTS, Settings
from engine.storage.images import open_picture
from engine.weights.checkpoints import read_weights
from engine.weights.installed import find_weights
from resources import SAMPLES

_SIZE = (128, 96)
_CPU = torch.device("cpu")
_PLAIN = Arithmetic(_CPU, torch.float32)


@dataclass(frozen=True, eq=False)
class Specimen:
    """An objective of the sample photograph and a painting.

    Attributes:
        settings: Of the objective.
        weights: The network's.
        painting: Its pixels.
        flat: Whether the painting is of one colour: then only that there are numbers counts.
    """

    settings: Settings
    weights: Callable[[], Mapping[str, Tensor]]
    painting: Callable[[], Pixels]
    flat: bool = False

    def objective(self, arithmetic: Arithmetic) -> OrientedObjectives:
        """The objective as an arithmetic computes it."""
        settings, layers = self.settings, measured_layers(self.settings)
        network = Network(
            settings.network,
            self.weights(),
            layers.all,
            arithmetic,
            settings.pooling,
            settings.padding,
        )
        content = to_tensor(_sample("photograph"), _SIZE, arithmetic.device)
        style = to_tensor(self.painting(), _SIZE, arithmetic.device)
        targets = [
            Targets(
                encode_content(network, look.of(content), layers.content),
                (encode_style(network, look.of(style), layers.style, settings.style_loss),),
                look,
            )
            for look in orientations(settings)
        ]
        return OrientedObjectives(network, targets, settings, (1.0,))

    @functools.cached_property
    def expected(self) -> tuple[Evaluation, ...]:
        """What `image(0)` should give in each orientation: float32 on the CPU by plain means."""
        objective = self.objective(_PLAIN)
        return tuple(objective.evaluate(image(0), step) for step in range(objective.period))


@functools.cache
def random_vgg() -> Specimen:
    """Gram matrices, max pooling and a replicated border on VGG-19's shape."""
    settings = DEFAULTS.changed(
        network=NetworkName.VGG19,
        style_loss=StyleLoss.GRAM,
        style_layers="relu1_1, relu2_1, relu3_1",
        content_layers="relu3_1",
        matched_weight=0.0,
        padding=Padding.REPLICATE,
    )
    weights = functools.partial(random_weights, NetworkName.VGG19, ["relu3_1"])
    return Specimen(settings, weights, functools.partial(_sample, "painting"))


@functools.cache
def draft() -> Specimen:
    """Transport between Gaussians on the draft network, in all its orientations."""
    return Specimen(_draft_settings(), _draft_weights, functools.partial(_sample, "painting"))


@functools.cache
def grey() -> Specimen:
    """The same for a painting of one grey, whose features vary in no direction."""
    return Specimen(_draft_settings(), _draft_weights, _grey, flat=True)


@functools.cache
def image(seed: int) -> Tensor:
    """The photograph with some noise, (1, 3, H, W), on the host."""
    noise = torch.rand(1, 3, _SIZE[1], _SIZE[0], generator=torch.Generator().manual_seed(seed))
    return to_tensor(_sample("photograph"), _SIZE, _CPU).lerp(noise, 0.25)


def transport(device: torch.device) -> Tensor:
    """An optimal transport by products on a device, (C, C), float32."""
    return transport_by_products(*_gaussians(device, torch.float32))[1]


@functools.cache
def expected_transport() -> Tensor:
    """The same by eigenvalues, float64 on the CPU."""
    return transport_by_eigenvalues(*_gaussians(_CPU, torch.float64))[1]


def _gaussians(device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """A covariance (C, C), the factor (C, K) of another, and the other's ridge."""
    generator = torch.Generator().manual_seed(0)
    found, target = (_correlated(generator, dtype) for _ in range(2))
    variances, directions = target.principal
    factor = directions * (variances + target.ridge).sqrt()
    return found.covariance.to(device), factor.to(device), target.ridge.to(device)


def _correlated(generator: torch.Generator, dtype: torch.dtype) -> Statistics:
    """Statistics of 64 channels that vary together, some much more than others."""
    mixing = torch.randn(64, 64, generator=generator) * torch.logspace(0, -1.5, 64)[:, None]
    values = (mixing @ torch.randn(64, 4096, generator=generator)).relu()
    return measure(values.view(1, 64, 64, 64).to(dtype))


def _draft_settings() -> Settings:
    return DEFAULTS.changed(
        network=NetworkName.DRAFT, style_loss=StyleLoss.WASSERSTEIN, matched_weight=0.0
    )


@functools.cache
def _draft_weights() -> Mapping[str, Tensor]:
    return read_weights(find_weights(NetworkName.DRAFT), NetworkName.DRAFT).tensors


@functools.cache
def _sample(name: str) -> Pixels:
    return open_picture(SAMPLES / f"{name}.jpg").pixels


def _grey() -> Pixels:
    return np.full((96, 128, 3), 128, np.uint8)
