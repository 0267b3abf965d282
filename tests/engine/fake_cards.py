"""Graphics cards that are not there: torch says that they are, and computes on the CPU instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from engine.run import cards


@dataclass(frozen=True)
class FakeCard:
    """What torch says of a card.

    Attributes:
        broken: What the first kernel says that runs on it.
    """

    name: str = "NVIDIA GeForce RTX 4090"
    capability: tuple[int, int] = (8, 9)
    total: int = 24_000_000_000
    free: int = 20_000_000_000
    broken: str = ""


def put_in(
    monkeypatch: pytest.MonkeyPatch,
    *here: FakeCard,
    architectures: Sequence[str] = ("sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"),
) -> None:
    """Have torch find these cards; the architectures are those it was compiled for."""
    monkeypatch.setattr(cards, "_lost", set())
    cards._fault.cache_clear()

    def of(device: Any) -> FakeCard:
        return here[torch.device(device).index or 0 if not isinstance(device, int) else device]

    def properties(device: Any) -> SimpleNamespace:
        card = of(device)
        major, minor = card.capability
        return SimpleNamespace(name=card.name, major=major, minor=minor, total_memory=card.total)

    real = torch.arange

    def arange(*bounds: Any, device: Any = None) -> torch.Tensor:
        if device is None or device.type != "cuda":
            return real(*bounds, device=device)
        if of(device).broken:
            raise RuntimeError(of(device).broken)
        return real(*bounds)

    told = {
        "is_available": lambda: bool(here),
        "device_count": lambda: len(here),
        "get_device_properties": properties,
        "mem_get_info": lambda device: (of(device).free, of(device).total),
        "memory_reserved": lambda _device: 0,
        "memory_allocated": lambda _device: 0,
        "get_arch_list": lambda: list(architectures),
        "empty_cache": lambda: None,
    }
    for name, tell in told.items():
        monkeypatch.setattr(torch.cuda, name, tell)
    monkeypatch.setattr(torch, "arange", arange)
    monkeypatch.setattr(cards, "let_memory_grow", lambda: None)
