"""What settings meant in files of earlier formats, whatever the defaults and the dial are today.

A setting that such a file leaves unnamed had the default of its day; and style strength was a
factor on the style weight alone. Both are said outright here, once, when the file is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from engine.spec.limits import HEAVIEST
from engine.spec.settings import PARAMETER, present_name
from engine.spec.stored_settings import with_present_names

FORMER_DEFAULTS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "style_strength": 1.0,
        "stroke_size": 1.0,
        "output_size": 512,
        "steps": 150,
        "smoothness": 0.0,
        "start": "content",
        "start_noise": 0.5,
        "content_weight": 1.0,
        "style_weight": 10.0,
        "style_loss": "wasserstein",
        "content_layers": {"relu4_2": 1.0},
        "style_layers": {
            "relu1_1": 1.0,
            "relu2_1": 1.0,
            "relu3_1": 1.0,
            "relu4_1": 1.0,
            "relu5_1": 1.0,
        },
        "optimizer": "adam",
        "learning_rate": 0.02,
        "averaging": 0.9,
        "lbfgs_history": 20,
        "step_size": 0.0001,
        "coarsest_size": 128,
        "scale_factor": 2.0,
        "steps_falloff": 0.6,
        "seed": 0,
        "network": "auto",
        "pooling": "max",
        "padding": "replicate",
        "device": "auto",
        "precision": "auto",
        "tile": "auto",
        # What there was not: the values at which it does nothing.
        "canvas": "pixels",
        "matched_weight": 0.0,
        "matched_layers": {
            "relu1_1": 1.0,
            "relu2_1": 1.0,
            "relu3_1": 1.0,
            "relu4_1": 1.0,
        },
        "match_metric": "squared",
        "match_turns": "none",
        "match_canvas": 0.2,
        "match_refresh": 0,
        "keep_edges": 0.0,
        "clean_colours": 0.0,
        "learning_rate_decay": 1.0,
    }
)
"""What a setting was while a file did not name it, as JSON has it; never to be changed.

A name that no setting has is passed over. To a setting that comes later, whose default changes the
picture, belongs a line with the value at which it does nothing.
"""

_STRENGTH, _STYLE = "style_strength", "style_weight"


def with_former_meaning(values: dict[str, Any], *, preset: bool = False) -> dict[str, Any]:
    """A file's migration: its `settings` as they were meant, each of them named.

    The total is the same to the last bit, so that a recipe repeats its pixels and a saved job goes
    on with what its optimiser remembers: style strength becomes part of the style weight. Only
    where that would be too heavy is the whole total lighter, which gives the same picture.

    Args:
        values: The file's; settings under former names may be among them.
        preset: Whether only what a preset carries is to be named.
    """
    settings = _settings_in({"settings": {}, **values})
    if settings is None:
        return values
    return {**values, "settings": _folded(_filled(settings, preset=preset))}


def with_former_choices(values: dict[str, Any]) -> dict[str, Any]:
    """The migration of last settings: as they were meant, unless the look was left as it came.

    Whoever never touched a default follows it. Machine and occasion are no part of the look.
    """
    settings = _settings_in({"settings": {}, **values})
    if settings is None:
        return values
    look = _filled({}, preset=True)
    if any(settings.get(name, default) != default for name, default in look.items()):
        return with_former_meaning(values)
    kept = {name: value for name, value in settings.items() if name not in look}
    return {**values, "settings": kept}


def with_former_retunes(values: dict[str, Any], *lists: str) -> dict[str, Any]:
    """A file's migration: retunes as they were meant, each following on those before it.

    Args:
        values: The file's, with the `request` as it stood before its own migration.
        lists: Under which names it has events, in the order in which they happen.
    """
    request = values.get("request")
    asked = _settings_in(request) if isinstance(request, Mapping) else None
    then = _filled(asked or {})
    current = dict(values)
    for name in lists:
        if isinstance(values.get(name), list):
            current[name] = []
            for event in values[name]:
                meant, then = _retuned(event, then)
                current[name].append(meant)
    return current


def _retuned(event: object, before: dict[str, Any]) -> tuple[object, dict[str, Any]]:
    """An event as it was meant, and the settings after it in the terms of its day."""
    given = _settings_in(event) if isinstance(event, Mapping) else None
    if not isinstance(event, Mapping) or given is None:
        return event, before
    # They are told of by whoever takes the others, which do not suffer from them.
    unusable = {name: given.pop(name) for name in (_STRENGTH, _STYLE) if _is_unusable(name, given)}
    after = {**before, **given}
    was, meant = _folded(before), _folded(after)
    changed = {
        name: value for name, value in meant.items() if name not in was or was[name] != value
    }
    return {**event, "settings": {**changed, **unusable}}, after


def _settings_in(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The settings in values, by their present names; None where there are none."""
    settings = with_present_names(dict(values)).get("settings")
    return dict(settings) if isinstance(settings, Mapping) else None


def _filled(settings: Mapping[str, Any], *, preset: bool = False) -> dict[str, Any]:
    """Settings with the defaults of their day where they are not named."""
    defaults = {present_name(name): value for name, value in FORMER_DEFAULTS.items()}
    known = {
        name: value
        for name, value in defaults.items()
        if name in PARAMETER and (PARAMETER[name].preset or not preset)
    }
    return {**known, **settings}


def _folded(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings with style strength, a factor on the style weight, as part of that."""
    strength, style = _number(_STRENGTH, settings), _number(_STYLE, settings)
    if strength is None or style is None or strength == 1:
        return settings
    folded = {**settings, _STRENGTH: 1.0, _STYLE: min(strength * style, HEAVIEST)}
    excess = strength * style / HEAVIEST
    if excess > 1:
        for name in ("content_weight", "smoothness"):
            number = _number(name, settings)
            if number is not None:
                folded[name] = number / excess
    return folded


def _is_unusable(name: str, settings: Mapping[str, Any]) -> bool:
    return name in settings and _number(name, settings) is None


def _number(name: str, settings: Mapping[str, Any]) -> float | None:
    """A setting's number, if it is one that the setting could have; as text it is one too."""
    value = settings.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    row = PARAMETER[name]
    assert row.low is not None, "it has a range"
    assert row.high is not None, "it has a range"
    return number if row.low <= number <= row.high else None
