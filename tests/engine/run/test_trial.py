"""A device that is subtly wrong is caught, and loses just what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import computings
import pytest
import torch
from flowing import FLOWING
from running import run, small_job
from torch import Tensor

from engine.network import convolutions
from engine.network.convolutions import Arithmetic
from engine.objective import graphs, losses
from engine.objective.evaluation import Evaluation
from engine.objective.graphs import RecordingError, Reel
from engine.run import devices, machines, specimens, trial
from engine.run.trial import checked, proven, tried
from engine.spec.choices import Device, Precision
from engine.spec.computing import Computing, Rung
from engine.spec.errors import EngineError
from engine.spec.outcome import Ending
from engine.storage.verdicts import Verdicts

pytestmark = pytest.mark.usefixtures("one_thread")

CARD = computings.CARD.model_copy(
    # The CPU that plays it has neither TF32 nor cuDNN's convolutions.
    update={"name": "a card", "precision": Precision.FLOAT32, "tf32": False, "fused": False}
)
HALF = CARD.model_copy(update={"precision": Precision.BFLOAT16})

Convolve = Callable[..., Tensor]


class CardArithmetic(Arithmetic):
    """An arithmetic of the card that is played here by the CPU."""


class Played(graphs._Recording):
    """A recording that computes again; `late` gives what was computed the time before."""

    def __init__(self, work: graphs.Evaluate, image: Tensor, *, late: bool) -> None:
        static = image.clone()
        first = work(static)
        kept = Evaluation(first.total.clone(), first.terms.clone(), first.gradient.clone())
        before = [kept]

        def replay() -> None:
            again = work(static)
            shown, before[0] = (before[0] if late else again), again
            for name in ("total", "terms", "gradient"):
                getattr(kept, name).copy_(getattr(shown, name).clone())

        super().__init__(static, kept, replay)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A card that computes as the CPU does, until something is patched."""
    real = devices.arithmetic_of

    def arithmetic_of(computing: Computing) -> Arithmetic:
        found = real(computing)
        if computing.kind is not Device.CUDA:
            return found
        values = {**vars(found), "device": torch.device("cpu"), "winograd": False}
        return CardArithmetic(**values)

    small = FLOWING.changed(
        network="draft",
        style_loss="wasserstein",
        style_layers="relu1_1, relu2_1",
        content_layers="relu2_1",
    )
    monkeypatch.setattr(specimens, "_SIZE", (48, 32))
    monkeypatch.setattr(specimens, "_draft_settings", lambda: small)
    for cached in (specimens.image, specimens.random_vgg, specimens.draft, specimens.grey):
        cached.cache_clear()
    monkeypatch.setattr(devices, "arithmetic_of", arithmetic_of)
    monkeypatch.setattr(devices, "set_up", arithmetic_of)
    # There is no card that could be asked.
    monkeypatch.setattr(trial, "is_lost", lambda error, _: "launch failure" in str(error))
    monkeypatch.setattr(trial, "key_of", lambda computing: f"{computing.name} {computing.numbers}")
    monkeypatch.setattr(Reel, "record", lambda _, work, image: Played(work, image, late=False))
    yield monkeypatch
    for cached in (specimens.image, specimens.random_vgg, specimens.draft, specimens.grey):
        cached.cache_clear()


def spoil(
    card: pytest.MonkeyPatch, spoilt: Callable[[Convolve, Arithmetic, Tensor], Convolve]
) -> None:
    """Have the card's convolutions done another way."""
    right = convolutions._convolution

    def convolution(weight: Tensor, arithmetic: Arithmetic) -> Any:
        convolve = right(weight, arithmetic)
        if not isinstance(arithmetic, CardArithmetic):
            return convolve
        return spoilt(convolve, arithmetic, weight)

    card.setattr(convolutions, "_convolution", convolution)


def given_up(computing: Computing) -> list[Rung]:
    return [lost.rung for lost in computing.given_up]


@pytest.mark.parametrize("computing", [CARD, HALF], ids=["float32", "bfloat16"])
def test_a_card_that_is_right_keeps_everything(
    card: pytest.MonkeyPatch, computing: Computing
) -> None:
    assert tried(computing) == computing


def ignore_strides(convolve: Convolve, arithmetic: Arithmetic, weight: Tensor) -> Convolve:
    """As MPSGraph did: weights are read as if they lay plainly."""
    if arithmetic.layout is torch.contiguous_format:
        return convolve
    as_read = weight.permute(0, 2, 3, 1).reshape(weight.shape)
    return convolutions._direct(as_read)


