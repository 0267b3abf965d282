"""What was decided for a request, once, as data; words for people are made from it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from engine.spec.choices import Device, NetworkName
from engine.spec.computing import Computing
from engine.spec.earlier_settings import with_former_meaning
from engine.spec.orientations import Orientation
from engine.spec.pictures import Sha256, Size
from engine.spec.request import Request, StoredSettings
from engine.spec.scales import Scale
from engine.spec.settings import Settings
from engine.spec.tiles import SMALLEST_TILE, Box, Tiling
from engine.spec.values import Versioned
from engine.spec.versions import Migration


def _with_computing(values: dict[str, Any]) -> dict[str, Any]:
    """Format 1 -> 2: how numbers are computed is a value; before, most of it went unsaid."""
    settings = values.get("settings")
    if not isinstance(settings, dict):
        return values
    device, precision = settings.get("device"), settings.get("precision")
    kept = {name: value for name, value in values.items() if name not in _FORMER}
    card = device == Device.CUDA
    computing = {
        "device": device,
        "name": str(values.get("device", "")).removesuffix(f", {precision}"),
        "precision": precision,
        "winograd": values.get("winograd"),
        "fused": values.get("fused"),
        "channels_last": device != Device.MPS,
        "tf32": card,
        "products": device != Device.CPU,
        "recordings": card,
    }
    return {**kept, "computing": computing}


_FORMER = ("device", "winograd", "fused")


class Plan(Versioned):
    """How a job is done. `engine.plan.resolve` makes it, and nothing else decides.

    Attributes:
        settings: The request's as they are used: network, device and precision by name, and only
            layers that the network has.
        network_file: The file with the network weights; empty where it is not on this machine.
        network_sha256: Of that file as it was loaded; None until then.
        computing: Where and how numbers are computed, unless they break there.
        orientations: How the network looks, one a step, in turn; the first is upright.
        tiling: How evaluations are cut, unless memory forces smaller tiles.
        scales: From the coarsest to the output size.
        start: The part of the start picture that is put on the canvas; None for all of it.
        bytes: At the peak, beyond the program itself.
        seconds: From the first step to the end, about; None where the speed is not known.
    """

    chain: ClassVar[tuple[Migration, ...]] = (_with_computing, with_former_meaning)

    settings: StoredSettings
    network_file: str
    network_sha256: Sha256 | None = None
    computing: Computing
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
    def size(self) -> Size:
        """Width and height of the pastiche."""
        return self.scales[-1].canvas

    @property
    def steps(self) -> int:
        """Over all scales."""
        return sum(scale.steps for scale in self.scales)

    def suits(self, request: Request) -> bool:
        """Whether it can be carried out for a request; a file may hold any two."""
        computing = self.computing
        auto = {self.network.value, computing.device.value, computing.precision.value} & {"auto"}
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
        return settings.on(self.network).changed(
            device=self.settings.device, precision=self.settings.precision
        )

    def cuts(self, tiling: Tiling) -> bool:
        """Whether the pastiche is more than one tile."""
        return not tiling.takes_whole((self.size[1], self.size[0]))

    def way(self, computing: Computing, tiling: Tiling) -> str:
        """The device in words, and the tiles where the pastiche is cut."""
        return f"{computing.words}, {tiling}" if self.cuts(tiling) else computing.words

    def without_folders(self) -> Plan:
        """The same for others to read."""
        return self.model_copy(update={"network_file": ""})
