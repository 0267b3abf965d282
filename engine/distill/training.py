"""The course of a distillation, from a folder of pictures to a student; it survives being killed.

find the teacher's principal directions
make episodes of disturbed pictures
several times:
    let the student imitate its teacher, layer by layer, on all pictures there are
    let the student paint, and make episodes of what it painted
for each step:
    every `ROUND` steps: let the student paint
    draw a lesson, lower the student's errors at all layers together, average its weights
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.distill.apprentice import Apprentice
from engine.distill.directions import principal_directions
from engine.distill.episodes import Episode, School
from engine.distill.lesson import draw_lesson
from engine.distill.networks import Design, Student, Teacher
from engine.distill.pictures import Pictures
from engine.spec.errors import InputError
from engine.storage.paths import replacing

ROUND = 250
"""Steps between two rounds of painting."""

SITTINGS = 8
"""Rounds of painting after each imitation."""

SAVE_EVERY = 50
"""Steps between two states on disk."""

_DIRECTION_PATCHES = 48

_WARM_UP, _COOL_DOWN = 50, 0.6
"""Steps until the full learning rate; the share of the steps in which it falls to 0."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Course:
    """How long and how large a distillation is.

    Attributes:
        imitations: How often the student begins anew, each time with more pictures.
        steps: Optimiser steps.
        seed: Of everything random.
        patch: Side of the pictures in pixels.
        episodes: Of disturbed pictures, made at the beginning.
        painters: Pictures painted at once in each round.
        batch: Frames in a lesson.
        learning_rate: At its highest; more would throw the student far from where it began.
        painted: Share of a lesson taken from what the student painted, once there is any.
    """

    imitations: int = 3
    steps: int = 3000
    seed: int = 0
    patch: int = 96
    episodes: int = 128
    painters: int = 8
    batch: int = 8
    learning_rate: float = 2e-5
    painted: float = 0.7


