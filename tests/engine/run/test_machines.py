"""The inventory: what is here, what is known of it, and what is tried."""

from __future__ import annotations

import pytest
from fake_cards import FakeCard, put_in
from flowing import FLOWING

from engine.plan.machine import Inventory
from engine.run import trial
from engine.run.devices import choose_computing, host
from engine.run.machines import Trials, inventory
from engine.spec.choices import Device
from engine.spec.computing import Computing, Rung

BIG = FakeCard()
SMALL = FakeCard("NVIDIA GeForce RTX 3060", (8, 6), 12_000_000_000, 9_000_000_000)
OLD = FakeCard("NVIDIA GeForce GTX 1080", (6, 1), 8_000_000_000, 7_900_000_000)


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> list[Device]:
    """The devices that were tried; each gives up its recordings, and the RTX 3060 everything."""
    tried: list[Device] = []

    def lost(computing: Computing) -> Computing:
        tried.append(computing.device)
        for rung in computing.rungs:
            if rung is Rung.RECORDINGS or computing.name == SMALL.name:
                computing = computing.without(rung, "gave no numbers", host())
                if rung is Rung.DEVICE:
                    break
        return computing

    monkeypatch.setattr(trial, "tried", lost)
    return tried


def names(found: Inventory) -> list[str]:
    return [each.device.value for each in found.devices]


def test_without_a_card_there_is_the_cpu_and_nothing_to_remark(
    monkeypatch: pytest.MonkeyPatch, trials: list[Device]
) -> None:
    put_in(monkeypatch)
    monkeypatch.setattr("engine.run.cards._driver_is_here", lambda: False)
    found = inventory(Trials.FIRST)
    assert names(found) == ["cpu"]
    assert found.remark == ""
    (cpu,) = found.usable
    assert cpu.words == choose_computing(FLOWING).words
    assert 0 < cpu.free < cpu.total


def test_what_auto_takes_stands_first_and_every_card_is_there(
    monkeypatch: pytest.MonkeyPatch, trials: list[Device]
) -> None:
    put_in(monkeypatch, OLD, SMALL, BIG)
    found = inventory(Trials.NONE)
    assert names(found) == ["cuda:2", "cuda:0", "cuda:1", "cpu"]
    assert [each.device.value for each in found.usable] == ["cuda:2", "cuda:1", "cpu"]
    first, old, *_ = found.devices
    assert (first.total, first.free) == (BIG.total, BIG.free)
    assert old.computing is None
    assert old.words.startswith(f"{OLD.name} is too old")
    assert found.remark == ""
    assert not trials
    assert not any(each.tried for each in found.devices)


def test_only_what_auto_takes_is_tried_when_the_window_opens(
    monkeypatch: pytest.MonkeyPatch, trials: list[Device]
) -> None:
    put_in(monkeypatch, SMALL, BIG)
    found = inventory(Trials.FIRST)
    assert trials == [Device.CUDA_1]
    assert [each.tried for each in found.devices] == [True, False, False]
    assert found.devices[0].words == f"{BIG.name}, bfloat16 (recordings gave no numbers)"
    inventory(Trials.FIRST)
    assert len(trials) == 1


def test_a_verdict_that_cannot_be_kept_is_told_all_the_same(
    monkeypatch: pytest.MonkeyPatch, trials: list[Device]
) -> None:
    put_in(monkeypatch, BIG)
    monkeypatch.setattr(trial.Verdicts, "keep", lambda *_: None)
    assert "recordings gave no numbers" in inventory(Trials.FIRST).devices[0].words


def test_all_are_tried_again_and_what_was_found_is_known_afterwards(
    monkeypatch: pytest.MonkeyPatch, trials: list[Device]
) -> None:
    put_in(monkeypatch, SMALL, BIG)
    inventory(Trials.FIRST)
    trials.clear()
    found = inventory(Trials.ALL)
    assert sorted(trials) == ["cpu", "cuda:0", "cuda:1"]
    assert all(each.tried for each in found.devices)
    trials.clear()
    assert inventory(Trials.NONE) == found
    assert not trials


def test_a_card_that_failed_its_trial_is_not_used_and_the_cpu_comes_first(
    monkeypatch: pytest.MonkeyPatch, trials: list[Device]
) -> None:
    put_in(monkeypatch, SMALL)
    found = inventory(Trials.FIRST)
    assert names(found) == ["cpu", "cuda"]
    cpu, card = found.devices
    assert "RTX 3060 gave no numbers" in cpu.words
    assert found.usable == (cpu,)
    assert card.name == SMALL.name
    assert card.fault.startswith("gave no numbers when it was tried")
    assert found.remark == f"{SMALL.name} {card.fault}."


def test_a_card_that_auto_would_take_is_tried_once_even_if_it_fails(
    monkeypatch: pytest.MonkeyPatch, trials: list[Device]
) -> None:
    put_in(monkeypatch, SMALL)
    inventory(Trials.ALL)
    assert trials == [Device.CUDA]
