"""A student while it learns: its weights, their running average, and the optimisers' memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engine.distill.imitation import imitate
from engine.distill.lesson import Lesson, errors
from engine.distill.networks import TAPS, Design, Student, Teacher
from engine.distill.optimizer import Orthogonal

_WEIGHTS = {"features": 2.0, "moments": 1.0}
_EMPHASIS = {"relu4_2": 2.0, "relu5_1": 1.5}
"""The deepest layers are the hardest to imitate; the rest counts once."""

_DECAY = 0.995
"""Of the running average of the weights, once there is something to average."""

_LONGEST_STEP = 1.0
"""Gradients longer than this are shortened to it."""


class Apprentice:
    """Takes over what it can of a teacher, then learns lesson by lesson.

    Args:
        design: The student's architecture.
        device: Where the arithmetic happens.

    Attributes:
        average: What to paint with, and what to keep in the end.
    """

    def __init__(self, design: Design, device: torch.device) -> None:
        self._student = Student(design).to(device)
        self.average = Student(design).to(device)
        self.average.load_state_dict(self._student.state_dict())
        self._optimizers = _optimizers(self._student)
        self._errors: dict[str, float] = {}

    def imitate(self, teacher: Teacher, frames: Tensor) -> None:
        """Begin anew: take over part of the teacher as it sees frames (N, 3, S, S), uint8."""
        imitate(self._student, teacher, frames)
        self.average.load_state_dict(self._student.state_dict())

    def learn(self, lesson: Lesson, step: int, rate: float) -> None:
        """Take one step towards fewer errors.

        Args:
            lesson: What to learn from.
            step: How many steps came before.
            rate: The learning rate.
        """
        found = errors(self._student, lesson)
        loss = torch.stack([_weight(name) * value for name, value in found.items()])
        self._student.zero_grad()
        torch.autograd.backward(loss.sum())
        torch.nn.utils.clip_grad_norm_(self._student.parameters(), _LONGEST_STEP)
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
        keep = min(_DECAY, (1 + step) / (10 + step))
        pairs = zip(self.average.parameters(), self._student.parameters(), strict=True)
        with torch.no_grad():
            for mean, weight in pairs:
                mean.lerp_(weight, 1 - keep)
        for name, error in found.items():
            value = float(error.detach())
            self._errors[name] = 0.98 * self._errors.get(name, value) + 0.02 * value

    def report(self) -> str:
        """The running errors in words, the mean of each kind."""
        means: dict[str, float] = {}
        for name, value in self._errors.items():
            kind = name.split()[0]
            means[kind] = means.get(kind, 0.0) + value / len(TAPS)
        return ", ".join(f"{kind} {value:.3f}" for kind, value in means.items())

    def state(self) -> dict[str, Any]:
        """Everything needed to go on, as `torch.save` takes it."""
        return {
            "student": self._student.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "running": self._errors,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self._student.load_state_dict(state["student"])
        self.average.load_state_dict(state["average"])
        for optimizer, kept in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        self._errors = state["running"]


def _weight(name: str) -> float:
    kind, layer = name.split()
    return _WEIGHTS[kind] * _EMPHASIS.get(layer, 1.0)


def _optimizers(student: Student) -> list[torch.optim.Optimizer]:
    """One for the kernels between features, one for what meets pictures or the teacher."""
    kernels = [value for name, value in student.tensors().items() if _between_features(name)]
    others = [value for name, value in student.tensors().items() if not _between_features(name)]
    return [Orthogonal(kernels, 2.0), torch.optim.Adam(others, betas=(0.9, 0.99))]


def _between_features(name: str) -> bool:
    return name.startswith("conv") and name.endswith("weight") and name != "conv1_1.weight"
