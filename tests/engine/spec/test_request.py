"""What is asked: complete or not, and as it is written down."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.spec.errors import InputError, NewerFormatError
from engine.spec.job import Job, job_of
from engine.spec.pictures import Picture, StyleImage
from engine.spec.request import Request, StyleRef
from engine.spec.settings import DEFAULTS
from engine.storage.images import picture_from_pixels


def picture(width: int, height: int) -> Picture:
    return picture_from_pixels(np.zeros((height, width, 3), np.uint8), f"{width}x{height}")


def job(
    content: Picture | None, *styles: Picture, weights: tuple[float, ...] = (), **values: object
) -> Job:
    shares = weights or (1.0,) * len(styles)
    images = [StyleImage(style, weight) for style, weight in zip(styles, shares, strict=True)]
    return job_of(content, images, DEFAULTS.changed(**values))


def test_a_job_without_content_cannot_start_from_it() -> None:
    with pytest.raises(InputError, match="content"):
        job(None, picture(64, 64))
    with pytest.raises(InputError, match="picture to start from"):
        job(picture(64, 64), picture(64, 64), start="picture")


@pytest.mark.parametrize("weights", [(0.0, 0.0), (-1.0, 2.0), (float("nan"), 1.0)])
def test_shares_that_blend_to_nothing_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(InputError):
        job(picture(64, 64), picture(64, 64), picture(64, 64), weights=weights)


def test_a_job_needs_the_pictures_its_request_names() -> None:
    whole = job(picture(64, 48), picture(32, 32))
    with pytest.raises(InputError, match="64x48"):
        Job(whole.request, {})


def test_a_request_is_the_same_after_a_round_trip_through_json(tmp_path: Path) -> None:
    whole = job(picture(64, 48), picture(32, 32), picture(16, 16), weights=(1.0, 0.25), seed=5)
    text = json.dumps(whole.request.to_values())
    assert Request.from_values(json.loads(text), "The request") == whole.request


def test_a_request_of_a_newer_version_is_refused() -> None:
    with pytest.raises(NewerFormatError):
        Request.from_values({**Request().to_values(), "format": 99}, "The request")


def test_what_was_asked_may_still_be_incomplete_but_no_job_can_be_made_of_it() -> None:
    with pytest.raises(InputError, match="no style image"):
        Request().refuse_unless_complete()


def test_a_place_is_known_here_and_kept_from_others(tmp_path: Path) -> None:
    found = Picture(np.zeros((2, 3, 3), np.uint8), "a.png", "0" * 64, tmp_path / "a.png")
    request = Request(content=found.ref, styles=(StyleRef.of(found),), start=found.ref)
    assert request.content is not None
    assert request.content.path == str(tmp_path / "a.png")
    assert request.content.size == (3, 2)
    assert str(tmp_path) not in json.dumps(request.without_folders().to_values())


def test_a_place_that_is_no_unicode_is_left_out() -> None:
    found = Picture(np.zeros((2, 3, 3), np.uint8), "a.png", "0" * 64, Path("/caf\udce9/a.png"))
    assert found.ref.path == ""
