"""The objective against an independent float64 reference, and its promises as properties."""

from __future__ import annotations

from pathlib import Path

import pytest
import reference
import torch
from flowing import FLOWING

from engine.network.convolutions import Arithmetic, fused_available, winograd_available
from engine.network.networks import Network
from engine.objective.objective import OrientedObjectives
from engine.objective.targets import Targets, encode_content, encode_style
from engine.spec.choices import NetworkName
from engine.spec.settings import Settings
from engine.weights.checkpoints import read_weights

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
EXACT = Arithmetic(CPU, torch.float64)


@pytest.fixture(scope="module")
def weights(random_network: Path) -> dict[str, torch.Tensor]:
    return dict(read_weights(random_network, NetworkName.VGG19).tensors)


@pytest.fixture(scope="module")
def biased(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """With biases: without, what scales all features alike changes no loss that is relative."""
    generator = torch.Generator().manual_seed(1)
    return {
        name: 0.1 * torch.randn(tensor.shape, generator=generator) if "bias" in name else tensor
        for name, tensor in weights.items()
    }


def image(seed: int, height: int = 38, width: int = 51) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, height, width, generator=generator, dtype=torch.float64)


def build(
    settings: Settings,
    weights: dict[str, torch.Tensor],
    content: torch.Tensor | None,
    styles: list[torch.Tensor],
    shares: list[float],
    arithmetic: Arithmetic = EXACT,
) -> OrientedObjectives:
    layers = [name for name, _ in (*settings.content_layers, *settings.style_layers)]
    network = Network(
        settings.network, weights, layers, arithmetic, settings.pooling, settings.padding
    )
    wanted = [name for name, _ in settings.content_layers]
    found = None if content is None else encode_content(network, content, wanted)
    wanted = [name for name, _ in settings.style_layers]
    targets = Targets(found, tuple(encode_style(network, style, wanted) for style in styles))
    return OrientedObjectives(network, [targets], settings, shares)


CASES = {
    "gatys": {"pooling": "average", "padding": "zeros", "style_loss": "gram"},
    "defaults": {},
    "convolutions themselves": {
        "content_layers": "conv4_2",
        "style_layers": "conv1_1, conv1_2:0.5, conv2_1, conv5_4:3",
    },
    "a convolution and its relu, content and style at one layer": {
        "content_layers": "conv3_1, relu3_1:2",
        "style_layers": "relu3_1, conv3_1",
        "style_loss": "gram+mean+std",
    },
    "gram+mean+std, l2": {"style_loss": "gram+mean+std", "pooling": "l2"},
    "wasserstein": {"style_loss": "wasserstein", "style_layers": "relu1_1, relu2_2:0.3"},
    "smooth and weighted": {
        "smoothness": 7.0,
        "content_weight": 3.0,
        "style_weight": 0.5,
        "style_strength": 2.0,
    },
    "little strength": {"style_strength": 0.05},
    "no strength": {"style_strength": 0.0},
}


