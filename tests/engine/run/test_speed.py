"""How fast a machine is said to be, with a clock and a device that the test moves on."""

from __future__ import annotations

import time

import pytest
import torch
from flowing import FLOWING

from engine.network.convolutions import Arithmetic
from engine.network.costs import NetworkCosts
from engine.run.speed import measure_speed
from engine.spec.choices import NetworkName
from engine.spec.tiles import WHOLE

SETTINGS = FLOWING.on(NetworkName.DRAFT).changed(style_loss="gram")


def test_an_accelerator_is_timed_at_a_large_picture_once_warm_until_it_has_finished(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Kernels are started in no time; only who waits for them sees how long they take."""
    device, now = torch.device("meta"), [0.0]
    takes = iter([9.0, 4.0, 3.0, 2.0, 2.5, 2.5] * 2)

    def synchronize(waited_for: torch.device) -> None:
        assert waited_for == device
        now[0] += next(takes)

    monkeypatch.setattr(torch.accelerator, "synchronize", synchronize)
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    speed = measure_speed(SETTINGS, Arithmetic(device, torch.float32))
    trial = SETTINGS.changed(style_layers="relu4_1", content_layers="relu4_1")
    operations = NetworkCosts.of(trial, 4, winograd=False).operations((1024, 1024), WHOLE)
    assert speed.operations == pytest.approx(operations / 2)
    assert speed.overhead == 2


def test_a_cpu_is_timed_at_a_small_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(100))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(now)))
    speed = measure_speed(SETTINGS, Arithmetic(torch.device("cpu"), torch.float32))
    trial = SETTINGS.changed(style_layers="relu4_1", content_layers="relu4_1")
    operations = NetworkCosts.of(trial, 4, winograd=False).operations((192, 256), WHOLE)
    assert speed.operations == pytest.approx(operations)
