"""What a plan must know of the machine, and how fast it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.spec.choices import Device, NetworkName, Precision
from engine.spec.computing import Computing

_BYTES = {Precision.FLOAT32: 4, Precision.BFLOAT16: 2, Precision.FLOAT16: 2}


@dataclass(frozen=True)
class Machine:
    """The place where some settings put a job.

    Attributes:
        computing: How numbers are computed there.
        total: Bytes of memory there are, whoever uses them.
        available: Bytes a new job could take at this moment.
        networks: The files with network weights that are here.
    """

    computing: Computing
    total: int
    available: int
    networks: Mapping[NetworkName, Path]

    @property
    def device(self) -> Device:
        """The kind of device, never auto."""
        return self.computing.kind

    @property
    def winograd(self) -> bool:
        """Whether convolutions are computed by NNPACK, which wants room for its transforms."""
        return self.computing.winograd

    @property
    def item(self) -> int:
        """Bytes of a number inside the network."""
        return _BYTES[self.computing.precision]


@dataclass(frozen=True)
class Speed:
    """How fast a machine is.

    Attributes:
        operations: Floating-point operations in a second of an evaluation.
        overhead: Seconds that a step takes however small the picture is.
    """

    operations: float
    overhead: float


@dataclass(frozen=True)
class DeviceHere:
    """A device of this machine.

    Attributes:
        device: The name by which it is asked for.
        name: What people call it.
        total: Bytes of memory there are.
        free: Bytes a new job could take now; 0 where it cannot be used.
        computing: How a job computes that asks for it, as far as is known; None where none could.
        tried: Whether that has been held against plain float32 on the CPU.
        fault: Why it is not used itself, as a sentence goes on; empty where it is.
    """

    device: Device
    name: str
    total: int
    free: int
    computing: Computing | None
    tried: bool = False
    fault: str = ""

    @property
    def words(self) -> str:
        """In one line: how it computes, or why it is not used."""
        if self.fault or self.computing is None:
            return f"{self.name} {self.fault}"
        return self.computing.words


@dataclass(frozen=True)
class Inventory:
    """What there is to compute on.

    Attributes:
        devices: The one that `auto` takes first; none where the engine could not be loaded.
        remark: Why there is a graphics card and none is used, and what to do; else empty.
    """

    devices: tuple[DeviceHere, ...] = ()
    remark: str = ""

    @property
    def usable(self) -> tuple[DeviceHere, ...]:
        """Those that compute what is asked of them, the one that `auto` takes first."""
        return tuple(each for each in self.devices if not each.fault)
