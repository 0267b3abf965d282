"""Sizes from coarse to fine, and what the canvas holds first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from engine.run.canvas import first_image, to_pixels, to_tensor
from hypothesis import given
from hypothesis import strategies as st

from engine.spec.errors import InputError
from engine.spec.job import Job, StyleImage
from engine.spec.pictures import Picture
from engine.spec.scales import fitted, plan_scales
from engine.spec.settings import DEFAULTS
from engine.storage.images import picture_from_pixels

CPU = torch.device("cpu")


def picture(width: int, height: int, colour: tuple[int, int, int] = (90, 40, 10)) -> Picture:
    return picture_from_pixels(np.full((height, width, 3), colour, np.uint8), f"{width}x{height}")


def job(
    content: Picture | None,
    *styles: Picture,
    weights: tuple[float, ...] = (),
    start_picture: Picture | None = None,
    **values: object,
) -> Job:
    shares = weights or (1.0,) * len(styles)
    images = tuple(StyleImage(style, weight) for style, weight in zip(styles, shares, strict=True))
    return Job(content, images, DEFAULTS.changed(**values), Path("unused"), start_picture)


def test_scales_end_at_the_output_size_and_begin_near_the_coarsest() -> None:
    settings = {"output_size": 512, "steps": 100, "steps_falloff": 0.5}
    scales = plan_scales(job(picture(800, 600), picture(100, 100), **settings))
    assert [scale.canvas for scale in scales] == [(128, 96), (256, 192), (512, 384)]
    assert [scale.steps for scale in scales] == [100, 50, 25]


def test_a_small_preview_shares_the_scales_of_the_large_render() -> None:
    def canvases(size: int) -> list[tuple[int, int]]:
        scales = plan_scales(job(picture(800, 600), picture(100, 100), output_size=size))
        return [scale.canvas for scale in scales]

    assert canvases(512) == canvases(1024)[:-1]


@given(st.integers(200, 3000), st.floats(0.5, 3))
def test_strokes_keep_their_size_relative_to_the_canvas(size: int, stroke: float) -> None:
    planned = plan_scales(
        job(picture(800, 600), picture(300, 200), output_size=size, stroke_size=stroke)
    )
    for scale in planned:
        assert max(scale.styles[0]) == pytest.approx(max(scale.canvas) * stroke, abs=1)


def test_scales_too_small_for_the_network_are_left_out() -> None:
    scales = plan_scales(job(picture(1000, 100), picture(100, 100), output_size=512))
    assert [scale.canvas for scale in scales] == [(256, 26), (512, 51)]


def test_a_picture_too_narrow_is_named() -> None:
    with pytest.raises(InputError, match="1x4000"):
        plan_scales(job(picture(300, 300), picture(1, 4000)))
    with pytest.raises(InputError, match="canvas"):
        plan_scales(job(picture(4000, 1), picture(300, 300)))


def test_a_single_pixel_fills_the_canvas() -> None:
    planned = plan_scales(job(picture(1, 1), picture(1, 1), output_size=64))
    assert planned[-1].canvas == (64, 64)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(16, 4096))
def test_fitting_keeps_the_shape(width: int, height: int, side: int) -> None:
    found = fitted((width, height), side)
    assert max(found) == side
    exact = min(width, height) * side / max(width, height)
    assert abs(min(found) - exact) <= 0.5 or min(found) == 1


def test_pixels_survive_the_way_to_the_canvas_and_back() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    assert np.array_equal(to_pixels(to_tensor(pixels, (9, 7), CPU)), pixels)


def test_values_outside_the_range_are_clamped_not_wrapped() -> None:
    image = torch.tensor([-0.2, 0.5, 1.3]).view(1, 3, 1, 1)
    assert to_pixels(image).tolist() == [[[0, 128, 255]]]


def first(of: Job) -> torch.Tensor:
    return first_image(of, plan_scales(of)[0], CPU)


def test_starting_from_the_content_or_a_picture_shows_it() -> None:
    red, green, style = picture(64, 64, (255, 0, 0)), picture(9, 9, (0, 255, 0)), picture(64, 64)
    assert first(job(red, style, output_size=64)).mean((0, 2, 3)).tolist() == [1, 0, 0]
    other = job(red, style, start_picture=green, start="picture", output_size=64)
    assert first(other).mean((0, 2, 3)).tolist() == [0, 1, 0]


def test_a_mix_runs_from_the_content_to_noise() -> None:
    content, style = picture(64, 64, (255, 255, 255)), picture(64, 64)
    spreads = [
        float(first(job(content, style, start="mix", start_noise=share, output_size=64)).std())
        for share in (0.0, 0.5, 1.0)
    ]
    assert spreads[0] == pytest.approx(0, abs=1e-6)
    assert spreads[0] < spreads[1] < spreads[2]


def test_noise_in_the_styles_colours_holds_them_by_their_shares() -> None:
    red, blue = picture(50, 40, (255, 0, 0)), picture(30, 60, (0, 0, 255))
    noise = first(job(None, red, blue, weights=(3.0, 1.0), start="style-noise", output_size=128))
    assert noise.shape == (1, 3, 128, 128)
    assert set(noise.unique().tolist()) == {0.0, 1.0}
    assert float(noise[:, 0].mean()) == pytest.approx(0.75, abs=0.02)


def test_the_seed_makes_noise_repeatable() -> None:
    content, style = picture(64, 64), picture(64, 64)
    one, again, other = (
        first(job(content, style, start="noise", seed=seed, output_size=64)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_a_job_without_content_cannot_start_from_it() -> None:
    with pytest.raises(InputError, match="content"):
        job(None, picture(64, 64))
    with pytest.raises(InputError, match="picture to start from"):
        job(picture(64, 64), picture(64, 64), start="picture")


@pytest.mark.parametrize("weights", [(0.0, 0.0), (-1.0, 2.0), (float("nan"), 1.0)])
def test_shares_that_blend_to_nothing_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(InputError):
        job(picture(64, 64), picture(64, 64), picture(64, 64), weights=weights)
