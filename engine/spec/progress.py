"""What a running job tells: where it stands, and what it is doing."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from engine.spec.pictures import Pixels


class Stage(StrEnum):
    """What the engine is doing."""

    PREPARING = "preparing"
    RUNNING = "running"


@dataclass(frozen=True)
class Term:
    """One weighted part of the objective: `content relu4_2`, `style relu1_1`, `smoothness`."""

    name: str
    value: float


@dataclass(frozen=True)
class Progress:
    """Where a job stands, a few times a second.

    Attributes:
        stage: Preparing (loading, encoding) or running.
        message: What is happening, or has just happened, in plain words; may be empty.
        step, steps: Optimiser steps done, and planned over all scales.
        scale, scales: The current scale from 1, and how many there are; 0 while preparing.
        size: Width and height of the canvas at this scale, pixels.
        terms: The weighted terms of the objective; their sum is `total`. Where a network looks
            from several sides, means over these.
        total: The objective's value.
        seconds: Since the job began, pauses left out.
        remaining: Estimated seconds to the end; None until it can be said honestly.
        steps_per_second: At the current scale; 0 until known.
        evaluations: Objective evaluations so far.
        memory: Bytes in use on the device, or by the process on a CPU.
        device: The device in words ("CPU, 2 threads, float32").
        frame: A copy of the pastiche as it is, or None when none was asked for.
    """

    stage: Stage
    message: str = ""
    step: int = 0
    steps: int = 0
    scale: int = 0
    scales: int = 0
    size: tuple[int, int] = (0, 0)
    terms: tuple[Term, ...] = ()
    total: float = float("nan")
    seconds: float = 0.0
    remaining: float | None = None
    steps_per_second: float = 0.0
    evaluations: int = 0
    memory: int = 0
    device: str = ""
    frame: Pixels | None = field(default=None, repr=False, compare=False)
