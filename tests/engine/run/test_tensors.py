"""Pictures as tensors, and tensors as pictures."""

from __future__ import annotations

import numpy as np
import torch

from engine.run.tensors import to_pixels, to_tensor
from engine.spec.tiles import Box

CPU = torch.device("cpu")


def test_pixels_survive_the_way_to_the_canvas_and_back() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    assert np.array_equal(to_pixels(to_tensor(pixels, (9, 7), CPU)), pixels)


def test_values_outside_the_range_are_clamped_not_wrapped() -> None:
    image = torch.tensor([-0.2, 0.5, 1.3]).view(1, 3, 1, 1)
    assert to_pixels(image).tolist() == [[[0, 128, 255]]]


def test_a_part_of_a_picture_can_be_taken() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    part = to_tensor(pixels, (4, 3), CPU, part=Box(2, 1, 5, 5))
    assert np.array_equal(to_pixels(part), pixels[2:5, 1:5])
