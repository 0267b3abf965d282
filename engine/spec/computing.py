"""How a job's numbers are computed: where, in which numbers, by which means, and what was given up.

The means are rungs of a ladder. What a device gets wrong is given up rung by rung, at the trial
(`engine.run.trial`) or when the numbers of a running job break; at its end stands float32 on the
CPU, by nothing but plain convolutions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Final

from engine.spec.choices import Device, Precision
from engine.spec.values import Value


class Rung(StrEnum):
    """What a device may have to do without, the first to go first."""

    RECORDINGS = "recordings"
    PRODUCTS = "roots by products"
    FUSED = "fused convolutions"
    CHANNELS_LAST = "channels last"
    WINOGRAD = "Winograd's convolutions"
    PRECISION = "half precision"
    TF32 = "TF32"
    DEVICE = "the device"


class GivenUp(Value):
    """A rung that was given up.

    Attributes:
        rung: Which.
        instead_of: What it was, in a word or two: `bfloat16`, `NVIDIA GeForce GTX 1660`.
        reason: What was seen, as a sentence goes on: `gave no numbers`.
    """

    rung: Rung
    instead_of: str
    reason: str

    def __str__(self) -> str:
        return f"{self.instead_of} {self.reason}"


class Computing(Value):
    """How numbers are computed.

    Attributes:
        device: By name, never auto; `cuda:1` where there are several cards.
        name: Of the device, for people: `CPU, 2 threads`.
        precision: The numbers inside the network, never auto.
        winograd, fused: How a CPU convolves, see `engine.network.convolutions`.
        channels_last: Whether the channels of a position lie together in memory.
        tf32: Whether convolutions of float32 numbers look at ten bits of them.
        products: Whether roots of matrices are taken by products; else by eigenvalues.
        recordings: Whether evaluations of whole images are recorded and replayed.
        given_up: What was proven wrong, in order.
    """

    device: Device
    name: str
    precision: Precision
    winograd: bool = False
    fused: bool = False
    channels_last: bool = False
    tf32: bool = False
    products: bool = False
    recordings: bool = False
    given_up: tuple[GivenUp, ...] = ()

    @property
    def kind(self) -> Device:
        """The kind of device: `cuda` for every card."""
        return self.device.kind

    @property
    def numbers(self) -> str:
        """The numbers inside the network in words."""
        return "TF32" if self.tf32 and self.precision is Precision.FLOAT32 else self.precision.value

    @property
    def words(self) -> str:
        """In one line: `NVIDIA GeForce GTX 1660, float32 (float16 gave no numbers)`."""
        lost = "; ".join(map(str, self.given_up))
        return f"{self.name}, {self.numbers}" + (f" ({lost})" if lost else "")

    def gives_the_same_as(self, other: Computing) -> bool:
        """Whether numbers are computed alike: the pixels differ by no more than the hardware."""
        return self.model_copy(update={"name": other.name, "given_up": other.given_up}) == other

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """What could still be given up, the first to go first."""
        return tuple(rung for rung in Rung if _ON[rung](self))

    def without(self, rung: Rung, reason: str, host: Computing) -> Computing:
        """The same without one of its rungs.

        Args:
            rung: Among `rungs`.
            reason: Why, as in `GivenUp`.
            host: How the CPU computes float32; it takes the place of a device that is given up.
        """
        lost = GivenUp(rung=rung, instead_of=self._called(rung), reason=reason)
        known = (*self.given_up, lost)
        changes: dict[str, object]
        match rung:
            case Rung.DEVICE:  # what it had to do without before does not matter any more
                return host.model_copy(update={"given_up": (lost,)})
            case Rung.PRECISION if self.kind is Device.CPU:
                return host.model_copy(update={"given_up": known})
            case Rung.PRECISION:
                changes = {"precision": Precision.FLOAT32}
            case _:
                changes = {_FIELDS[rung]: False}
        return self.model_copy(update={**changes, "given_up": known})

    def lowered(
        self, reason: str, host: Computing, among: Collection[Rung] = tuple(Rung)
    ) -> Computing | None:
        """One rung lower; None where none of those is left."""
        for rung in self.rungs:
            if rung in among:
                return self.without(rung, reason, host)
        return None

    def _called(self, rung: Rung) -> str:
        match rung:
            case Rung.DEVICE:
                return self.name
            case Rung.PRECISION:
                return self.precision.value
        return rung.value


_FIELDS: Final = {
    Rung.RECORDINGS: "recordings",
    Rung.PRODUCTS: "products",
    Rung.FUSED: "fused",
    Rung.CHANNELS_LAST: "channels_last",
    Rung.WINOGRAD: "winograd",
    Rung.TF32: "tf32",
}

_ON: Final[dict[Rung, Callable[[Computing], bool]]] = {
    Rung.RECORDINGS: lambda computing: computing.recordings,
    Rung.PRODUCTS: lambda computing: computing.products,
    Rung.FUSED: lambda computing: (
        computing.fused
        and (computing.kind is not Device.CPU or computing.precision is Precision.FLOAT32)
    ),
    Rung.CHANNELS_LAST: lambda computing: (
        computing.kind is not Device.CPU and computing.channels_last
    ),
    Rung.WINOGRAD: lambda computing: computing.winograd,
    Rung.PRECISION: lambda computing: computing.precision is not Precision.FLOAT32,
    Rung.TF32: lambda computing: computing.tf32 and computing.precision is Precision.FLOAT32,
    Rung.DEVICE: lambda computing: computing.kind is not Device.CPU,
}
