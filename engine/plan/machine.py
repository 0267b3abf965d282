"""What a plan must know of the machine, and how fast it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.spec.choices import Device, NetworkName, Precision

_BYTES = {Precision.FLOAT32: 4, Precision.BFLOAT16: 2, Precision.FLOAT16: 2}


@dataclass(frozen=True)
class Machine:
    """The place where some settings put a job.

    Attributes:
        device: The kind of device itself, never auto.
        precision: The numbers inside the network, never auto.
        winograd: Whether convolutions are computed by NNPACK, which wants room for its transforms.
        fused: Whether they are computed by oneDNN with packed weights.
        total: Bytes of memory there are, whoever uses them.
        available: Bytes a new job could take at this moment.
        words: The device in words.
        networks: The files with network weights that are here.
    """

    device: Device
    precision: Precision
    winograd: bool
    fused: bool
    total: int
    available: int
    words: str
    networks: Mapping[NetworkName, Path]

    @property
    def item(self) -> int:
        """Bytes of a number inside the network."""
        return _BYTES[self.precision]


@dataclass(frozen=True)
class Speed:
    """How fast a machine is.

    Attributes:
        operations: Floating-point operations in a second of an evaluation.
        overhead: Seconds that a step takes however small the picture is.
    """

    operations: float
    overhead: float
