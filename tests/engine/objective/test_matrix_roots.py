"""Roots by products alone, against eigen- and singular value decompositions in float64."""

from __future__ import annotations

import pytest
import torch

from engine.objective.matrix_roots import depth_below_zero, polar_factor, root_and_inverse


def spread(count: int, least: float, seed: int = 0) -> torch.Tensor:
    """A symmetric matrix with eigenvalues from `least` to 1, evenly over the orders."""
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.linalg.qr(torch.randn(count, count, dtype=torch.float64, generator=generator)).Q
    values = torch.logspace(0, torch.tensor(least).log10(), count, dtype=torch.float64)
    return vectors @ torch.diag(values) @ vectors.T


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_root_and_inverse_multiply_back(size: float) -> None:
    matrix = size * spread(40, 1e-6)
    root, inverse = root_and_inverse(matrix)
    torch.testing.assert_close(root @ root, matrix, rtol=0, atol=1e-11 * size)
    eye = torch.eye(40, dtype=torch.float64)
    torch.testing.assert_close(inverse @ matrix @ inverse, eye, rtol=0, atol=1e-7)


def test_the_polar_factor_is_that_of_the_singular_value_decomposition() -> None:
    generator = torch.Generator().manual_seed(1)
    left = torch.linalg.qr(torch.randn(50, 30, dtype=torch.float64, generator=generator)).Q
    matrix = left @ spread(30, 1e-4)
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    torch.testing.assert_close(polar_factor(matrix), u @ v, rtol=0, atol=1e-9)


def test_one_overwhelming_direction_keeps_its_sign() -> None:
    direction = torch.nn.functional.normalize(torch.arange(1.0, 33.0), dim=0)
    matrix = torch.outer(direction, direction) + 1e-5 * torch.eye(32)
    root, inverse = root_and_inverse(matrix)
    assert float(direction @ root @ direction) == pytest.approx(1, rel=1e-4)
    assert float(direction @ inverse @ direction) == pytest.approx(1, rel=1e-3)
    assert float(direction @ polar_factor(matrix) @ direction) == pytest.approx(1, rel=1e-4)


def test_float32_keeps_four_digits_over_five_orders() -> None:
    matrix = spread(100, 1e-5)
    values, vectors = torch.linalg.eigh(matrix)
    _, inverse = root_and_inverse(matrix.float())
    exact = (vectors / values.sqrt()) @ vectors.T
    assert float((inverse.double() - exact).norm() / exact.norm()) < 5e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("depth", [0.0, 1e-7, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.7, 1.5])
def test_no_eigenvalue_is_further_below_zero_than_is_told(depth: float, dtype: torch.dtype) -> None:
    """However far that is, and no more than needed is told: three times as much, or 1e-5."""
    direction = torch.nn.functional.normalize(torch.arange(1.0, 301.0, dtype=torch.float64), dim=0)
    matrix = spread(300, 1e-6)
    matrix = matrix - (depth + direction @ matrix @ direction) * torch.outer(direction, direction)
    lowest = -float(torch.linalg.eigvalsh(matrix)[0])
    told = float(depth_below_zero(matrix.to(dtype)))
    size = float(matrix.norm())
    assert lowest <= told * (1 + 1e-3)
    assert told <= 3 * max(lowest, 0) + 1e-5 * size


def test_nothing_is_below_zero_in_nothing() -> None:
    assert float(depth_below_zero(torch.zeros(8, 8))) == 0
