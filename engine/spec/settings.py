"""Every parameter of a pastiche, declared once; panel, command line, presets and docs read it here.

A field of `Settings` is one parameter. Its `parameter(...)` call is the whole declaration: default,
range, unit, plain name, the field's term, what it does to the picture, and whether it may change
while a job runs. `PARAMETERS` is that declaration as rows to build widgets and help texts from.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from engine.spec.choices import (
    Device,
    NetworkName,
    OptimizerName,
    Padding,
    Pooling,
    Precision,
    Start,
    StyleLoss,
)
from engine.spec.errors import InputError
from engine.spec.layers import Layers, layer_names, stand_in
from engine.spec.limits import HEAVIEST, LONGEST_SIDE
from engine.spec.parameters import Group, Kind, Parameter, parameter, rows_of
from engine.spec.tiles import SMALLEST_TILE, TileSide
from engine.spec.wording import plain

FORMER_NAMES: Mapping[str, str] = types.MappingProxyType(
    {
        "alpha": "content_weight",
        "beta": "style_weight",
        "gamma": "step_size",
        "history": "lbfgs_history",
    }
)
"""What parameters were once called, in files and by people, and what they are called today."""


class Settings(BaseModel):
    """The values of all parameters; frozen, validated strictly, and complete without pictures.

    The total minimised is `content_weight * content + style_weight * style_strength * style +
    smoothness * TV + keep_edges * edges`: content, style and edges relative to the power of their
    own targets (see `engine.objective.losses`).
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    style_strength: float = parameter(
        1.0, "Style strength", term="factor on the style weight β", unit="×",
        low=0.0, high=1000.0, slider=(0.05, 20.0), log=True, live=True, group=Group.BASIC,
        help="How much of the painting goes into the photograph. More bends shapes and colours "
        "towards the style; less keeps the photograph recognisable.",
    )  # fmt: skip
    stroke_size: float = parameter(
        1.0, "Stroke size", term="style size relative to the canvas", unit="×",
        low=0.05, high=8.0, slider=(0.25, 4.0), log=True, group=Group.BASIC,
        help="How large the painting's strokes are on the canvas. At 1 the painting is as long as "
        "the canvas; 2 doubles its strokes, 0.5 halves them. The same at every output size.",
    )  # fmt: skip
    output_size: int = parameter(
        512, "Output size", term="long side of the pastiche", unit="px",
        low=16, high=LONGEST_SIDE, slider=(128, 4096), log=True, group=Group.BASIC, preset=False,
        help="The long side of the finished picture. The strokes keep their size relative to the "
        "canvas, so a small render predicts a large one.",
    )  # fmt: skip
    steps: int = parameter(
        150, "Detail", term="steps at the coarsest scale", unit="steps",
        low=1, high=100000, slider=(10, 2000), log=True, group=Group.BASIC,
        help="How long each part of the picture is worked on. More steps follow the painting "
        "further and take longer.",
    )  # fmt: skip
    smoothness: float = parameter(
        0.0, "Smoothness", term="total variation weight", unit="",
        low=0.0, high=10000.0, slider=(0.0, 10.0), live=True, group=Group.BASIC,
        help="Calms grain and speckle. Too much melts the brushwork.",
    )  # fmt: skip
    keep_edges: float = parameter(
        0.0, "Keep edges", term="Laplacian loss weight (Lapstyle)",
        low=0.0, high=10000.0, slider=(0.0, 10.0), live=True, group=Group.BASIC,
        help="Holds the photograph's outlines under any style; much of it brings its shading back. "
        "Without a photograph it does nothing.",
    )  # fmt: skip
    start: Start = parameter(
        Start.CONTENT, "Start from", term="initialisation", group=Group.BASIC,
        help="What the canvas holds before the first step: the photograph (keeps its shapes "
        "best), white noise, noise in the painting's colours, a mix of photograph and noise, or "
        "any picture of yours.",
    )  # fmt: skip
    start_noise: float = parameter(
        0.5, "Noise in the mix", term="share of noise", low=0.0, high=1.0, slider=(0.0, 1.0),
        group=Group.OPTIMISATION, relevant=("start", (Start.MIX,)),
        help="For the start 'mix': 0 is the photograph alone, 1 is noise alone.",
    )  # fmt: skip

    content_weight: float = parameter(
        1.0, "Content weight", term="α", low=0.0, high=HEAVIEST, slider=(0.01, 100.0), log=True,
        live=True, group=Group.OBJECTIVE,
        help="What a departure from the photograph costs, relative to the photograph's own "
        "features. 0 lets go of the photograph.",
    )  # fmt: skip
    style_weight: float = parameter(
        10.0, "Style weight", term="β", low=0.0, high=HEAVIEST, slider=(0.1, 1000.0), log=True,
        live=True, group=Group.OBJECTIVE,
        help="What a departure from the painting's statistics costs, relative to the painting's "
        "own. Style strength multiplies it.",
    )  # fmt: skip
    style_loss: StyleLoss = parameter(
        StyleLoss.WASSERSTEIN, "Style loss", term="loss on the features", group=Group.OBJECTIVE,
        help="gram compares correlations of features (Gatys 2016), gram+mean+std also means and "
        "spreads; wasserstein two Gaussians, sliced-wasserstein whole distributions along random "
        "directions, histogram those of each channel.",
    )  # fmt: skip
    content_layers: Layers = parameter(
        "relu4_2:1", "Content layers", term="layers with weights", live=True, group=Group.OBJECTIVE,
        help="Where shapes are compared. Deeper layers keep the arrangement and let go of detail.",
    )  # fmt: skip
    style_layers: Layers = parameter(
        "relu1_1:1, relu2_1:1, relu3_1:1, relu4_1:1, relu5_1:1",
        "Style layers", term="layers with weights", live=True, group=Group.OBJECTIVE,
        help="Where the painting is measured. Early layers carry colour and grain, deep layers "
        "strokes and forms.",
    )  # fmt: skip

    optimizer: OptimizerName = parameter(
        OptimizerName.ADAM, "Optimiser", group=Group.OPTIMISATION,
        help="adam walks steadily and averages its path; lbfgs gets furthest in few steps; "
        "gradient-descent is the plain x ← x − γ ∂L/∂x.",
    )  # fmt: skip
    learning_rate: float = parameter(
        0.02, "Learning rate", term="Adam's step", low=1e-5, high=1.0, slider=(0.001, 0.2),
        log=True, group=Group.OPTIMISATION, relevant=("optimizer", (OptimizerName.ADAM,)),
        help="How far Adam moves a pixel in a step; pixels run from 0 to 1.",
    )  # fmt: skip
    averaging: float = parameter(
        0.9, "Averaging", term="decay of the averaged iterates", low=0.0, high=0.9999,
        slider=(0.0, 0.999), group=Group.OPTIMISATION,
        relevant=("optimizer", (OptimizerName.ADAM,)),
        help="Adam's result is the running average of its iterates, which is cleaner than the "
        "last one. 0 takes the last.",
    )  # fmt: skip
    lbfgs_history: int = parameter(
        20, "L-BFGS history", term="stored curvature pairs", low=1, high=200, slider=(2, 100),
        group=Group.OPTIMISATION, relevant=("optimizer", (OptimizerName.LBFGS,)),
        help="How many past steps L-BFGS remembers. More costs memory and rarely helps.",
    )  # fmt: skip
    step_size: float = parameter(
        1e-4, "Descent step", term="γ", low=1e-8, high=1000.0, slider=(1e-6, 0.01), log=True,
        group=Group.OPTIMISATION, relevant=("optimizer", (OptimizerName.GRADIENT_DESCENT,)),
        help="Gradient descent's step, for the gradient of one pixel's share: "
        "x ← x − γ N ∂L/∂x with N values in the picture, the same at every size.",
    )  # fmt: skip
    coarsest_size: int = parameter(
        128, "Coarsest scale", term="long side of the first scale", unit="px",
        low=16, high=LONGEST_SIDE, slider=(32, 1024), log=True, group=Group.OPTIMISATION,
        help="The picture is first painted this small, then ever larger. At the output size or "
        "above there is one scale only.",
    )  # fmt: skip
    scale_factor: float = parameter(
        2.0, "Scale factor", term="ratio of neighbouring scales", low=1.1, high=4.0,
        slider=(1.1, 4.0), group=Group.OPTIMISATION,
        help="How much larger each scale is than the one before.",
    )  # fmt: skip
    steps_falloff: float = parameter(
        0.6, "Steps falloff", term="steps of a scale relative to the one before",
        low=0.01, high=4.0, slider=(0.1, 1.0), group=Group.OPTIMISATION,
        help="Large scales start almost finished: each takes this share of the steps of the one "
        "before.",
    )  # fmt: skip
    seed: int = parameter(
        0, "Seed", term="of the noise", low=0, high=2**31 - 1, group=Group.OPTIMISATION,
        preset=False, relevant=("start", (Start.NOISE, Start.STYLE_NOISE, Start.MIX)),
        help="The same seed on the same machine and device gives the same pixels.",
    )  # fmt: skip

    network: NetworkName = parameter(
        NetworkName.AUTO, "Network", group=Group.NETWORK,
        help="The pretrained network whose features are compared. auto is VGG-19 where its weights "
        "are on this machine, else the draft network, which is quicker and coarser.",
    )  # fmt: skip
    pooling: Pooling = parameter(
        Pooling.MAX, "Pooling", group=Group.NETWORK,
        relevant=("network", (NetworkName.AUTO, NetworkName.VGG19, NetworkName.VGG16)),
        help="How the network halves its features. Average gives smoother pictures (Gatys 2016), "
        "max crisper ones; l2 lies between.",
    )  # fmt: skip
    padding: Padding = parameter(
        Padding.REPLICATE, "Border padding", term="padding of conv1_1", group=Group.NETWORK,
        help="What the network sees beyond the border: replicate avoids dark frames.",
    )  # fmt: skip

    device: Device = parameter(
        Device.AUTO, "Device", group=Group.MACHINE, preset=False,
        help="Where the arithmetic happens; auto takes the graphics card if there is one, "
        "of several the one with most free memory; cuda:N names one.",
    )  # fmt: skip
    precision: Precision = parameter(
        Precision.AUTO, "Precision", term="numbers inside the network", group=Group.MACHINE,
        preset=False,
        help="auto takes bfloat16 where the hardware has it, which halves time and memory and "
        "leaves the picture the same to the eye. float16 is for graphics cards without bfloat16.",
    )  # fmt: skip

    tile: TileSide = parameter(
        "auto", "Tiles", term="side of a tile", unit="px", group=Group.MACHINE, preset=False,
        help="Large pictures are computed tile by tile, which takes far less memory and gives the "
        "same picture. auto chooses a fast way that fits, none takes the picture as a whole, "
        "a number is the side of a square tile; narrow pictures are cut into bands as large.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _layers_exist(self) -> Settings:
        known = layer_names(self.network)
        for name, _ in self.content_layers + self.style_layers:
            if name not in known:
                raise ValueError(f"The network {self.network} has no layer {name}.")
        if not self.style_layers:
            raise ValueError("There is no style layer (style_layers); name at least one.")
        return self

    def changed(self, **values: Any) -> Settings:
        """These settings with some values replaced, validated as a whole.

        Values may be text ("relu4_2:1", "0.5", "adam") or of the parameter's own type, and names
        former ones.

        Raises:
            InputError: A name is unknown or given twice, or a value is out of its range; the
                message names both.
        """
        return settings_from({**self.model_dump(), **_by_present_names(values)})

    def on(self, network: NetworkName) -> Settings:
        """These settings for one network; layers it lacks are replaced by their stand-ins."""
        layers = {}
        for name in ("content_layers", "style_layers"):
            weights: dict[str, float] = {}
            for layer, weight in getattr(self, name):
                known = stand_in(layer, network)
                weights[known] = weights.get(known, 0.0) + weight
            # Only their ratios matter, and two at the limit would be beyond it.
            largest = max(1.0, max(weights.values(), default=0.0) / HEAVIEST)
            layers[name] = {layer: weight / largest for layer, weight in weights.items()}
        return self.changed(network=network, **layers)

    def retuned(self, wanted: Settings) -> Settings:
        """These settings with the live values of `wanted`; the fixed ones need a new job."""
        live = {row.name: getattr(wanted, row.name) for row in PARAMETERS if row.live}
        return self.changed(**live)

    @property
    def layers(self) -> frozenset[str]:
        """All layers that are named."""
        return frozenset(layer for layer, _ in self.content_layers + self.style_layers)

    @property
    def tile_side(self) -> int | None:
        """The tile's side that is asked for; None where it is `none` or `auto`."""
        return int(self.tile) if self.tile.isdigit() else None

    def effective_style_weight(self) -> float:
        """The weight in front of the style term: style weight times style strength."""
        return self.style_weight * self.style_strength


def settings_from(values: Mapping[str, Any]) -> Settings:
    """Settings from names and values (text or typed); what is not named takes its default.

    Former names are as good as the present ones.

    Raises:
        InputError: A name is unknown or given twice, or a value does not fit; the message names
            the parameter.
    """
    named = _by_present_names(values)
    typed = {name: _typed(name, value) for name, value in named.items()}
    try:
        return Settings(**typed)
    except ValidationError as error:
        first = error.errors()[0]
        reason = str(first["msg"]).removeprefix("Value error, ")
        if not first["loc"]:
            raise InputError(reason) from error
        name = str(first["loc"][0])
        if PARAMETER[name].kind is not Kind.LAYERS:
            reason = ""  # the remedy says the range or the choices, in better words
        raise InputError(_refusal(name, typed[name], reason), _remedy(name)) from error


def present_name(name: str) -> str:
    """The name that a parameter has today, given that or a former one."""
    return FORMER_NAMES.get(name, name)


def _by_present_names(values: Mapping[str, Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for given, value in values.items():
        name = present_name(given)
        if name in named:
            raise InputError(
                f"The setting {name} is given twice, once by its former name.", "Give it once."
            )
        named[name] = value
    return named


def _typed(name: str, value: Any) -> Any:
    """Text to the parameter's own type, so that the strict model sees what a person meant."""
    row = PARAMETER.get(name)
    if row is None:
        raise InputError(
            f"There is no setting {plain(repr(name), 40)}.",
            f"The settings are: {', '.join(PARAMETER)}.",
        )
    try:
        if row.kind is Kind.NUMBER and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if row.kind is Kind.CHOICE and isinstance(value, str):
            return type(row.choices[0])(value.strip().lower())
        if row.kind in (Kind.NUMBER, Kind.INTEGER) and isinstance(value, str):
            return float(value) if row.kind is Kind.NUMBER else int(value)
    except (ValueError, OverflowError) as error:
        raise InputError(_refusal(name, value, ""), _remedy(name)) from error
    return value


def _refusal(name: str, value: object, reason: str) -> str:
    shown = plain(repr(value) if isinstance(value, str) else str(value), 80)
    return f"The setting {name} cannot be {shown}" + (f": {reason}." if reason else ".")


def _remedy(name: str) -> str:
    row = PARAMETER[name]
    if row.kind is Kind.CHOICE:
        return f"Choose one of {', '.join(row.words)}."
    if row.kind is Kind.TILE:
        return f"Give auto, none or a whole number from {SMALLEST_TILE} to {LONGEST_SIDE}."
    if row.kind is Kind.LAYERS:
        return "Write layers as relu1_1:1, relu2_1:0.5."
    return f"Give {row.kind.value} from {row.low:.10g} to {row.high:.10g}."


DEFAULTS = Settings()
PARAMETERS = tuple(rows_of(DEFAULTS))
PARAMETER: Mapping[str, Parameter] = types.MappingProxyType({row.name: row for row in PARAMETERS})
