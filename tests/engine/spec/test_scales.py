"""Sizes from coarse to fine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.spec.errors import InputError
from engine.spec.pictures import PictureRef
from engine.spec.request import Request, StyleRef
from engine.spec.scales import fitted, plan_scales
from engine.spec.settings import DEFAULTS


def picture(width: int, height: int) -> PictureRef:
    return PictureRef(name=f"{width}x{height}", sha256="0" * 64, size=(width, height))


def job(content: PictureRef, style: PictureRef, **values: object) -> Request:
    return Request(
        content=content,
        styles=(StyleRef(**style.model_dump()),),
        settings=DEFAULTS.changed(**values),
    )


def test_scales_end_at_the_output_size_and_begin_near_the_coarsest() -> None:
    settings = {"output_size": 512, "coarsest_size": 128, "steps": 100, "steps_falloff": 0.5}
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
