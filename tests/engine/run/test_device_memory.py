"""What a device's memory is said to hold, with stand-ins for the cards this machine lacks."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from running import run

from engine.objective.objective import Objective
from engine.run import device_memory
from engine.run.device_memory import (
    cap_memory,
    forget_peak,
    is_out_of_memory,
    memory_available,
    memory_total,
    memory_used,
    peak_memory,
    release_memory,
)
from engine.spec.job import Job
from engine.spec.outcome import Ending
from engine.system import memory

GB = 1_000_000_000
SECOND, MPS = torch.device("cuda:1"), torch.device("mps")


class Card:
    """A machine's second graphics card of 12 GB; whoever asks for another is refused.

    Attributes:
        free: As the driver says.
        allocated, reserved, peak: By torch.
        fraction: The share that torch may take.
    """

    total = 12 * GB

    def __init__(self) -> None:
        self.free, self.allocated, self.reserved, self.peak = 9 * GB, GB, 2 * GB, 5 * GB
        self.fraction = 1.0

    def put_into(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let torch's functions ask this card."""
        asked = {
            "mem_get_info": lambda: (self.free, self.total),
            "memory_reserved": lambda: self.reserved,
            "memory_allocated": lambda: self.allocated,
            "max_memory_reserved": lambda: self.peak,
            "get_device_properties": lambda: SimpleNamespace(total_memory=self.total),
            "get_per_process_memory_fraction": lambda: self.fraction,
            "reset_peak_memory_stats": self._forget,
        }
        for name, answer in asked.items():
            monkeypatch.setattr(torch.cuda, name, self._of_the_second(answer))
        monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", self._limit)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "empty_cache", self._empty)

    def _of_the_second(self, answer: Callable[[], object]) -> Callable[[object], object]:
        def asked(device: object) -> object:
            assert device in (SECOND, 1)
            return answer()

        return asked

    def _forget(self) -> None:
        self.peak = self.reserved

    def _empty(self) -> None:
        self.free += self.reserved - self.allocated
        self.reserved = self.allocated

    def _limit(self, fraction: float, device: int) -> None:
        assert device == 1
        assert 0 <= fraction <= 1
        self.fraction = fraction


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    card = Card()
    card.put_into(monkeypatch)
    return card


def test_what_torch_holds_of_a_card_counts_as_used_and_as_the_peak(card: Card) -> None:
    assert memory_used(SECOND) == 2 * GB
    assert peak_memory(SECOND) == 5 * GB
    assert memory_total(SECOND) == 12 * GB


def test_what_torch_holds_without_using_it_is_there_for_a_new_job(card: Card) -> None:
    assert memory_available(SECOND) == 10 * GB
    release_memory()
    assert memory_available(SECOND) == 10 * GB


def test_a_peak_begins_with_what_is_in_use_not_with_an_earlier_jobs_leavings(card: Card) -> None:
    forget_peak(SECOND)
    assert peak_memory(SECOND) == GB


def test_on_apples_chips_metal_is_asked_and_what_others_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 12 * GB)
    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 3 * GB)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 5 * GB)
    assert memory_total(MPS) == 12 * GB
    assert memory_used(MPS) == peak_memory(MPS) == 5 * GB
    for available, wanted in ((14 * GB, 9 * GB), (GB, 3 * GB)):
        monkeypatch.setattr(memory, "memory_available", lambda free=available: free)
        assert memory_available(MPS) == wanted


def test_on_windows_a_card_is_left_what_was_free_and_elsewhere_it_is_not_limited(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    cap_memory(SECOND)
    assert card.fraction == 1.0
    monkeypatch.setattr(sys, "platform", "win32")
    cap_memory(torch.device("cpu"))
    assert card.fraction == 1.0
    cap_memory(SECOND)
    assert card.total * card.fraction == pytest.approx(card.reserved + 0.95 * card.free)


def test_a_card_without_a_number_is_the_current_one(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (6 * GB, 12 * GB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 0)
    cap_memory(torch.device("cuda"))
    assert card.fraction == pytest.approx(0.475)


PERHAPS = (
    "GET was unable to find an engine to execute this computation",
    "cuDNN error: CUDNN_STATUS_NOT_INITIALIZED",
    "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR",
    "cuDNN error: CUDNN_STATUS_SUBLIBRARY_INITIALIZATION_NOT_INITIALIZED",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
    "cusolver error: CUSOLVER_STATUS_INTERNAL_ERROR, when calling `cusolverDnCreate(handle)`",
)


@pytest.mark.parametrize("words", PERHAPS, ids=lambda words: words[:40])
def test_what_may_mean_a_full_card_means_it_only_where_the_card_is_full(
    words: str, card: Card
) -> None:
    error = RuntimeError(words)
    assert not is_out_of_memory(error, SECOND)
    card.free = 300_000_000
    assert is_out_of_memory(error, SECOND)
    assert not is_out_of_memory(ValueError(words), SECOND)
    assert not is_out_of_memory(error, torch.device("cpu"))
    assert not is_out_of_memory(error)
    assert not is_out_of_memory(RuntimeError("an illegal memory access"), SECOND)


def test_a_card_is_full_too_where_all_is_taken_that_windows_allows(card: Card) -> None:
    card.fraction, card.reserved = 0.5, int(5.9 * GB)
    assert is_out_of_memory(RuntimeError(PERHAPS[0]), SECOND)


def test_a_lost_card_is_not_out_of_memory(monkeypatch: pytest.MonkeyPatch, card: Card) -> None:
    def lost(_device: object) -> None:
        raise RuntimeError("CUDA error: unspecified launch failure")

    monkeypatch.setattr(torch.cuda, "mem_get_info", lost)
    assert not is_out_of_memory(RuntimeError(PERHAPS[0]), SECOND)


def test_memory_that_cannot_be_given_back_costs_no_finished_picture(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "empty_cache", refuse)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with caplog.at_level(logging.ERROR):
        outcome, _ = run(make_job(device="cpu"))
    assert outcome.ending is Ending.FINISHED
    assert outcome.pastiche is not None
    assert "stream is capturing" in caplog.text


def test_a_library_without_room_on_a_full_card_is_worked_around_with_smaller_tiles(
    make_job: Callable[..., Job], every_step_shows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, count = Objective.evaluate, iter(range(1, 1000))

    def evaluate(self: Objective, image: torch.Tensor) -> object:
        if next(count) == 5:
            raise RuntimeError(PERHAPS[0])
        return whole(self, image)

    monkeypatch.setattr(device_memory, "_is_nearly_full", lambda device: device is not None)
    monkeypatch.setattr(Objective, "evaluate", evaluate)
    outcome, _ = run(make_job())
    assert outcome.ending is Ending.FINISHED, outcome.error
    assert outcome.notes
    assert outcome.pastiche is not None
    assert np.isfinite(outcome.pastiche.progress.total)