class Distillation:
    """A distillation under way, with its state on disk.

    Args:
        course: How long and how large.
        design: The student's architecture.
        teacher: Without bases.
        pictures: Where patches come from.
        folder: Where the state is kept; what is found there is gone on with.
        device: Where the arithmetic happens.
        say: Told in words how it goes.

    Raises:
        InputError: The folder holds a distillation with another seed.
    """

    def __init__(
        self,
        course: Course,
        design: Design,
        teacher: Teacher,
        pictures: Pictures,
        folder: Path,
        device: torch.device,
        say: Say,
    ) -> None:
        self._course = course
        self._folder = folder
        self._device = device
        self._say = say
        self._chance = random.Random(course.seed)
        torch.manual_seed(course.seed)
        self._apprentice = Apprentice(design, device)
        self._step = self._imitations = 0
        self._disturbed = self._kept("disturbed")
        self._painted = self._kept("painted")
        self._resume()
        teacher.bases = self._directions(teacher, design, pictures)
        self._teacher = teacher
        self._school = School(teacher, pictures, device)

    def run(self) -> Student:
        """Go on to the end of the course; returns the student."""
        steps = self._course.steps
        self._gather()
        while self._imitations < self._course.imitations:
            self._imitate()
        started, first = time.monotonic(), self._step
        while self._step < steps:
            self._paint_until((self._course.imitations - 1) * SITTINGS + self._step // ROUND)
            self._learn()
            self._step += 1
            if self._step % SAVE_EVERY == 0 or self._step == steps:
                self._save()
                pace = (time.monotonic() - started) / (self._step - first)
                self._say(
                    f"Step {self._step} of {steps}: {self._apprentice.report()}; "
                    f"{len(self._painted)} painted; about {pace * (steps - self._step) / 60:.0f} "
                    "min left"
                )
        return self._apprentice.average

    def _directions(
        self, teacher: Teacher, design: Design, pictures: Pictures
    ) -> dict[str, Tensor]:
        """The teacher's directions, found once: rounding may turn them another way next time."""
        path = self._folder / "directions.safetensors"
        if not path.is_file():
            chance = random.Random(f"{self._course.seed} directions")
            patches = torch.stack([pictures.patch(chance) for _ in range(_DIRECTION_PATCHES)])
            found = principal_directions(teacher, patches, design.directions, self._device)
            with replacing(path) as temporary:
                save_file(found, temporary)
        return load_file(path, device=str(self._device))

    def _learn(self) -> None:
        course = self._course
        chosen = []
        for _ in range(course.batch):
            pool = self._disturbed
            if self._painted and self._chance.random() < course.painted:
                pool = self._painted
            chosen.append(self._chance.choice(pool))
        rate = course.learning_rate * _pace(self._step, course.steps)
        lesson = draw_lesson(chosen, self._chance, self._device)
        self._apprentice.learn(lesson, self._step, rate)

    def _imitate(self) -> None:
        """Begin anew, with what the student has painted meanwhile."""
        self._paint_until(self._imitations * SITTINGS)
        frames = torch.cat([episode.frames for episode in self._disturbed + self._painted])
        self._say(f"Imitating layer by layer what the teacher sees in {len(frames)} pictures")
        self._apprentice.imitate(self._teacher, frames)
        self._imitations += 1
        self._save()

    def _gather(self) -> None:
        """Make the episodes of disturbed pictures that are still missing."""
        total = self._course.episodes
        while len(self._disturbed) < total:
            number = len(self._disturbed)
            chance = random.Random(f"{self._course.seed} disturbed {number}")
            self._keep("disturbed", self._disturbed, self._school.disturbed(chance))
            if number % 10 == 9:
                self._say(f"{number + 1} of {total} episodes of disturbed pictures")

    def _paint_until(self, rounds: int) -> None:
        """Let the average student paint until there are so many rounds of pictures."""
        total = rounds * self._course.painters
        while len(self._painted) < total:
            chance = random.Random(f"{self._course.seed} painted {len(self._painted)}")
            student = self._apprentice.average
            for episode in self._school.pastiches(student, self._course.painters, chance):
                self._keep("painted", self._painted, episode)
            self._say(f"{len(self._painted)} of {total} pictures painted")

    def _keep(self, kind: str, episodes: list[Episode], episode: Episode) -> None:
        episode.save(self._folder / f"{kind}-{len(episodes):05}.safetensors")
        episodes.append(episode)

    def _kept(self, kind: str) -> list[Episode]:
        files = sorted(self._folder.glob(f"{kind}-*.safetensors"))
        return [Episode.load(file) for file in files]

    def _save(self) -> None:
        state = self._apprentice.state() | {
            "step": self._step,
            "imitations": self._imitations,
            "seed": self._course.seed,
            "chance": self._chance.getstate(),
        }
        with replacing(self._folder / "state.pt") as temporary:
            torch.save(state, temporary)

    def _resume(self) -> None:
        path = self._folder / "state.pt"
        if not path.is_file():
            return
        state: dict[str, Any] = torch.load(path, map_location=self._device, weights_only=True)
        if state["seed"] != self._course.seed:
            raise InputError(
                f"{self._folder} holds a distillation with the seed {state['seed']}.",
                "Give that seed to go on with it, or delete the folder.",
            )
        self._apprentice.restore(state)
        self._step, self._imitations = state["step"], state["imitations"]
        version, numbers, gauss = state["chance"]
        self._chance.setstate((version, tuple(numbers), gauss))
        self._say(
            f"Going on after {self._imitations} imitations and {self._step} of "
            f"{self._course.steps} steps."
        )


def _pace(step: int, steps: int) -> float:
    """Share of the full learning rate: a warm-up, a plateau and a straight line down to 0."""
    left = (steps - step) / (steps * _COOL_DOWN)
    return min(1.0, (step + 1) / _WARM_UP, left)
