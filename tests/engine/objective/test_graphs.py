"""Replayed evaluations, with a stand-in for the graphics card that does the work again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from flowing import FLOWING

from engine.network.convolutions import Arithmetic
from engine.network.networks import Network
from engine.network.random_weights import random_weights
from engine.objective import graphs
from engine.objective.evaluation import Evaluation
from engine.objective.graphs import Evaluate, RecordingError, Reel, Replayed
from engine.objective.objective import Objective
from engine.objective.terms.protocol import Terms
from engine.run import specimens
from engine.run.devices import choose_computing, set_up
from engine.run.specimens import Specimen
from engine.spec.choices import NetworkName, StyleLoss
from engine.spec.tiles import WHOLE, Tiling


def evaluate(image: torch.Tensor) -> Evaluation:
    return Evaluation(image.sum(), torch.stack([image.sum()]), 2 * image)


def picture(value: float) -> torch.Tensor:
    return torch.full((1, 3, 2, 2), float(value))


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is recorded and replayed; a replay writes where the recording wrote."""
    log: list[str] = []

    def record(self: Reel, work: Evaluate, image: torch.Tensor) -> graphs._Recording:
        log.append("recorded")
        static = image.clone()
        result = work(static)

        def replay() -> None:
            log.append("replayed")
            again = work(static)
            for name in ("total", "terms", "gradient"):
                getattr(result, name).copy_(getattr(again, name))

        return graphs._Recording(static, result, replay)

    monkeypatch.setattr(Reel, "record", record)
    return log


def test_every_image_gets_its_own_evaluation(recordings: list[str]) -> None:
    replayed = Replayed(evaluate, Reel())
    found = [replayed(picture(value)) for value in range(8)]
    assert recordings == ["recorded", *["replayed"] * 5]
    for value, evaluation in enumerate(found):
        assert float(evaluation.total) == 12 * value
        assert torch.equal(evaluation.gradient, picture(2 * value))


def test_gradients_may_be_changed_in_place(recordings: list[str]) -> None:
    replayed = Replayed(evaluate, Reel())
    for _ in range(6):
        evaluation = replayed(picture(1))
        assert torch.equal(evaluation.gradient, picture(2))
        evaluation.gradient.zero_()


def test_a_device_that_cannot_record_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: (0, 1))
    monkeypatch.setattr(torch.cuda, "CUDAGraph", refuse)
    replayed = Replayed(evaluate, Reel())
    for value in range(3):
        assert float(replayed(picture(value)).total) == 12 * value
    with pytest.raises(RecordingError, match="capturing"):
        replayed(picture(3))


def test_only_whole_images_of_which_a_replay_is_short_are_recorded() -> None:
    recorder = Arithmetic(torch.device("cpu"), torch.float32, recordings=True)
    for arithmetic, tiling, size, recorded in (
        (recorder, WHOLE, (64, 64), True),
        (recorder, Tiling(64), (64, 64), True),  # all of it is one tile
        (recorder, Tiling(64), (65, 64), False),
        (recorder, WHOLE, (2048, 2048), True),
        (recorder, WHOLE, (2049, 2048), False),
        (replace(recorder, recordings=False), WHOLE, (64, 64), False),
    ):
        weights = random_weights(NetworkName.VGG19, ["relu1_1"])
        network = Network(NetworkName.VGG19, weights, ["relu1_1"], arithmetic, tiling=tiling)
        assert Objective(network, Terms((), (), ())).can_be_recorded(size) is recorded


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")
@pytest.mark.parametrize("loss", StyleLoss)
@pytest.mark.parametrize("specimen", [specimens.draft, specimens.random_vgg])
def test_on_a_graphics_card_nothing_waits_and_a_replay_is_the_evaluation(
    specimen: Callable[[], Specimen], loss: StyleLoss
) -> None:
    subject = replace(specimen(), settings=specimen().settings.changed(style_loss=loss))
    objective = subject.objective(set_up(choose_computing(FLOWING.changed(device="cuda"))))
    period = objective.period
    here, there = (specimens.image(seed).cuda() for seed in (0, 1))
    eager = [objective.evaluate(there, step) for step in range(period)]
    for step in range(3 * period):  # the fourth in each orientation is recorded
        objective.evaluate(here, step)
    torch.cuda.set_sync_debug_mode("error")
    try:
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
            replayed = [objective.evaluate(there, step) for step in range(period)]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    launches = sum(
        event.count for event in profile.key_averages() if "cudaGraphLaunch" in event.key
    )
    assert launches == period
    for one, other in zip(eager, replayed, strict=True):
        torch.testing.assert_close(other.total, one.total, rtol=1e-3, atol=0)
        assert (other.gradient - one.gradient).norm() / one.gradient.norm() < 1e-3