@pytest.mark.parametrize("case", CASES)
def test_value_and_gradient_are_those_of_the_formulas(
    case: str, biased: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.objective.terms.total_variation._BAND", 16)
    settings = FLOWING.changed(**{"style_loss": "gram", **CASES[case]})
    x, content, style = image(1), image(2), image(3, 40, 33)
    found = build(settings, biased, content, [style], [1.0]).evaluate(x)
    leaf = x.clone().requires_grad_()
    total = reference.objective(leaf, content, style, biased, settings)
    (gradient,) = torch.autograd.grad(total, leaf)
    torch.testing.assert_close(found.total, total.detach(), rtol=1e-9, atol=0)
    error = (found.gradient - gradient).norm() / gradient.norm()
    assert error < 1e-8
    torch.testing.assert_close(found.terms.sum(), found.total)


ARITHMETICS = {
    "channels last": Arithmetic(CPU, torch.float32),
    "winograd": Arithmetic(CPU, torch.float32, winograd=True),
    "fused": Arithmetic(CPU, torch.float32, fused=True),
}


@pytest.mark.parametrize("name", ARITHMETICS)
def test_float32_agrees_with_float64(name: str, weights: dict[str, torch.Tensor]) -> None:
    if name == "winograd" and not winograd_available():
        pytest.skip("this CPU or build of torch has no NNPACK")
    if name == "fused" and not fused_available(torch.float32):
        pytest.skip("this build of torch has no oneDNN")
    settings = FLOWING.changed(smoothness=1.0, style_loss="gram")
    x, content, style = image(1, 66, 70), image(2, 66, 70), image(3, 64, 64)
    exact = build(settings, weights, content, [style], [1.0]).evaluate(x)
    single = [picture.float() for picture in (x, content, style)]
    found = build(settings, weights, single[1], [single[2]], [1.0], ARITHMETICS[name])
    evaluation = found.evaluate(single[0])
    assert abs(float(evaluation.total) / float(exact.total) - 1) < 1e-4
    error = (evaluation.gradient.double() - exact.gradient).norm() / exact.gradient.norm()
    assert error < 1e-3


def test_bfloat16_points_the_same_way(weights: dict[str, torch.Tensor]) -> None:
    # Small and shallow: a CPU without bfloat16 instructions emulates them very slowly.
    settings = FLOWING.changed(
        style_layers="relu1_1, relu2_1", content_layers="relu2_1", style_loss="gram"
    )
    x, content, style = (image(seed, 20, 24) for seed in (1, 2, 3))
    exact = build(settings, weights, content, [style], [1.0]).evaluate(x)
    half = Arithmetic(CPU, torch.bfloat16)
    objective = build(settings, weights, content.float(), [style.float()], [1.0], half)
    found = objective.evaluate(x.float())
    assert found.gradient.dtype is torch.float32
    assert abs(float(found.total) / float(exact.total) - 1) < 0.05
    cosine = torch.cosine_similarity(found.gradient.double().flatten(), exact.gradient.flatten(), 0)
    assert cosine > 0.98


def test_float16_does_not_lose_what_one_position_is_asked(
    weights: dict[str, torch.Tensor],
) -> None:
    """A mean's gradient at one position is below the smallest float16."""
    settings = FLOWING.changed(content_layers="relu1_2", content_weight=0.01, style_weight=0.0)
    x, content, style = (image(seed, 66, 70) for seed in (1, 2, 3))
    exact = build(settings, weights, content, [style], [1.0]).evaluate(x)
    half = Arithmetic(CPU, torch.float16)
    objective = build(settings, weights, content.float(), [style.float()], [1.0], half)
    found = objective.evaluate(x.float())
    error = (found.gradient.double() - exact.gradient).norm() / exact.gradient.norm()
    assert error < 0.02


def test_the_content_image_itself_costs_no_content(weights: dict[str, torch.Tensor]) -> None:
    objective = build(FLOWING, weights, image(2), [image(3)], [1.0])
    terms = dict(zip(objective.term_names, objective.evaluate(image(2)).terms, strict=True))
    assert float(terms["content relu4_2"]) == 0


def test_the_style_image_itself_costs_no_style(weights: dict[str, torch.Tensor]) -> None:
    for kind in ("gram", "gram+mean+std", "wasserstein"):
        settings = FLOWING.changed(style_loss=kind, style_layers="relu1_1, relu2_1")
        objective = build(settings, weights, None, [image(3)], [1.0])
        assert abs(float(objective.evaluate(image(3)).total)) < 1e-6


def test_a_style_twice_is_the_style_once(weights: dict[str, torch.Tensor]) -> None:
    once = build(FLOWING, weights, None, [image(3)], [1.0]).evaluate(image(1))
    twice = build(FLOWING, weights, None, [image(3), image(3)], [0.2, 0.7]).evaluate(image(1))
    torch.testing.assert_close(once.total, twice.total)
    torch.testing.assert_close(once.gradient, twice.gradient)


def test_a_style_without_weight_has_no_say(weights: dict[str, torch.Tensor]) -> None:
    alone = build(FLOWING, weights, None, [image(3)], [1.0]).evaluate(image(1))
    beside = build(FLOWING, weights, None, [image(3), image(4)], [2.0, 0.0]).evaluate(image(1))
    torch.testing.assert_close(alone.total, beside.total)


def test_the_losses_do_not_grow_with_the_picture(weights: dict[str, torch.Tensor]) -> None:
    settings = FLOWING.changed(
        style_layers="relu1_1", content_layers="relu1_1", smoothness=1.0, padding="replicate"
    )
    small, content, style = image(1, 32, 32), image(2, 32, 32), image(3, 32, 32)
    # Copies side by side keep all neighbourhoods but those at the seam.
    large, content_large = (torch.cat([p, p], 3) for p in (small, content))
    a = build(settings, weights, content, [style], [1.0]).evaluate(small)
    b = build(settings, weights, content_large, [style], [1.0]).evaluate(large)
    torch.testing.assert_close(a.terms, b.terms, rtol=0.05, atol=0)


def test_retuning_is_the_same_as_building_anew(weights: dict[str, torch.Tensor]) -> None:
    changed = FLOWING.changed(
        content_weight=5.0, style_strength=0.3, style_layers="relu1_1:2, relu3_1:1"
    )
    first = build(FLOWING, weights, image(2), [image(3), image(4)], [1.0, 1.0])
    retuned = first.retuned(changed, [0.25, 0.75]).evaluate(image(1))
    anew = build(changed, weights, image(2), [image(3), image(4)], [0.25, 0.75]).evaluate(image(1))
    torch.testing.assert_close(retuned.total, anew.total)
    torch.testing.assert_close(retuned.gradient, anew.gradient)


@pytest.mark.parametrize("size", [(16, 16), (17, 16), (16, 200), (31, 47)])
def test_small_and_odd_canvases_have_a_gradient(
    size: tuple[int, int], weights: dict[str, torch.Tensor]
) -> None:
    objective = build(FLOWING, weights, image(2, *size), [image(3)], [1.0])
    evaluation = objective.evaluate(image(1, *size))
    assert evaluation.gradient.shape == (1, 3, *size)
    assert bool(evaluation.gradient.isfinite().all())


def test_flat_pictures_stay_finite(weights: dict[str, torch.Tensor]) -> None:
    for kind in ("gram", "gram+mean+std", "wasserstein"):
        settings = FLOWING.changed(style_loss=kind, style_layers="relu1_1, relu2_1")
        flat = torch.full((1, 3, 32, 32), 0.5, dtype=torch.float64)
        black = torch.zeros_like(flat)
        evaluation = build(settings, weights, flat, [black], [1.0]).evaluate(flat)
        assert bool(evaluation.total.isfinite())
        assert bool(evaluation.gradient.isfinite().all())
