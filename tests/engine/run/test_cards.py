"""Graphics cards: which is taken, and what is said where none is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from fake_cards import FakeCard, put_in
from flowing import FLOWING

from engine.run import cards, device_memory
from engine.run.devices import choose_computing
from engine.spec.choices import Device, Precision
from engine.spec.errors import EngineError

USED = FakeCard("NVIDIA GeForce RTX 3060", (8, 6), 12_000_000_000, 3_000_000_000)
FREE = FakeCard("NVIDIA GeForce RTX 4090", (8, 9), 24_000_000_000, 20_000_000_000)
FULL = FakeCard("NVIDIA GeForce RTX 5090", (12, 0), 32_000_000_000, 1_900_000_000)
OLD = FakeCard("NVIDIA GeForce GTX 1080", (6, 1), 8_000_000_000, 7_900_000_000)
BROKEN = FakeCard(total=48_000_000_000, free=47_000_000_000, broken="CUDA error: no kernel\nat 3")


def chosen(device: Device = Device.AUTO) -> Device:
    return choose_computing(FLOWING.changed(device=device)).device


@pytest.mark.parametrize("order", [(USED, FREE), (FREE, USED)])
def test_auto_takes_the_card_with_most_free_memory(
    monkeypatch: pytest.MonkeyPatch, order: tuple[FakeCard, ...]
) -> None:
    put_in(monkeypatch, *order)
    assert chosen() == chosen(Device.CUDA) == f"cuda:{order.index(FREE)}"


def test_auto_passes_over_cards_that_cannot_be_used_however_free_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_in(monkeypatch, OLD, BROKEN, USED)
    assert chosen() is Device.CUDA_2


def test_auto_leaves_a_card_alone_that_is_nearly_full_but_not_who_asks_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_in(monkeypatch, OLD, FULL)
    assert chosen() is Device.CPU
    assert chosen(Device.CUDA) is Device.CUDA_1
    assert cards.why_no_card() == (
        "NVIDIA GeForce RTX 5090 has less than 2.0 GB free: close other programs that use it."
    )


def test_a_card_is_taken_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    put_in(monkeypatch, FREE, USED)
    assert chosen(Device.CUDA_1) is Device.CUDA_1
    assert choose_computing(FLOWING.changed(device="cuda:1")).name == USED.name
    with pytest.raises(EngineError, match="no usable cuda:2 device"):
        chosen(Device.CUDA_2)


def test_the_only_card_has_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    put_in(monkeypatch, FREE)
    assert chosen() is chosen(Device.CUDA_0) is Device.CUDA


def test_a_lost_card_is_not_used_again_and_said_to_be_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_in(monkeypatch, FREE, USED)
    cards.mark_lost(torch.device("cuda:0"))
    assert chosen() is Device.CUDA_1
    cards.mark_lost(torch.device("cuda:1"))
    assert chosen() is Device.CPU
    assert "4090 failed, and is used again once Gramarye is restarted." in cards.why_no_card()


@pytest.mark.parametrize(
    ("card", "architectures", "usable"),
    [
        (OLD, ("sm_75", "sm_120"), False),
        (OLD, ("sm_50", "sm_60", "sm_120"), True),
        (FULL, ("sm_75", "sm_120", "compute_120"), True),
        (FREE, (), True),
    ],
)
def test_a_card_is_too_old_where_torch_was_not_compiled_for_it(
    monkeypatch: pytest.MonkeyPatch,
    card: FakeCard,
    architectures: tuple[str, ...],
    usable: bool,
) -> None:
    put_in(monkeypatch, card, architectures=architectures)
    (found,) = cards.cards()
    assert ("too old" not in found.fault) is usable


def test_a_card_too_old_is_told_of_with_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    put_in(monkeypatch, OLD)
    said = cards.why_no_card()
    assert said.startswith("NVIDIA GeForce GTX 1080 is too old for this build of torch")
    assert "7.5 (this one has 6.1)" in said
    assert "README" in said


def test_a_card_that_runs_nothing_is_told_of_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    put_in(monkeypatch, BROKEN)
    assert cards.why_no_card() == (
        "NVIDIA GeForce RTX 4090 cannot be used (CUDA error: no kernel); a newer driver may help."
    )


def test_nothing_is_said_where_a_card_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    put_in(monkeypatch, OLD, FREE)
    assert cards.why_no_card() == ""


@pytest.mark.parametrize(
    ("cuda", "said"),
    [(None, "this build of torch computes on the CPU alone"), ("13.0", "older than CUDA 13.0")],
)
def test_a_driver_without_a_card_for_torch_is_explained(
    monkeypatch: pytest.MonkeyPatch, cuda: str | None, said: str
) -> None:
    put_in(monkeypatch)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(cards, "_driver_is_here", lambda: False)
    assert cards.why_no_card() == ""
    monkeypatch.setattr(cards, "_driver_is_here", lambda: True)
    assert said in cards.why_no_card()


def test_the_driver_of_windows_is_known_by_its_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_in(monkeypatch)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setenv("SYSTEMROOT", str(tmp_path))
    assert cards.why_no_card() == ""
    (tmp_path / "System32").mkdir()
    (tmp_path / "System32" / "nvcuda.dll").touch()
    assert "Install torch with CUDA" in cards.why_no_card()


@pytest.mark.parametrize(
    ("card", "precision"),
    [
        (FREE, Precision.BFLOAT16),
        (FakeCard("NVIDIA GeForce RTX 2070", (7, 5)), Precision.FLOAT16),
        (FakeCard("NVIDIA GeForce GTX 1660 SUPER", (7, 5)), Precision.FLOAT32),
        (FakeCard("NVIDIA T500", (7, 5)), Precision.FLOAT32),
    ],
)
def test_the_precision_is_what_the_chip_is_fast_in(
    monkeypatch: pytest.MonkeyPatch, card: FakeCard, precision: Precision
) -> None:
    put_in(monkeypatch, card)
    assert choose_computing(FLOWING).precision is precision


def test_bfloat16_is_refused_where_it_would_be_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    put_in(monkeypatch, FakeCard("NVIDIA GeForce RTX 2070", (7, 5)))
    with pytest.raises(EngineError, match="does not compute bfloat16"):
        choose_computing(FLOWING.changed(precision=Precision.BFLOAT16))


def test_a_card_too_full_for_its_first_kernel_is_no_broken_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = FakeCard(free=100_000_000, broken="CUDA error: out of memory")
    put_in(monkeypatch, full)
    (card,) = cards.cards()
    assert card.fault == ""
    assert chosen() is Device.CPU
    assert "free" in cards.why_no_card()


def test_a_card_that_does_not_answer_any_more_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_in(monkeypatch, FREE)
    assert chosen() is Device.CUDA

    def refuse(_device: object) -> None:
        raise RuntimeError("CUDA error: unspecified launch failure\nat 7")

    monkeypatch.setattr(torch.cuda, "mem_get_info", refuse)
    assert chosen() is Device.CPU
    assert "does not answer (CUDA error: unspecified launch failure)" in cards.why_no_card()


def test_whichever_library_notices_first_a_lost_card_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card, words = torch.device("cuda", 0), RuntimeError("CUDNN_STATUS_EXECUTION_FAILED")
    assert cards.is_lost(torch.AcceleratorError("CUDA error: launch failure"), card)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda _device: None)
    assert not cards.is_lost(words, card)

    def gone(_device: object) -> None:
        raise RuntimeError("CUDA error: launch failure")

    monkeypatch.setattr(torch.cuda, "synchronize", gone)
    assert cards.is_lost(words, card)
    assert not cards.is_lost(words, torch.device("cpu"))
    assert not cards.is_lost(ValueError("no number"), card)


def test_memory_grows_unless_a_person_has_settled_that(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(torch._C, "_accelerator_setAllocatorSettings", said.append, raising=False)
    for name in ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"):
        monkeypatch.delenv(name, raising=False)
    for system, settled, wanted in (
        ("linux", False, 1),
        ("linux", True, 0),
        ("win32", False, 0),
        ("darwin", False, 0),
    ):
        said.clear()
        with monkeypatch.context() as patched:
            patched.setattr(sys, "platform", system)
            if settled:
                patched.setenv("PYTORCH_ALLOC_CONF", "max_split_size_mb:64")
            device_memory.let_memory_grow()
        assert said == ["expandable_segments:True"] * wanted
