"""What a plan counts for a pyramid beside pixels is what a descent holds more."""

from __future__ import annotations

import computings
import pytest
import torch
from flowing import FLOWING
from live import LiveBytes

from engine.objective.evaluation import Evaluation
from engine.plan import memory
from engine.plan.machine import Machine
from engine.run import pyramid
from engine.run.optimizers import beginning, moved
from engine.spec.choices import Canvas, OptimizerName
from engine.spec.scales import Scale
from engine.spec.settings import Settings
from engine.spec.tiles import WHOLE

WIDTH, HEIGHT, STEPS = 256, 192, 6
MACHINE = Machine(computings.HOST, total=0, available=0, networks={})


def held(settings: Settings) -> float:
    """Images alive at the peak of some steps, the gradient that is given included."""
    with LiveBytes() as live:
        descent = beginning(torch.rand(1, 3, HEIGHT, WIDTH), settings.canvas)
        for _ in range(STEPS):
            zero = torch.zeros(1)
            evaluation = Evaluation(zero, zero, torch.rand_like(descent.image))
            descent = moved(descent, evaluation, settings)
            del evaluation
    return live.peak / (12 * WIDTH * HEIGHT)


def planned(settings: Settings) -> float:
    scale = Scale(canvas=(WIDTH, HEIGHT), styles=((64, 64),), steps=STEPS)
    return memory._images(settings, MACHINE, scale, WHOLE)


@pytest.mark.parametrize("optimizer", list(OptimizerName))
def test_a_pyramid_takes_as_much_more_than_pixels_as_is_planned(
    optimizer: OptimizerName, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is made slab by slab does not grow with the picture.
    monkeypatch.setattr(pyramid, "_SLAB", 6 * WIDTH)
    pixels, bands = (
        FLOWING.changed(network="vgg19", optimizer=optimizer, lbfgs_history=3, canvas=canvas)
        for canvas in (Canvas.PIXELS, Canvas.PYRAMID)
    )
    more = held(bands) - held(pixels)
    assert more - 0.1 <= planned(bands) - planned(pixels) <= 1.1 * more + 0.1
