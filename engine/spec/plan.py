"""What was decided for a request, once, as data; words for people are made from it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.spec.choices import Device, NetworkName, Precision
from engine.spec.orientations import Orientation
from engine.spec.pictures import Sha256, Size
from engine.spec.request import Request, StoredSettings
from engine.spec.scales import Scale
from engine.spec.settings import Settings
from engine.spec.tiles import SMALLEST_TILE, Box, Tiling
from engine.spec.values import Versioned


class Plan(Versioned):
    """How a job is done. `engine.plan.resolve` makes it, and nothing else decides.

    Attributes:
        settings: The request's as they are used: network, device and precision by name, and only
            layers that the network has.
        network_file: The file with the network weights; empty where it is not on this machine.
        network_sha256: Of that file as it was loaded; None until then.
        device: In words ("CPU, 2 threads, float32").
        winograd, fused: How convolutions are computed, see `engine.network.convolutions`.
        orientations: How the network looks, one a step, in turn; the first is upright.
        tiling: How evaluations are cut, unless memory forces smaller tiles.
        scales: From the coarsest to the output size.
        start: The part of the start picture that is put on the canvas; None for all of it.
        bytes: At the peak, beyond the program itself.
        seconds: From the first step to the end, about; None where the speed is not known.
    """

    settings: StoredSettings
    network_file: str
    network_sha256: Sha256 | None = None
    device: str
    winograd: bool
    fused: bool
    orientations: tuple[Orientation, ...]
    tiling: Tiling
    scales: Annotated[tuple[Scale, ...], Field(min_length=1)]
    start: Box | None = None
    bytes: int
    seconds: float | None = None

    @property
    def network(self) -> NetworkName:
        """The network itself, never auto."""
        return self.settings.network

    @property
    def kind(self) -> Device:
        """The kind of device, never auto."""
        return self.settings.device

    @property
    def precision(self) -> Precision:
        """The numbers inside the network, never auto."""
        return self.settings.precision

    @property
    def size(self) -> Size:
        """Width and height of the pastiche."""
        return self.scales[-1].canvas

    @property
    def steps(self) -> int:
        """Over all scales."""
        return sum(scale.steps for scale in self.scales)

    def suits(self, request: Request) -> bool:
        """Whether it can be carried out for a request; a file may hold any two."""
        auto = {self.network.value, self.kind.value, self.precision.value} & {"auto"}
        styles = {len(scale.styles) for scale in self.scales}
        side = self.tiling.side
        return (
            not auto
            and styles == {len(request.styles)}
            and bool(self.orientations)
            and (side is None or side >= SMALLEST_TILE)
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided that a person should know, one sentence each."""
        notes = []
        if self.start is not None:
            part = f"{self.start.width} × {self.start.height} px"
            notes.append(f"Of the picture to start from, the middle {part} fit the canvas.")
        if self.settings.tile != "auto" and self.tiling.side != self.settings.tile_side:
            notes.append(f"More than the graphics card can count at once; cut into {self.tiling}.")
        return tuple(notes)

    def applied_to(self, settings: Settings) -> Settings:
        """Other settings of the same job as they are used: what was decided stays decided."""
        return settings.on(self.network).changed(device=self.kind, precision=self.precision)

    def cuts(self, tiling: Tiling) -> bool:
        """Whether the pastiche is more than one tile."""
        return not tiling.takes_whole((self.size[1], self.size[0]))

    def way(self, tiling: Tiling) -> str:
        """The device in words, and the tiles where the pastiche is cut."""
        return f"{self.device}, {tiling}" if self.cuts(tiling) else self.device

    def without_folders(self) -> Plan:
        """The same for others to read."""
        return self.model_copy(update={"network_file": ""})