def zero_a_channel(convolve: Convolve, arithmetic: Arithmetic, weight: Tensor) -> Convolve:
    def spoilt(image: Tensor, bias: Tensor | None, *, rectify: bool) -> Tensor:
        found = convolve(image, bias, rectify=rectify)
        if found.shape[1] > 3:
            found[:, 3] = 0
        return found

    return spoilt


def overflow_in_half(convolve: Convolve, arithmetic: Arithmetic, weight: Tensor) -> Convolve:
    def spoilt(image: Tensor, bias: Tensor | None, *, rectify: bool) -> Tensor:
        found = convolve(image, bias, rectify=rectify)
        if arithmetic.dtype is torch.bfloat16:
            found = found * 1e38 * 1e3
        return found

    return spoilt


def fail_in_half(convolve: Convolve, arithmetic: Arithmetic, weight: Tensor) -> Convolve:
    if arithmetic.dtype is not torch.bfloat16:
        return convolve

    def spoilt(image: Tensor, bias: Tensor | None, *, rectify: bool) -> Tensor:
        raise RuntimeError("GET was unable to find an engine to execute this computation")

    return spoilt


@pytest.mark.parametrize(
    ("spoilt", "computing", "lost", "reason"),
    [
        (ignore_strides, CARD, [Rung.CHANNELS_LAST], "wrong numbers"),
        (overflow_in_half, HALF, [Rung.PRECISION], "no numbers"),
        (fail_in_half, HALF, [Rung.PRECISION], "unable to find an engine"),
        (zero_a_channel, CARD, [Rung.DEVICE], "wrong numbers"),
    ],
)
def test_convolutions_that_are_wrong_cost_what_is_wrong_with_them(
    card: pytest.MonkeyPatch,
    spoilt: Callable[[Convolve, Arithmetic, Tensor], Convolve],
    computing: Computing,
    lost: list[Rung],
    reason: str,
) -> None:
    spoil(card, spoilt)
    found = tried(computing)
    assert given_up(found) == lost
    assert reason in found.words
    if lost == [Rung.DEVICE]:
        assert (found.device, found.precision) == (Device.CPU, Precision.FLOAT32)


def test_a_replay_of_the_picture_before_costs_the_recordings(card: pytest.MonkeyPatch) -> None:
    card.setattr(Reel, "record", lambda _, work, image: Played(work, image, late=True))
    assert given_up(tried(CARD)) == [Rung.RECORDINGS]


