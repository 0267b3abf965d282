"""What a section is given: the device, the pictures, and a file to note findings in."""

from __future__ import annotations

import argparse
import gc
import json
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor

from engine.objective.objective import Objective, OrientedObjectives
from engine.run import device_memory, devices
from engine.run.optimizers import beginning, moved
from engine.run.tensors import to_tensor
from engine.spec.choices import NetworkName
from engine.spec.job import Job, job_of
from engine.spec.pictures import Picture, Size, StyleImage
from engine.spec.scales import Scale
from engine.spec.settings import Settings
from engine.spec.tiles import WHOLE, Tiling
from engine.storage.images import open_picture
from engine.weights.installed import find_weights
from tests.benchmarks.common import FLOWING, measured, measurer_of, plan_of
from tests.benchmarks.quality import pairs

RECORDED = 5
"""Evaluations in one orientation after which a recording is certainly being replayed."""

_PRODUCTS = {"ieee": "highest", "tf32": "high"}
"""What torch calls these numbers in products."""


@dataclass(frozen=True)
class _Task:
    """Some work, what it is called, and the seconds it needs."""

    name: str
    work: Callable[[], object]
    needs: float


class Bench:
    """One section's bench.

    Args:
        kind: `cuda` or `cpu`.
        weights: Of VGG-19.
        images: The folder with `content` and `style`.
        options: Of the command line: where to note, and how long the section may take.

    Attributes:
        device: Where is measured.
        card: Whether that is a graphics card; else pictures are small.
    """

    def __init__(self, kind: str, weights: Path, images: Path, options: argparse.Namespace) -> None:
        self.device = torch.device(kind)
        self.card = kind == "cuda"
        self._weights = weights
        content, style = pairs(images)[0]
        self.content_file, self.style_file = content, style
        self._notes: Path = options.notes
        self._end = time.monotonic() + float(options.seconds)
        self._tasks: list[_Task] = []
        self._found: dict[str, object] = {}

    def left(self) -> float:
        """Seconds that are left to the section."""
        return self._end - time.monotonic()

    def add(
        self, name: str, work: Callable[..., object], *arguments: object, needs: float = 1
    ) -> None:
        """Have some work done by `run`.

        Args:
            name: Of what it finds.
            work: Its result goes into JSON.
            arguments: Of the work.
            needs: Seconds that it takes, about; with less left it is not begun.
        """
        self._tasks.append(_Task(name, lambda: work(*arguments), needs))
        self._found[name] = {"skipped": "it was not reached"}

    def run(self) -> None:
        """Do all that was added; each finding is written at once: the next may end the process."""
        computing = self._done(_Task("computing", self._computing, needs=0))
        for task in self._tasks:
            began = time.monotonic()
            self._found[task.name] = self._done(task)
            self._notes.write_text(json.dumps({"computing": computing, "found": self._found}))
            print(f"{task.name}: {time.monotonic() - began:.1f} s", flush=True)
            self.clear()

    def _computing(self) -> dict[str, str]:
        """How the program computes here, in words.

        It may try the card out for that, so it is asked before a task tampers with the card.
        """
        asked = (self.settings(precision=precision) for precision in ("auto", "float32"))
        plans = {each.precision.value: plan_of(self.job(each)) for each in asked}
        return {precision: plan.computing.words for precision, plan in plans.items()}

    def _done(self, task: _Task) -> object:
        """What a task finds, or what it failed of."""
        if self.left() < task.needs:
            return {"skipped": "no time was left"}
        try:
            return task.work()
        except Exception:
            return {"error": traceback.format_exc(limit=-4)}

    def clear(self) -> None:
        """Give back all that no tensor holds, unless the card is past answering."""
        gc.collect()
        if self.card:
            try:
                torch.cuda.synchronize()
            except RuntimeError as error:
                print(error, flush=True)
            device_memory.release_memory()

    def settings(self, **changes: object) -> Settings:
        """The usual settings on this device, but for what is named."""
        return FLOWING.changed(**{"network": "vgg19", "device": self.device.type, **changes})

    def job(self, settings: Settings, style: Picture | None = None) -> Job:
        """A job of the first photograph and, unless another is named, the first painting."""
        content = open_picture(self.content_file)
        painting = StyleImage(style or open_picture(self.style_file))
        return job_of(content, [painting], settings, network_weights=self.weights_of(settings))

    def weights_of(self, settings: Settings) -> Path:
        """The file with the weights of the settings' network."""
        draft = settings.network is NetworkName.DRAFT
        return find_weights(settings.network, None if draft else self._weights)

    def objective(
        self, settings: Settings, size: Size, tiling: Tiling = WHOLE
    ) -> OrientedObjectives:
        """The objective of that job on a canvas of a size, cut in some way."""
        job = self.job(settings)
        measurer = measurer_of(job, plan_of(job, tiling=tiling))
        return measured(measurer, settings, Scale(canvas=size, styles=(size,), steps=1))

    def image(self, size: Size, seed: int = 0) -> Tensor:
        """Half the photograph and half noise, (1, 3, H, W) in 0..1, the same on every device."""
        content = to_tensor(open_picture(self.content_file).pixels, size, torch.device("cpu"))
        noise = torch.rand(content.shape, generator=torch.Generator().manual_seed(seed))
        return content.lerp(noise, 0.5).to(self.device)


def stepper(objective: OrientedObjectives, settings: Settings, image: Tensor) -> Callable[[], None]:
    """What moves an image one step downhill with each call."""
    descent, step = beginning(image, settings.canvas), 0

    def move() -> None:
        nonlocal descent, step
        descent = moved(descent, objective.evaluate(descent.image, step), settings)
        step += 1

    return move


@contextmanager
def float32_as(convolutions: str, products: str) -> Iterator[None]:
    """Float32 numbers as `ieee` or `tf32` on a graphics card, in convolutions and in products.

    Jobs that are begun meanwhile leave it at that.
    """
    convolving: Any = torch.backends.cudnn
    convolving, before = convolving.conv, torch.get_float32_matmul_precision()
    convolved = convolving.fp32_precision
    try:
        convolving.fp32_precision = convolutions
        # Set by its own name, products refuse to be computed where torch asks by the older one.
        torch.set_float32_matmul_precision(_PRODUCTS[products])
        with mock.patch.object(devices, "set_up", devices.arithmetic_of):
            yield
    finally:
        convolving.fp32_precision = convolved
        torch.set_float32_matmul_precision(before)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Have every evaluation done kernel by kernel: nothing is recorded meanwhile."""
    with mock.patch.object(Objective, "can_be_recorded", return_value=False):
        yield


def distance(found: Tensor, wanted: Tensor) -> float:
    """How far apart two tensors are, relative to the second."""
    found, wanted = found.double().cpu(), wanted.double().cpu()
    return float((found - wanted).norm() / wanted.norm())
