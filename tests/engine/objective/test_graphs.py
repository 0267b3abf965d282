"""Replayed evaluations, with a stand-in for the graphics card that does the work again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from generators import returned
from running import measurer_of, plan_of

from engine.objective import graphs
from engine.objective.evaluation import Evaluation
from engine.objective.graphs import Evaluate, Replayed
from engine.spec.choices import StyleLoss
from engine.spec.job import job_of
from engine.spec.layers import measured_layers
from engine.spec.pictures import StyleImage
from engine.spec.scales import Scale
from engine.spec.settings import DEFAULTS
from engine.spec.tiles import Tiling
from engine.storage.images import open_picture
from resources import SAMPLES


def evaluate(image: torch.Tensor) -> Evaluation:
    return Evaluation(image.sum(), torch.stack([image.sum()]), 2 * image)


def picture(value: float) -> torch.Tensor:
    return torch.full((1, 3, 2, 2), float(value))


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is recorded and replayed; a replay writes where the recording wrote."""
    log: list[str] = []

    def record(work: Evaluate, image: torch.Tensor) -> graphs._Recording:
        log.append("recorded")
        static = image.clone()
        result = work(static)

        def replay() -> None:
            log.append("replayed")
            again = work(static)
            for name in ("total", "terms", "gradient"):
                getattr(result, name).copy_(getattr(again, name))

        return graphs._Recording(static, result, replay)

    monkeypatch.setattr(graphs, "_record", record)
    return log


def test_every_image_gets_its_own_evaluation(recordings: list[str]) -> None:
    replayed = Replayed(evaluate)
    found = [replayed(picture(value)) for value in range(8)]
    assert recordings == ["recorded", *["replayed"] * 5]
    for value, evaluation in enumerate(found):
        assert float(evaluation.total) == 12 * value
        assert torch.equal(evaluation.gradient, picture(2 * value))


def test_gradients_may_be_changed_in_place(recordings: list[str]) -> None:
    replayed = Replayed(evaluate)
    for _ in range(6):
        evaluation = replayed(picture(1))
        assert torch.equal(evaluation.gradient, picture(2))
        evaluation.gradient.zero_()


def test_where_nothing_can_be_recorded_it_goes_on_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Refused:
        def __init__(self) -> None:
            raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Refused)
    calls: list[float] = []

    def counted(image: torch.Tensor) -> Evaluation:
        calls.append(float(image.mean()))
        return evaluate(image)

    replayed: Callable[[torch.Tensor], Evaluation] = Replayed(counted)
    for value in range(6):
        assert float(replayed(picture(value)).total) == 12 * value
    assert calls == [0, 1, 2, 3, 4, 5]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")
@pytest.mark.parametrize("loss", StyleLoss)
def test_on_a_graphics_card_nothing_waits_and_a_replay_is_the_evaluation(loss: StyleLoss) -> None:
    settings = DEFAULTS.changed(network="draft", style_loss=loss, device="cuda")
    content, painting = (open_picture(SAMPLES / f"{n}.jpg") for n in ("photograph", "painting"))
    job = job_of(content, [StyleImage(painting)], settings)
    scale = Scale(canvas=(128, 96), styles=((128, 128),), steps=8)
    layers = measured_layers(settings)
    measurer = measurer_of(job, plan_of(job, tiling=Tiling()))
    objective = returned(measurer.measure(scale, layers, settings, [1.0]))
    period, image = objective.period, torch.rand(1, 3, 96, 128, device="cuda")
    first = [objective.evaluate(image, step) for step in range(period)]
    for step in range(period, 5 * period):  # the fourth in each orientation is recorded
        objective.evaluate(image, step)
    torch.cuda.set_sync_debug_mode("error")
    try:
        again = [objective.evaluate(image, step) for step in range(period)]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    for one, other in zip(first, again, strict=True):
        torch.testing.assert_close(other.total, one.total, rtol=1e-3, atol=0)
        assert (other.gradient - one.gradient).norm() / one.gradient.norm() < 1e-2
