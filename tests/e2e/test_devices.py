"""What `devices` tells of the machine, with cards in it and without."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from fake_cards import FakeCard, put_in
from terminal import Terminal

from engine.run import cards, trial
from engine.run.device_memory import memory_available
from engine.run.devices import choose_computing, host
from engine.spec.computing import GivenUp, Rung
from engine.spec.settings import DEFAULTS
from engine.storage.verdicts import Verdicts

KEYS = {
    "device", "name", "usable", "fault", "memory", "free", "computes", "tried", "proven",
    "given_up",
}  # fmt: skip

BIG = FakeCard()
SMALL = FakeCard("NVIDIA GeForce RTX 3060", (8, 6), 12_000_000_000, 9_000_000_000)
OLD = FakeCard("NVIDIA GeForce GTX 1080", (6, 1), 8_000_000_000, 7_900_000_000)


def report(terminal: Terminal, *words: str) -> dict[str, Any]:
    ended = terminal.type("devices", "--json", *words)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.count("\n") == 1
    told: dict[str, Any] = json.loads(ended.out)
    return told


def paragraphs(terminal: Terminal) -> list[str]:
    ended = terminal.type("devices")
    assert (ended.code, ended.err) == (0, "")
    return ended.out.rstrip("\n").split("\n\n")


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    put_in(monkeypatch)
    monkeypatch.setattr(cards, "_driver_is_here", lambda: False)


@pytest.mark.usefixtures("no_card")
def test_without_a_card_the_cpu_is_told_of_and_nothing_is_tried_or_kept(
    terminal: Terminal,
) -> None:
    before = terminal.everything()
    told = report(terminal)
    assert told.keys() == {"auto", "devices", "remark"}
    assert (told["auto"], told["remark"]) == ("cpu", "")
    (cpu,) = told["devices"]
    assert cpu.keys() == KEYS
    assert cpu["usable"] is True
    assert cpu["free"] == pytest.approx(memory_available(torch.device("cpu")), rel=0.2)
    assert cpu["tried"] is False
    assert cpu["proven"] == cpu["given_up"] == []
    (words,) = paragraphs(terminal)
    assert words.startswith("cpu: CPU, 1 threads, which auto takes\n")
    assert "not yet tried" in words
    assert terminal.everything() == before


@pytest.mark.usefixtures("no_card")
def test_checked_the_cpu_is_tried_and_what_was_proven_is_known_from_then_on(
    terminal: Terminal,
) -> None:
    (checked,) = report(terminal, "--check")["devices"]
    assert checked["tried"] is True
    assert checked["proven"]
    (known,) = report(terminal)["devices"]
    assert known["proven"] == checked["proven"]
    (words,) = paragraphs(terminal)
    assert f"Proven:   {', '.join(checked['proven'])}" in words


@pytest.mark.usefixtures("no_card")
def test_checked_again_a_device_is_judged_anew(terminal: Terminal) -> None:
    computing = host()
    lost = GivenUp(rung=Rung.WINOGRAD, instead_of=Rung.WINOGRAD.value, reason="gave no numbers")
    Verdicts().keep(trial.key_of(computing), (lost,))
    assert report(terminal)["devices"][0]["tried"] is True
    assert ("gave no numbers" in terminal.type("devices").out) is computing.winograd
    assert "Given up" not in terminal.type("devices", "--check").out


def test_two_cards_stand_by_number_and_the_free_one_is_auto(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in(monkeypatch, SMALL, BIG)
    told = report(terminal)
    assert told["auto"] == "cuda:1"
    assert [each["device"] for each in told["devices"]] == ["cuda:1", "cuda:0", "cpu"]
    first = told["devices"][0]
    assert (first["memory"], first["free"]) == (BIG.total, BIG.free)
    assert first["computes"] == "NVIDIA GeForce RTX 4090, bfloat16"
    said = paragraphs(terminal)
    assert said[0].splitlines()[:3] == [
        "cuda:1: NVIDIA GeForce RTX 4090, which auto takes",
        "  Memory:   24.0 GB, 20.0 GB free",
        "  Computes: bfloat16",
    ]
    assert said[1].startswith("cuda:0: NVIDIA GeForce RTX 3060\n")
    assert [words.count("auto") for words in said] == [1, 0, 0]


def test_what_a_card_gave_up_and_what_was_proven_is_told_with_the_reason(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in(monkeypatch, BIG)
    key = trial.key_of(choose_computing(DEFAULTS))
    lost = GivenUp(rung=Rung.RECORDINGS, instead_of="recordings", reason="gave wrong numbers")
    Verdicts().keep(key, (lost,))
    card = report(terminal)["devices"][0]
    assert card["given_up"] == [{"what": "recordings", "reason": "gave wrong numbers"}]
    means = ["roots by products", "fused convolutions", "channels last"]
    assert card["proven"] == ["bfloat16", *means]
    said = paragraphs(terminal)[0]
    assert "  Given up: recordings gave wrong numbers" in said
    assert "  Proven:   bfloat16, roots by products, fused convolutions, channels last\n" in said


def test_a_card_that_failed_its_trial_is_told_of_and_the_cpu_is_taken(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in(monkeypatch, BIG)
    key = trial.key_of(choose_computing(DEFAULTS))
    lost = GivenUp(rung=Rung.DEVICE, instead_of=BIG.name, reason="gave wrong numbers")
    Verdicts().keep(key, (lost,))
    told = report(terminal)
    assert told["auto"] == "cpu"
    card = told["devices"][1]
    assert (card["device"], card["usable"], card["proven"]) == ("cuda", False, [])
    assert told["remark"].startswith("NVIDIA GeForce RTX 4090 gave wrong numbers when it was tried")
    assert "  Not used: gave wrong numbers when it was tried; a newer" in paragraphs(terminal)[1]


def test_a_card_too_old_is_told_of_with_the_reason_and_what_to_do(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in(monkeypatch, OLD)
    cpu, card, remark = paragraphs(terminal)
    assert "which auto takes" in cpu
    assert card.splitlines()[:2] == ["cuda: NVIDIA GeForce GTX 1080", "  Memory:   8.0 GB"]
    assert "  Not used: is too old for this build of torch" in card
    assert remark.startswith("NVIDIA GeForce GTX 1080 is too old")
    assert "as the README says" in remark
    values = report(terminal)["devices"][1]
    assert (values["usable"], values["computes"], values["free"]) == (False, None, 0)


def test_a_lost_card_is_told_of(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    put_in(monkeypatch, BIG)
    cards.mark_lost(torch.device("cuda"))
    told = report(terminal)
    assert told["auto"] == "cpu"
    assert told["devices"][1]["fault"] == "failed, and is used again once Gramarye is restarted"


@pytest.mark.parametrize(
    ("cuda", "said"),
    [
        (None, "this build of torch computes on the CPU alone. Install torch with CUDA"),
        ("13.0", "its driver is older than CUDA 13.0 needs. Update the driver."),
    ],
)
def test_a_card_that_torch_does_not_see_is_remarked_on(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, cuda: str | None, said: str
) -> None:
    put_in(monkeypatch)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(cards, "_driver_is_here", lambda: True)
    assert said in report(terminal)["remark"]
    assert said in paragraphs(terminal)[-1]


def test_a_plan_takes_a_card_by_its_number_or_says_which_there_are(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in(monkeypatch, OLD)
    for device in ("cuda:0", "cuda:1"):
        ended = terminal.type("plan", "photo.png", f"--device={device}")
        assert ended.code == 3
        assert f"There is no usable {device} device on this machine." in ended.err
        assert "Choose auto or one of: cpu." in ended.err
    refused = terminal.refused("plan", "photo.png", "--device=cuda:8")
    assert "(choose from auto, cpu, cuda, cuda:N, mps)" in refused


@pytest.mark.parametrize("words", [["devices", "photo.png"], ["devices", "--size=4"]])
def test_words_that_mean_nothing_are_refused(terminal: Terminal, words: list[str]) -> None:
    assert "unrecognized arguments" in terminal.refused(*words)


def test_help_of_devices_fits_a_terminal(terminal: Terminal) -> None:
    ended = terminal.type("devices", "--help")
    assert (ended.code, ended.err) == (0, "")
    assert max(map(len, ended.out.splitlines())) <= 80
    assert "\n  --check" in ended.out
