"""The losses and the statistics they rest on."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.objective.losses import (
    gram_loss,
    style_loss,
    transport_by_eigenvalues,
    transport_by_products,
)
from engine.objective.statistics import Statistics, blend, measure
from engine.spec.choices import StyleLoss

ON_STATISTICS = [StyleLoss.GRAM, StyleLoss.GRAM_MEAN_STD, StyleLoss.WASSERSTEIN]


def features(seed: int, channels: int = 5, positions: int = 60) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, channels, 6, positions // 6, generator=generator, dtype=torch.float64)


@given(st.integers(1, 9), st.integers(0, 1000))
def test_statistics_add_up_over_positions(cut: int, seed: int) -> None:
    whole = features(seed)
    parts = measure(whole[..., :cut]) + measure(whole[..., cut:])
    for name in ("count", "total", "outer"):
        torch.testing.assert_close(getattr(parts, name), getattr(measure(whole), name))


def test_statistics_do_not_depend_on_the_memory_layout() -> None:
    plain = features(1)
    last = plain.to(memory_format=torch.channels_last)
    torch.testing.assert_close(measure(plain).outer, measure(last).outer)


@pytest.mark.parametrize("widened", [7, 59, 1000])
def test_short_numbers_are_summed_as_exactly_as_long_ones(
    widened: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Part by part; of 60 positions the last part may be a single one."""
    monkeypatch.setattr("engine.objective.statistics._WIDENED", widened)
    short, weights = features(1).bfloat16(), features(2, channels=1)
    for counted in (None, weights):
        found, wanted = measure(short, counted), measure(short.double(), counted)
        assert found.outer.dtype is torch.float32
        assert float(found.count) == pytest.approx(float(wanted.count))
        torch.testing.assert_close(found.total.double(), wanted.total, rtol=1e-5, atol=0)
        torch.testing.assert_close(found.outer.double(), wanted.outer, rtol=1e-5, atol=0)


def test_mean_gram_and_covariance_are_the_textbook_ones() -> None:
    f = features(2)
    rows = f.flatten(2)[0]
    found = measure(f)
    torch.testing.assert_close(found.mean, rows.mean(1))
    torch.testing.assert_close(found.gram, rows @ rows.T / rows.shape[1])
    torch.testing.assert_close(found.covariance, torch.cov(rows, correction=0))


@given(st.floats(0.01, 100), st.floats(0.01, 100))
def test_a_blend_is_the_weighted_mean_of_moments(a: float, b: float) -> None:
    one, two = measure(features(1)), measure(features(2, positions=120))
    mixed = blend([one, two], [a, b])
    torch.testing.assert_close(mixed.gram, (a * one.gram + b * two.gram) / (a + b))
    torch.testing.assert_close(mixed.mean, (a * one.mean + b * two.mean) / (a + b))


@pytest.mark.parametrize("kind", ON_STATISTICS)
def test_style_losses_pass_gradcheck(kind: StyleLoss) -> None:
    loss, target = style_loss(kind), measure(features(1))
    found = measure(features(2))

    def of(total: torch.Tensor, outer: torch.Tensor) -> torch.Tensor:
        return loss(Statistics(found.count, total, (outer + outer.T) / 2), target)

    total, outer = found.total.requires_grad_(), found.outer.requires_grad_()
    assert torch.autograd.gradcheck(of, (total, outer))


@pytest.mark.parametrize("kind", ON_STATISTICS)
def test_style_losses_have_no_unit(kind: StyleLoss) -> None:
    a, b = features(1), features(2)
    loss = style_loss(kind)
    plain = loss(measure(a), measure(b))
    scaled = loss(measure(1000 * a), measure(1000 * b))
    torch.testing.assert_close(plain, scaled)


def test_wasserstein_of_diagonal_gaussians_is_the_distance_of_means_and_spreads() -> None:
    # For commuting covariances W2^2 = |mu - mu_s|^2 + sum (sd - sd_s)^2.
    count, sd, sd_s = 100.0, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 2.0, 1.0])
    mean, mean_s = torch.tensor([0.0, 1.0, 0.0]), torch.tensor([1.0, 1.0, 2.0])

    def gaussian(mean: torch.Tensor, sd: torch.Tensor) -> Statistics:
        gram = torch.diag(sd.square()) + torch.outer(mean, mean)
        return Statistics(count, (mean * count).double(), (gram * count).double())

    found = style_loss(StyleLoss.WASSERSTEIN)(gaussian(mean, sd), gaussian(mean_s, sd_s))
    distance = (mean - mean_s).square().sum() + (sd - sd_s).square().sum()
    whole = sd_s.square().sum() + mean_s.square().sum()
    assert float(found) == pytest.approx(float(distance / whole), rel=2e-3)  # the ridge


def test_an_empty_picture_is_one_target_away() -> None:
    target = features(1)
    nothing = torch.zeros_like(target)
    assert float(gram_loss(measure(nothing), measure(target))) == pytest.approx(1)


def test_the_transport_map_is_the_same_by_eigenvalues_and_by_products() -> None:
    # Fewer positions than channels: both covariances are singular but for the ridge.
    found, target = measure(features(1, 20, 12)), measure(features(2, 20, 18))
    ridge = target.ridge
    variances, directions = target.principal
    factor = directions * (variances + ridge).sqrt()
    value, transport = transport_by_eigenvalues(found.covariance, factor, ridge)
    again, other = transport_by_products(found.covariance, factor, ridge)
    torch.testing.assert_close(again, value, rtol=1e-9, atol=0)
    torch.testing.assert_close(other, transport, rtol=1e-6, atol=1e-6)
    # It takes one Gaussian to the other: T S T is S_s, where S_s varies.
    widened = found.covariance + ridge * torch.eye(20)
    moved = directions.T @ transport @ widened @ transport @ directions
    torch.testing.assert_close(moved, torch.diag(variances + ridge), rtol=0, atol=1e-6)
