"""A Laplacian pyramid, against matrices written out in float64 and against what an image is."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from engine.run import pyramid
from engine.run.pyramid import analysed, coefficient_count, level_count, pushed, synthesised
from engine.spec.pictures import Size

SIZES = [(64, 64), (65, 63), (33, 70), (37, 151), (16, 300), (31, 17), (5, 9), (1, 1), (128, 129)]
"""Even, odd, narrow and tiny; (width, height)."""


@pytest.fixture(params=["whole", "in slabs"], autouse=True)
def slabs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All rows at once, and a few at a time."""
    if request.param == "in slabs":
        monkeypatch.setattr(pyramid, "_SLAB", 1000)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def doubling(length: int) -> Tensor:
    """The matrix (length, half) that enlarges a column by two, from the formula."""
    half = (length + 1) // 2
    matrix = torch.zeros(length, half, dtype=torch.float64)
    for place in range(length):
        near, step = place // 2, 1 if place % 2 else -1
        matrix[place, near] += 0.75
        matrix[place, min(max(near + step, 0), half - 1)] += 0.25
    return matrix


def image_by_the_formula(flat: Tensor, size: Size) -> Tensor:
    """The sum of all bands, each enlarged to the next finer one's size."""
    width, height = size
    levels = max(1, int(math.log2(min(size))) - 3)
    shapes = [(height, width)]
    for _ in range(levels - 1):
        shapes.append(((shapes[-1][0] + 1) // 2, (shapes[-1][1] + 1) // 2))
    bands, first = [], 0
    for rows, columns in shapes:
        bands.append(flat[first : first + 3 * rows * columns].view(3, rows, columns))
        first += 3 * rows * columns
    assert first == len(flat)
    image = bands[-1]
    for band in reversed(bands[:-1]):
        image = band + doubling(band.shape[1]) @ image @ doubling(band.shape[2]).T
    return image[None]


@pytest.mark.parametrize("size", SIZES)
def test_an_image_is_its_bands_enlarged_by_the_formula_and_added(size: Size) -> None:
    flat = drawn(coefficient_count(size))
    torch.testing.assert_close(
        synthesised(flat, size), image_by_the_formula(flat, size), rtol=0, atol=1e-13
    )


@pytest.mark.parametrize("size", SIZES)
def test_pushing_is_the_adjoint_of_synthesis(size: Size) -> None:
    flat, image = drawn(coefficient_count(size)), drawn(1, 3, *size[::-1], seed=1)
    one, other = synthesised(flat, size).mul(image).sum(), pushed(image).dot(flat)
    assert float((one - other).abs()) <= 1e-12 * float(flat.norm() * image.norm())


@pytest.mark.parametrize("size", SIZES)
def test_a_pyramid_gives_the_image_back(size: Size) -> None:
    image = drawn(1, 3, *size[::-1])
    torch.testing.assert_close(synthesised(analysed(image), size), image, rtol=0, atol=1e-14)
    short = image.float()
    torch.testing.assert_close(synthesised(analysed(short), size), short, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_a_plain_image_lies_in_the_coarsest_band_alone(size: Size) -> None:
    """Also at borders that were cropped: half of a plain image is as bright as the whole."""
    flat = analysed(torch.full((1, 3, *size[::-1]), 0.7, dtype=torch.float64))
    finest = coefficient_count(size) - 3 * math.prod(coarsest(side, size) for side in size)
    assert float(flat[:finest].abs().sum()) <= 1e-12 * len(flat)
    torch.testing.assert_close(flat[finest:], torch.full_like(flat[finest:], 0.7))


def coarsest(side: int, size: Size) -> int:
    return math.ceil(side / 2 ** (level_count(size) - 1))


def test_what_has_no_large_shapes_lies_in_the_finest_band_alone() -> None:
    """A checkerboard must not come out in a coarser band as large squares."""
    rows, columns = torch.arange(64)[:, None], torch.arange(96)[None]
    board = ((rows + columns) % 2 * 2.0 - 1).expand(1, 3, 64, 96)
    flat = analysed(board)
    finest = 3 * 64 * 96
    assert float(flat[:finest].abs().mean()) > 0.9
    assert float(flat[finest:].abs().mean()) < 0.02


@pytest.mark.parametrize(
    ("side", "levels"), [(8, 1), (31, 1), (32, 2), (64, 3), (511, 5), (512, 6)]
)
def test_there_are_three_levels_fewer_than_the_short_side_has_powers_of_two(
    side: int, levels: int
) -> None:
    assert level_count((side, 2 * side)) == level_count((3 * side, side)) == levels


def test_a_pyramid_is_a_third_larger_than_its_image() -> None:
    assert 1.33 < coefficient_count((1024, 1024)) / (3 * 1024 * 1024) < 4 / 3


def test_an_image_and_a_pyramid_can_be_written_where_they_belong() -> None:
    image = drawn(1, 3, 63, 65)
    flat, out = drawn(coefficient_count((65, 63))), torch.empty_like(image)
    assert analysed(image, out=flat) is flat
    assert synthesised(flat, (65, 63), out=out) is out
    torch.testing.assert_close(out, image, rtol=0, atol=1e-14)


def test_what_is_taken_apart_and_pushed_is_left_as_it_was() -> None:
    image = drawn(1, 3, 40, 50)
    before = image.clone()
    flat, gradient = analysed(image), pushed(image)
    assert torch.equal(image, before)
    again = flat.clone()
    synthesised(flat, (50, 40))
    assert torch.equal(flat, again)
    assert len(gradient) == len(flat)
