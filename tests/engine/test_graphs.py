"""Replayed evaluations, with a stand-in for the graphics card that does the work again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from engine import graphs
from engine.graphs import Evaluate, Replayed
from engine.objective import Evaluation


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
