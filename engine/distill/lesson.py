"""How far a student is from its teacher at some pictures, in features and in second moments."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.distill.episodes import FRAMES, Episode, as_images
from engine.distill.guidance import gram
from engine.distill.networks import TAPS, Features, Student

_POWER_FLOOR = 0.1
"""Keeps nearly empty pictures, relative to the usual power of 1, from counting without bound."""


@dataclass(frozen=True)
class Lesson:
    """A batch of pictures (N, 3, S, S) in 0..1 and the teacher's features, on the device."""

    frames: Tensor
    features: Features


def draw_lesson(episodes: Sequence[Episode], chance: random.Random, device: torch.device) -> Lesson:
    """Take a frame of each of some episodes at random."""
    taken = [(episode, chance.randrange(FRAMES)) for episode in episodes]
    frames = torch.stack([episode.frames[row] for episode, row in taken])
    features = {
        layer: torch.stack([episode.features[layer][row] for episode, row in taken])
        for layer in TAPS
    }
    return Lesson(
        as_images(frames, device),
        {layer: wanted.to(device).float() for layer, wanted in features.items()},
    )


def errors(student: Student, lesson: Lesson) -> dict[str, Tensor]:
    """Relative errors by name, each 0 where the student equals the teacher; differentiable.

    `features relu4_1` is a relative squared error of features, `moments relu4_1` of the second
    moments, which are what a style loss looks at.
    """
    result = {}
    for layer, found in student(lesson.frames).items():
        wanted = lesson.features[layer]
        difference = (found - wanted).square().mean((1, 2, 3))
        power = wanted.square().mean((1, 2, 3))
        result[f"features {layer}"] = (difference / (power + _POWER_FLOOR)).mean()
        moments, aim = gram(found), gram(wanted)
        distance, whole = (matrix.square().sum((1, 2)) for matrix in (moments - aim, aim))
        result[f"moments {layer}"] = (distance / (whole + _POWER_FLOOR**2)).mean()
    return result
