"""float16 keeps the gradient; here it is computed on a CPU, slowly but in the same numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from flowing import FLOWING
from painted import objective, painting, sample
from torch import Tensor

from engine.objective.evaluation import Evaluation
from engine.spec.choices import NetworkName, StyleLoss
from engine.spec.settings import Settings
from engine.weights.checkpoints import read_weights
from resources import DRAFT_NETWORK

pytestmark = pytest.mark.usefixtures("one_thread")

SIDE = 48
VALUES = [
    *({"style_loss": loss, "content_weight": 0.0} for loss in StyleLoss),
    {"style_weight": 0.0},
    {},
    {"style_weight": 1e6},
    {"style_weight": 1e6, "content_weight": 1e6},
    {"style_strength": 1e3, "style_weight": 1e6},
    {"style_strength": 0.0, "content_weight": 1e6},
]


def evaluated(
    settings: Settings, weights: dict[str, Tensor], style: Tensor
) -> tuple[Evaluation, Evaluation]:
    """In float16 and in float32, beside the photograph with some noise on it."""
    content = sample("photograph", SIDE)
    noise = torch.randn(content.shape, generator=torch.Generator().manual_seed(0))
    image = (content + 0.1 * noise).clamp(0, 1)
    half, single = (
        objective(settings, weights, content, style, dtype, products=True).evaluate(image)
        for dtype in (torch.float16, torch.float32)
    )
    return half, single


def assert_near(half: Evaluation, single: Evaluation) -> None:
    torch.testing.assert_close(half.terms, single.terms, rtol=2e-3, atol=0)
    error = (half.gradient - single.gradient).norm() / single.gradient.norm()
    assert float(error) < 0.05


@pytest.mark.parametrize("values", VALUES, ids=str)
def test_the_draft_network_has_its_gradient(values: dict) -> None:
    weights = dict(read_weights(DRAFT_NETWORK, NetworkName.DRAFT).tensors)
    settings = FLOWING.on(NetworkName.DRAFT).changed(**values)
    assert_near(*evaluated(settings, weights, sample("painting", SIDE)))


@pytest.mark.real
@pytest.mark.parametrize("values", VALUES, ids=str)
def test_vgg19_has_its_gradient(values: dict, real_network: Path) -> None:
    weights = dict(read_weights(real_network, NetworkName.VGG19).tensors)
    settings = FLOWING.changed(network="vgg19", **values)
    assert_near(*evaluated(settings, weights, sample("painting", SIDE)))


@pytest.mark.parametrize("loss", [StyleLoss.GRAM, StyleLoss.WASSERSTEIN])
def test_a_flat_painting_does_not_overflow(loss: StyleLoss) -> None:
    """The loss begins at ten thousands of the target's power."""
    weights = dict(read_weights(DRAFT_NETWORK, NetworkName.DRAFT).tensors)
    settings = FLOWING.on(NetworkName.DRAFT).changed(style_loss=loss, style_weight=1e6)
    assert_near(*evaluated(settings, weights, painting("flat", SIDE)))
