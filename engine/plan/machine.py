"""The place where a job will run, as far as a plan must know it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.spec.choices import Device, Precision

_BYTES = {Precision.FLOAT32: 4, Precision.BFLOAT16: 2, Precision.FLOAT16: 2}
"""Of a number inside the network."""


@dataclass(frozen=True)
class Machine:
    """What must be known of the place where a job will run.

    Attributes:
        device: The device itself, never auto.
        precision: The numbers inside the network, never auto.
        winograd: Whether convolutions are computed by NNPACK, which wants room for its transforms.
        available: Bytes a new job could take.
        words: The device in words.
    """

    device: Device
    precision: Precision
    winograd: bool
    available: int
    words: str

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
