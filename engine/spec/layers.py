"""The networks' layers by their names, and layers with weights as they are written and read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Protocol

from pydantic import BeforeValidator, PlainSerializer

from engine.spec.choices import NetworkName
from engine.spec.limits import HEAVIEST
from engine.spec.wording import plain


class LayerWeight(NamedTuple):
    """One layer of the network (`relu4_2`) and the weight of its loss."""

    layer: str
    weight: float


@dataclass(frozen=True)
class MeasuredLayers:
    """The layers at which a job's pictures are measured; its network is built for them.

    Settings may come to name fewer of them in the course of a job, and weigh them otherwise.
    """

    content: frozenset[str]
    style: frozenset[str]
    matched: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        """Those of any kind."""
        return self.content | self.style | self.matched

    def cover(self, other: MeasuredLayers) -> bool:
        """Whether what is measured at these is enough for others."""
        return (
            other.content <= self.content
            and other.style <= self.style
            and other.matched <= self.matched
        )


class _NamesLayers(Protocol):
    """Settings, as far as they name layers; these are declared on top of this module."""

    @property
    def content_layers(self) -> tuple[LayerWeight, ...]: ...

    @property
    def style_layers(self) -> tuple[LayerWeight, ...]: ...

    @property
    def matched_layers(self) -> tuple[LayerWeight, ...]: ...

    @property
    def matched_weight(self) -> float: ...


def measured_layers(settings: _NamesLayers) -> MeasuredLayers:
    """The layers that a job begun with these settings is measured at."""
    return MeasuredLayers(
        frozenset(layer for layer, _ in settings.content_layers),
        frozenset(layer for layer, _ in settings.style_layers),
        frozenset(
            layer for layer, weight in settings.matched_layers if settings.matched_weight * weight
        ),
    )


def parse_layers(value: object) -> tuple[LayerWeight, ...]:
    """Read layers and weights from `"relu1_1, relu2_1:0.5"`, a mapping or pairs."""
    pairs: Iterable[Any]
    if isinstance(value, str):
        pairs = [part.strip().partition(":") for part in value.split(",") if part.strip()]
        pairs = [(name.strip(), weight.strip() or "1") for name, _, weight in pairs]
    elif isinstance(value, Mapping):
        pairs = value.items()
    elif isinstance(value, Iterable):
        pairs = value
    else:
        raise ValueError("layers are written as relu1_1:1, relu2_1:0.5")
    try:
        layers = tuple(LayerWeight(str(name), float(weight)) for name, weight in pairs)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError("layers are written as relu1_1:1, relu2_1:0.5") from error
    names = [layer.layer for layer in layers]
    if len(set(names)) != len(names):
        raise ValueError("a layer is named twice")
    unknown = [name for name in names if name not in ALL_LAYERS]
    if unknown:
        raise ValueError(
            f"there is no layer {plain(repr(unknown[0]), 40)}; "
            "layers run from conv1_1, relu1_1 to relu5_4"
        )
    if any(not 0 <= layer.weight <= HEAVIEST for layer in layers):
        raise ValueError(f"a layer's weight lies between 0 and {HEAVIEST:.0f}")
    return layers


def format_layers(layers: Iterable[LayerWeight]) -> str:
    """Write layers the way `parse_layers` reads them: `relu1_1:1, relu2_1:0.5`."""
    return ", ".join(f"{layer}:{weight:g}" for layer, weight in layers)


CONVOLUTIONS: Mapping[NetworkName, tuple[int, ...]] = {
    NetworkName.AUTO: (2, 2, 4, 4, 4),
    NetworkName.VGG19: (2, 2, 4, 4, 4),
    NetworkName.VGG16: (2, 2, 3, 3, 3),
    NetworkName.DRAFT: (2, 2, 4, 4, 1),
}
"""How many convolutions each of the five stages has (Simonyan and Zisserman 2014, table 1).

Until it is resolved, `auto` counts as VGG-19.
"""


CHANNELS: Mapping[NetworkName, tuple[int, ...]] = {
    NetworkName.AUTO: (64, 128, 256, 512, 512),
    NetworkName.VGG19: (64, 128, 256, 512, 512),
    NetworkName.VGG16: (64, 128, 256, 512, 512),
    NetworkName.DRAFT: (16, 40, 64, 176, 256),
}
"""Channels of the convolutions in each stage."""


_TITLES = {
    NetworkName.AUTO: "VGG-19",
    NetworkName.VGG19: "VGG-19",
    NetworkName.VGG16: "VGG-16",
    NetworkName.DRAFT: "the draft network",
}


def network_title(network: NetworkName) -> str:
    """A network's name as people write it: VGG-19."""
    return _TITLES[network]


PROJECTIONS: Mapping[str, int] = {
    "relu1_1": 16,
    "relu2_1": 40,
    "relu3_1": 64,
    "relu4_1": 96,
    "relu4_2": 96,
    "relu5_1": 96,
}
"""Where the draft network imitates VGG-19, and how many of its principal directions there."""


def place_of(layer: str) -> tuple[int, int]:
    """Stage and index of a layer's name: conv4_2 -> (4, 2)."""
    stage, _, index = layer.removeprefix("conv").removeprefix("relu").partition("_")
    return int(stage), int(index)


def block_names(network: NetworkName, layers: Collection[str]) -> list[str]:
    """The blocks that the layers need, in order: 1_1, 1_2, 2_1, ..."""
    depth = max(place_of(layer) for layer in layers)
    return [
        f"{stage}_{index}"
        for stage, count in enumerate(CONVOLUTIONS[network], start=1)
        for index in range(1, count + 1)
        if (stage, index) <= depth
    ]


def stand_in(layer: str, network: NetworkName) -> str:
    """The layer itself where a network has it, else the last before it in its stage."""
    stage, index = place_of(layer)
    return f"{layer[:4]}{stage}_{min(index, CONVOLUTIONS[network][stage - 1])}"


def channels_of(layer: str, network: NetworkName) -> int:
    """Channels of a layer's features."""
    return CHANNELS[network][place_of(layer)[0] - 1]


def features_size(layer: str, image: tuple[int, int]) -> tuple[int, int]:
    """Height and width of a layer's features, given those of the image; pooling rounds down."""
    height, width = (side >> place_of(layer)[0] - 1 for side in image)
    return height, width


def matching_stage(layers: Iterable[str]) -> int:
    """The stage whose positions are matched: the third, or the deepest before it.

    The corners of tiles lie on its positions in every stage before, so no mean over the features
    of such a position straddles two tiles.
    """
    return min(3, max(place_of(layer)[0] for layer in layers))


def matched_size(layers: Iterable[str], image: tuple[int, int]) -> tuple[int, int]:
    """Height and width of an index map, given those of the image, or width and height."""
    first, second = (side >> matching_stage(layers) - 1 for side in image)
    return first, second


def layer_names(network: NetworkName) -> tuple[str, ...]:
    """All layers of a network in order: conv1_1, relu1_1, conv1_2, ..."""
    return tuple(
        f"{kind}{stage}_{index}"
        for stage, count in enumerate(CONVOLUTIONS[network], start=1)
        for index in range(1, count + 1)
        for kind in ("conv", "relu")
    )


ALL_LAYERS = frozenset(name for network in NetworkName for name in layer_names(network))

Layers = Annotated[
    tuple[LayerWeight, ...],
    BeforeValidator(parse_layers),
    PlainSerializer(dict),
]
