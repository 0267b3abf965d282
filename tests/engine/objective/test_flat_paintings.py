"""Roots by products in float32, as on a graphics card, on paintings in which little varies."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from flowing import FLOWING
from painted import objective, painting, sample
from torch import Tensor

from engine.network.convolutions import Arithmetic
from engine.network.networks import Network
from engine.objective.losses import transport_by_products
from engine.objective.statistics import Statistics
from engine.objective.targets import encode_style
from engine.run.optimizers import beginning, moved, result
from engine.spec.choices import NetworkName
from engine.spec.settings import Settings
from engine.weights.checkpoints import read_weights
from resources import DRAFT_NETWORK

pytestmark = pytest.mark.usefixtures("one_thread")

KINDS = ["flat", "near flat", "two colours", "gradient"]


def end(
    settings: Settings,
    weights: dict[str, Tensor],
    kind: str,
    side: int,
    *,
    products: bool,
) -> float:
    """The objective in float64 by eigenvalues of what 50 steps of Adam in float32 make."""
    content, style = sample("photograph", side), painting(kind, side)
    minimised = objective(settings, weights, content, style, torch.float32, products=products)
    descent = beginning(content)
    for _ in range(50):
        descent = moved(descent, minimised.evaluate(descent.image), settings)
    judge = objective(settings, weights, content, style, torch.float64)
    return float(judge.evaluate(result(descent, settings).double()).total)


@pytest.mark.parametrize("kind", KINDS)
def test_the_draft_network_comes_as_far_by_products_as_by_eigenvalues(kind: str) -> None:
    weights = dict(read_weights(DRAFT_NETWORK, NetworkName.DRAFT).tensors)
    settings = FLOWING.on(NetworkName.DRAFT)
    by_products, wanted = (
        end(settings, weights, kind, 96, products=products) for products in (True, False)
    )
    assert by_products == pytest.approx(wanted, rel=0.01)


@pytest.mark.real
@pytest.mark.parametrize("kind", KINDS)
def test_vgg19_comes_as_far_by_products_as_by_eigenvalues(kind: str, real_network: Path) -> None:
    weights = dict(read_weights(real_network, NetworkName.VGG19).tensors)
    settings = FLOWING.changed(network="vgg19")
    by_products, wanted = (
        end(settings, weights, kind, 64, products=products) for products in (True, False)
    )
    assert by_products == pytest.approx(wanted, rel=0.01)


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, Statistics]]:
    """Statistics of pictures, projected, as the draft network sees them in float32."""
    weights = read_weights(DRAFT_NETWORK, NetworkName.DRAFT).tensors
    layers = ["relu2_1", "relu3_1", "relu4_1", "relu5_1"]
    network = Network(
        NetworkName.DRAFT, weights, layers, Arithmetic(torch.device("cpu"), torch.float32)
    )
    pictures = {name: sample(name, 128) for name in ("photograph", "painting")}
    pictures |= {kind: painting(kind, 128) for kind in KINDS}
    return {
        name: {
            layer: statistics.projected(network.projections[layer])
            for layer, statistics in encode_style(network, picture, layers).items()
        }
        for name, picture in pictures.items()
    }


def with_errors(statistics: Statistics, error: float) -> Statistics:
    """With symmetric noise on the outer products, relative to the root of g_ii g_jj."""
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(statistics.outer.shape, generator=generator)
    power = statistics.outer.diagonal().sqrt()
    noise = (noise + noise.T) / 2**0.5 * torch.outer(power, power)
    return Statistics(statistics.count, statistics.total, statistics.outer + error * noise)


@pytest.mark.parametrize("error", [0, 1e-5, 1e-4])
@pytest.mark.parametrize("found", ["photograph", "near flat"])
@pytest.mark.parametrize("target", ["painting", *KINDS])
def test_what_sums_in_short_numbers_err_by_moves_the_transport_no_further(
    target: str, found: str, error: float, measured: dict
) -> None:
    """Beside eigenvalues in float64 of statistics without errors, as felt by the features."""
    ordinary = {0: 1e-4, 1e-5: 1e-3, 1e-4: 0.02}
    flat = {0: 1e-3, 1e-5: 5e-3, 1e-4: 0.06}
    allowed = (ordinary if target == "painting" else flat)[error]
    for layer, aim in measured[target].items():
        ridge = aim.ridge
        variances, directions = aim.principal
        factor = directions * (variances + ridge).sqrt()
        covariance = measured[found][layer].covariance.double()
        widened = covariance + ridge * torch.eye(len(covariance))
        values, vectors = torch.linalg.eigh(factor.double().T @ widened @ factor.double())
        turned = factor.double() @ vectors
        wanted = (turned / values.sqrt()) @ turned.T
        seen = with_errors(measured[found][layer], error).covariance
        overlap, transport = transport_by_products(seen, factor, ridge)
        assert float(overlap) == pytest.approx(float(values.sqrt().sum()), rel=allowed), layer
        off = transport - wanted
        felt = ((off @ covariance @ off).trace() / (wanted @ covariance @ wanted).trace()).sqrt()
        assert float(felt) < allowed, layer
