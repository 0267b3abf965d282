"""Lessons: pictures the network will meet, with what the teacher sees in them.

An episode is one content and one style patch and a few pictures between them: disturbed ones to
begin with, and later what the student itself paints on its way from the one to the other: a
student must see rightly just there where following its gradients leads to.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional as F

from engine.distill.guidance import aims_of, gradients
from engine.distill.networks import TAPS, Features, Student, Teacher
from engine.distill.pictures import Pictures, disturbed
from engine.spec.orientations import ORIENTATIONS
from engine.storage.paths import replacing

FRAMES = 6
"""Pictures in an episode."""

_RATE, _BETAS = 0.02, (0.9, 0.99)
"""The optimiser of the pastiches: the application's default."""

_COARSE_STEPS = 50
"""At half the size, before half of the pastiches."""

_MOMENTS = (3, 12, 30, 55, 80, 110)
"""After which steps a pastiche in progress becomes a lesson."""


@dataclass(frozen=True)
class Episode:
    """`FRAMES` pictures on the way from one content to one style; on the CPU.

    Attributes:
        frames: (M, 3, S, S), uint8.
        features: Layer -> the teacher's features at the frames, (M, K, H, W), half precision.
    """

    frames: Tensor
    features: Features

    def save(self, path: Path) -> None:
        """Keep the episode in a file."""
        with replacing(path) as temporary:
            temporary.write_bytes(save({"frames": self.frames, **self.features}))

    @staticmethod
    def load(path: Path) -> Episode:
        """Read what `save` wrote."""
        tensors = load_file(path)
        return Episode(tensors["frames"], {layer: tensors[layer] for layer in TAPS})


class School:
    """Makes episodes: asks the teacher about pictures.

    Args:
        teacher: With its bases.
        pictures: Where patches come from.
        device: Where the arithmetic happens.
    """

    def __init__(self, teacher: Teacher, pictures: Pictures, device: torch.device) -> None:
        self._teacher = teacher
        self._pictures = pictures
        self._device = device

    def disturbed(self, chance: random.Random) -> Episode:
        """An episode of pictures which no network made; the content is always among them."""
        content, style = (self._pictures.patch(chance) for _ in range(2))
        others = [disturbed(content, style, chance) for _ in range(FRAMES - 1)]
        return self._episode(torch.stack([content, *others]))

    def pastiches(self, student: Student, count: int, chance: random.Random) -> list[Episode]:
        """Episodes of what the student paints by the application's way of painting."""
        contents, styles = (
            torch.stack([self._pictures.patch(chance) for _ in range(count)]).to(self._device)
            for _ in range(2)
        )
        weights = _random_weights(count, chance).to(self._device)
        start = contents
        if chance.random() < 0.5:
            halves = [F.interpolate(t, scale_factor=0.5, mode="area") for t in (contents, styles)]
            coarse = paint(student, halves[0], halves[0], halves[1], weights, (_COARSE_STEPS,))[-1]
            start = F.interpolate(coarse, scale_factor=2, mode="bicubic").clamp(0, 1)
        moments = paint(student, start, contents, styles, weights, _MOMENTS)
        return [self._episode(frames) for frames in torch.stack(moments, 1).cpu()]

    @torch.no_grad()
    def _episode(self, frames: Tensor) -> Episode:
        """Ask the teacher what it sees in frames (M, 3, S, S)."""
        levels = frames.clamp(0, 1).mul(255).round().to(torch.uint8)
        found = self._teacher(as_images(levels, self._device))
        features = {layer: found[layer].half().cpu().contiguous() for layer in TAPS}
        return Episode(levels, features)


def paint(
    student: Student,
    start: Tensor,
    contents: Tensor,
    styles: Tensor,
    weights: Tensor,
    moments: Sequence[int],
) -> list[Tensor]:
    """Let a student paint a batch of squares (N, 3, S, S); the pictures at given steps.

    As in the application, each step looks at them in another orientation.
    """
    aims = [
        aims_of(student, orientation.of(contents), orientation.of(styles))
        for orientation in ORIENTATIONS
    ]
    canvas = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([canvas], lr=_RATE, betas=_BETAS)
    seen = []
    for step in range(1, moments[-1] + 1):
        number = step % len(ORIENTATIONS)
        orientation = ORIENTATIONS[number]
        seen_now = orientation.of(canvas)
        canvas.grad = orientation.back(gradients(student, seen_now, aims[number], weights))
        optimizer.step()
        with torch.no_grad():
            canvas.clamp_(0, 1)
        if step in moments:
            seen.append(canvas.detach().clone())
    return seen


def as_images(levels: Tensor, device: torch.device) -> Tensor:
    """Bytes (N, 3, H, W) as images in 0..1 on a device."""
    return levels.to(device).float().div_(255)


def _random_weights(count: int, chance: random.Random) -> Tensor:
    """The default weights, half of the time disturbed: content 1, style 10 over five layers."""
    rows = []
    for _ in range(count):
        spread = chance.choice((0.0, 0.7))
        rows.append([
            weight * 2.0 ** chance.gauss(0, spread) for weight in (1.0, *[2.0] * (len(TAPS) - 1))
        ])  # fmt: skip
    return torch.tensor(rows)
