"""What the declaration of a parameter consists of; `engine.spec.settings` declares them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from pydantic import BaseModel, Field

from engine.spec.limits import LONGEST_SIDE
from engine.spec.tiles import SMALLEST_TILE
from engine.spec.wording import plain


class Kind(Enum):
    """What sort of value a parameter takes, hence which widget edits it."""

    NUMBER = "a number"
    INTEGER = "a whole number"
    CHOICE = "one of a few words"
    LAYERS = "layers with weights"
    TILE = "a tile's side, or a word"


class Group(StrEnum):
    """Where a parameter stands: plain words first, the field's terms behind."""

    BASIC = "Basic"
    OBJECTIVE = "Losses and layers"
    OPTIMISATION = "Optimisation"
    NETWORK = "Network"
    MACHINE = "Machine"


@dataclass(frozen=True)
class Parameter:
    """One row of the declaration, as widgets, help texts and presets read it.

    Attributes:
        name: The field's name in `Settings`, in presets, recipes and on the command line.
        kind: What sort of value it takes.
        choices: The words of a `Kind.CHOICE`, as members of its enum; empty for the other kinds.
        default: The value when nobody says otherwise.
        label: Plain words for the panel.
        term: The field's own term or symbol; empty where the label is that already.
        help: What it does to the picture.
        unit: Unit behind the number; empty for none.
        low, high: The hard range; None where there is none.
        slider: The sensible range a slider covers; None where there is no slider.
        log: Whether the slider runs in ratios rather than differences.
        live: Whether it may change while a job runs.
        group: Where it stands in the panel.
        preset: Whether a preset carries it; the machine's and the occasion's own it leaves alone.
        relevant: Another parameter and its values for which this one matters; None if always.
    """

    name: str
    kind: Kind
    choices: tuple[StrEnum, ...]
    default: Any
    label: str
    term: str
    help: str
    unit: str
    low: float | None
    high: float | None
    slider: tuple[float, float] | None
    log: bool
    live: bool
    group: Group
    preset: bool
    relevant: tuple[str, tuple[StrEnum, ...]] | None

    @property
    def words(self) -> tuple[str, ...]:
        """The choices as help names them: several that differ in a number alone are `cuda:N`."""
        return tuple(dict.fromkeys(re.sub(r":\d+$", ":N", choice) for choice in self.choices))

    def matters(self, settings: BaseModel) -> bool:
        """Whether this parameter has any effect beside the other settings."""
        return self.relevant is None or getattr(settings, self.relevant[0]) in self.relevant[1]


def parameter(
    default: Any,
    label: str,
    *,
    help: str,
    group: Group,
    term: str = "",
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    slider: tuple[float, float] | None = None,
    log: bool = False,
    live: bool = False,
    preset: bool = True,
    relevant: tuple[str, tuple[StrEnum, ...]] | None = None,
) -> Any:
    """Declare one parameter; see `Parameter` for what each word means."""
    row = {
        "label": label, "term": term, "help": help, "unit": unit, "slider": slider,
        "log": log, "live": live, "group": group, "preset": preset,
        "relevant": relevant,
    }  # fmt: skip
    bounds = {key: value for key, value in (("ge", low), ("le", high)) if value is not None}
    return Field(default, json_schema_extra=row, validate_default=True, **bounds)  # type: ignore[call-overload]


def rows_of(declared: BaseModel) -> Iterator[Parameter]:
    """The declarations of a model whose every field is a `parameter`, with its values as defaults.

    Args:
        declared: The model with its defaults.
    """
    for name, field in type(declared).model_fields.items():
        assert isinstance(field.json_schema_extra, dict)
        rest: dict[str, Any] = dict(field.json_schema_extra)
        kind, choices = _kind(field.annotation)
        low, high = (
            next((getattr(item, key) for item in field.metadata if hasattr(item, key)), None)
            for key in ("ge", "le")
        )
        yield Parameter(name, kind, choices, getattr(declared, name), low=low, high=high, **rest)


def refusal(name: str, value: object, reason: str) -> str:
    """A sentence on a value that a parameter cannot have, and why if that is not plain."""
    shown = plain(repr(value) if isinstance(value, str) else str(value), 80)
    return f"The setting {name} cannot be {shown}" + (f": {reason}." if reason else ".")


def remedy(row: Parameter) -> str:
    """A sentence on the values that a parameter can have."""
    if row.kind is Kind.CHOICE:
        return f"Choose one of {', '.join(row.words)}."
    if row.kind is Kind.TILE:
        return f"Give auto, none or a whole number from {SMALLEST_TILE} to {LONGEST_SIDE}."
    if row.kind is Kind.LAYERS:
        return "Write layers as relu1_1:1, relu2_1:0.5."
    return f"Give {row.kind.value} from {row.low:.10g} to {row.high:.10g}."


def _kind(annotation: Any) -> tuple[Kind, tuple[StrEnum, ...]]:
    if annotation is float:
        return Kind.NUMBER, ()
    if annotation is int:
        return Kind.INTEGER, ()
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return Kind.CHOICE, tuple(annotation)
    if annotation is str:
        return Kind.TILE, ()
    return Kind.LAYERS, ()