def test_a_card_that_cannot_record_goes_without(card: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RecordingError("operation not permitted when stream is capturing")

    card.setattr(Reel, "record", refuse)
    assert given_up(tried(CARD)) == [Rung.RECORDINGS]


@pytest.mark.parametrize("factor", [float("nan"), 1.05])
def test_wrong_roots_are_taken_by_eigenvalues(card: pytest.MonkeyPatch, factor: float) -> None:
    right = losses.transport_by_products

    def wrong(*arguments: Tensor) -> tuple[Tensor, Tensor]:
        overlap, moves = right(*arguments)
        return overlap * factor, moves * factor

    card.setattr(losses, "transport_by_products", wrong)
    card.setattr(specimens, "transport_by_products", wrong)
    assert given_up(tried(CARD)) == [Rung.PRODUCTS]


def test_two_faults_cost_two_rungs(card: pytest.MonkeyPatch) -> None:
    spoil(card, overflow_in_half)
    card.setattr(Reel, "record", lambda _, work, image: Played(work, image, late=True))
    assert given_up(tried(HALF)) == [Rung.PRECISION, Rung.RECORDINGS]


def test_a_job_on_a_card_that_is_wrong_throughout_is_finished_by_the_cpu(
    card: pytest.MonkeyPatch,
) -> None:
    spoil(card, zero_a_channel)
    card.setattr(devices, "choose_computing", lambda _: CARD)
    outcome, seen = run(small_job(None, steps=2, output_size=32, coarsest_size=32))
    assert outcome.ending is Ending.FINISHED
    assert outcome.plan is not None
    assert outcome.plan.computing.kind is Device.CPU
    assert "a card gave wrong numbers" in seen[-1].device
    # The recipe knows it, too.
    assert given_up(outcome.plan.computing) == [Rung.DEVICE]


def test_a_verdict_is_kept_and_the_device_is_not_tried_again(
    card: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spoil(card, ignore_strides)
    found = proven(CARD)
    assert given_up(found) == [Rung.CHANNELS_LAST]

    def again(_: Computing) -> Computing:
        pytest.fail("it was tried again")

    card.setattr(trial, "tried", again)
    assert proven(CARD) == found


def test_what_a_person_has_tried_counts_for_the_cpu_too(card: pytest.MonkeyPatch) -> None:
    host = replace_device(CARD)
    assert proven(host) == host
    card.setattr(trial, "tried", lambda one: one.without(Rung.PRODUCTS, "gave no numbers", one))
    checked(host)
    assert given_up(proven(host)) == [Rung.PRODUCTS]


def replace_device(computing: Computing) -> Computing:
    return computing.model_copy(update={"device": Device.CPU, "name": "CPU"})


@pytest.mark.parametrize(("content", "kept"), [("{", False), ('{"format": 99}', True)])
def test_verdicts_that_cannot_be_read_are_made_anew_unless_they_are_newer(
    content: str, kept: bool, tmp_path: Path
) -> None:
    file = tmp_path / "devices.json"
    file.write_text(content)
    verdicts = Verdicts(file)
    assert verdicts.find("a") is None
    verdicts.keep("a", ())
    assert (file.read_text() == content) is kept
    assert verdicts.find("a") == (None if kept else ())
    if not kept:
        assert json.loads(file.read_text())["format"] == 1


def test_half_precision_on_a_cpu_has_to_be_the_faster_one(monkeypatch: pytest.MonkeyPatch) -> None:
    half = devices.host().model_copy(
        update={"precision": Precision.BFLOAT16, "winograd": False, "fused": False}
    )
    monkeypatch.setattr(trial, "_first_finding", lambda _: None)
    for half_seconds, lost in ((1.0, []), (3.0, [Rung.PRECISION])):
        monkeypatch.setattr(
            trial,
            "_evaluation_seconds",
            lambda one, half_seconds=half_seconds: half_seconds if one is half else 2.0,
        )
        found = tried(half)
        assert given_up(found) == lost
        if lost:
            assert replace_given_up(found) == devices.host()


def test_slow_half_precision_is_left_to_whoever_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    half = devices.host().model_copy(
        update={"precision": Precision.BFLOAT16, "winograd": False, "fused": False}
    )
    monkeypatch.setattr(devices, "choose_computing", lambda _: half)
    monkeypatch.setattr(trial, "_first_finding", lambda _: None)
    monkeypatch.setattr(trial, "_evaluation_seconds", lambda one: 3.0 if one is half else 2.0)
    for precision, numbers in (("auto", "float32"), ("bfloat16", "bfloat16")):
        machine = machines.machine_for(FLOWING.changed(precision=precision), {})
        assert machine.computing.numbers == numbers


def replace_given_up(computing: Computing) -> Computing:
    return computing.model_copy(update={"given_up": ()})


@pytest.mark.parametrize(
    ("words", "lost"), [("CUDA out of memory", False), ("unspecified launch failure", True)]
)
def test_a_card_that_is_full_or_fails_gets_no_verdict(
    card: pytest.MonkeyPatch, words: str, lost: bool
) -> None:
    marked: list[torch.device] = []
    card.setattr(trial, "mark_lost", marked.append)

    def fail(*_: object, **__: object) -> Tensor:
        raise RuntimeError(words)

    with card.context() as patched:
        spoil(patched, lambda *_: fail)
        found = proven(CARD)
        with pytest.raises(EngineError):
            checked(CARD)
    assert found.device is (Device.CPU if lost else Device.CUDA)
    assert set(marked) == ({torch.device("cuda")} if lost else set())
    assert trial.known(CARD) is None
    assert proven(CARD) == CARD


def test_roots_are_held_against_float64_more_closely_than_a_loss_would_tell(
    card: pytest.MonkeyPatch,
) -> None:
    assert trial._look_at_roots(CARD) is None
    right = losses.transport_by_products

    def off(*arguments: Tensor) -> tuple[Tensor, Tensor]:
        overlap, moves = right(*arguments)
        return overlap, moves * 1.02

    card.setattr(specimens, "transport_by_products", off)
    found = trial._look_at_roots(CARD)
    assert found is not None
    assert Rung.PRODUCTS in found.suspects
