"""What the canvas holds before the first step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from flowing import FLOWING
from PIL import Image

from engine.plan.resolve import resolve
from engine.run import initialisation
from engine.run.initialisation import first_image
from engine.run.machines import machine_for
from engine.spec.job import Job, job_of
from engine.spec.pictures import Picture, StyleImage
from engine.spec.plan import Plan
from engine.storage.images import picture_from_pixels

CPU = torch.device("cpu")


def picture(width: int, height: int, colour: tuple[int, int, int] = (90, 40, 10)) -> Picture:
    return picture_from_pixels(np.full((height, width, 3), colour, np.uint8), f"{width}x{height}")


def speckled(seed: int) -> Picture:
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 50, 3), np.uint8)
    return picture_from_pixels(pixels, f"speckled {seed}")


def job(
    content: Picture | None,
    *styles: Picture,
    weights: tuple[float, ...] = (),
    start_picture: Picture | None = None,
    **values: object,
) -> Job:
    shares = weights or (1.0,) * len(styles)
    images = [StyleImage(style, weight) for style, weight in zip(styles, shares, strict=True)]
    return job_of(content, images, FLOWING.changed(**values), start=start_picture)


def planned(of: Job) -> Plan:
    return resolve(of.request, machine_for(of.request.settings, {}))


def first(of: Job) -> torch.Tensor:
    generator = torch.Generator().manual_seed(of.request.settings.seed)
    return first_image(of, planned(of), CPU, generator)


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


def test_noise_in_the_styles_colours_is_the_same_however_much_of_it_is_made_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of = job(None, *(speckled(seed) for seed in (1, 2)), start="style-noise", output_size=64)
    at_once = first(of)
    monkeypatch.setattr(initialisation, "_AT_A_TIME", 1000)
    assert torch.equal(first(of), at_once)


def test_the_seed_makes_noise_repeatable() -> None:
    content, style = picture(64, 64), picture(64, 64)
    one, again, other = (
        first(job(content, style, start="noise", seed=seed, output_size=64)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_a_start_of_another_shape_is_cropped_in_the_middle_and_not_stretched() -> None:
    pixels = np.zeros((16, 128, 3), np.uint8)
    pixels[:, 56:72] = 255  # the middle 16 of 128 columns
    start = picture_from_pixels(pixels, "wide")
    square = job(picture(48, 48), picture(48, 48), start_picture=start, start="picture",
                 output_size=48)  # fmt: skip
    assert planned(square).start == (0, 56, 16, 72)
    (note,) = planned(square).notes
    assert "16 × 16 px" in note
    assert float(first(square).min()) > 0.99


def test_a_start_of_the_canvas_own_shape_is_taken_whole() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    start = picture_from_pixels(noise, "start")
    same = job(picture(80, 60), picture(48, 48), start_picture=start, start="picture",
               output_size=40, coarsest_size=40)  # fmt: skip
    assert planned(same).start is None
    assert planned(same).notes == ()
    expected = np.asarray(Image.fromarray(noise), np.float32) / 255
    torch.testing.assert_close(first(same)[0].permute(1, 2, 0), torch.from_numpy(expected))
