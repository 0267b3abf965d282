"""The values of all parameters as one whole, and how they are had from names and values.

`PARAMETERS` are their declarations (`engine.spec.declared`) as rows, to build widgets and help
texts from.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError, model_validator

from engine.spec.choices import NetworkName
from engine.spec.declared import Declared
from engine.spec.errors import InputError
from engine.spec.layers import layer_names, measured_layers, stand_in
from engine.spec.limits import HEAVIEST, WEAKEST
from engine.spec.parameters import Kind, Parameter, refusal, remedy, rows_of
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


class Settings(Declared):
    """The values of all parameters; frozen, validated strictly, and complete without pictures.

    The total minimised is `matched_weight * matched + content_weight / style_strength * content +
    style_weight * style_strength * style + smoothness * TV + keep_edges * edges`: each but TV
    relative to the power of its own targets (see `engine.objective.losses`). Where it divides, the
    strength is at least `WEAKEST`.
    """

    @model_validator(mode="after")
    def _layers_exist(self) -> Settings:
        known = layer_names(self.network)
        for name, _ in self.content_layers + self.style_layers + self.matched_layers:
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
        for name in ("content_layers", "style_layers", "matched_layers"):
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
        """All layers that are named for what is asked."""
        return measured_layers(self).all

    @property
    def tile_side(self) -> int | None:
        """The tile's side that is asked for; None where it is `none` or `auto`."""
        return int(self.tile) if self.tile.isdigit() else None

    def effective_style_weight(self) -> float:
        """The weight in front of the style term: style weight times style strength."""
        return self.style_weight * self.style_strength

    def effective_content_weight(self) -> float:
        """The weight in front of the content term: content weight over style strength."""
        return self.content_weight / max(self.style_strength, WEAKEST)


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
        raise InputError(refusal(name, typed[name], reason), remedy(PARAMETER[name])) from error


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
            _near(name),
        )
    try:
        if row.kind is Kind.NUMBER and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if row.kind is Kind.CHOICE and isinstance(value, str):
            return type(row.choices[0])(value.strip().lower())
        if row.kind in (Kind.NUMBER, Kind.INTEGER) and isinstance(value, str):
            return float(value) if row.kind is Kind.NUMBER else int(value)
    except (ValueError, OverflowError) as error:
        raise InputError(refusal(name, value, ""), remedy(PARAMETER[name])) from error
    return value


def _near(name: str) -> str:
    """What to do about a name that no setting has."""
    near = difflib.get_close_matches(name.lower(), PARAMETER, 3, cutoff=0.5)
    others = "--list-settings prints all of them."
    return f"Perhaps you mean {' or '.join(near)}; {others}" if near else others


DEFAULTS = Settings()
PARAMETERS = tuple(rows_of(DEFAULTS))
PARAMETER: Mapping[str, Parameter] = types.MappingProxyType({row.name: row for row in PARAMETERS})
