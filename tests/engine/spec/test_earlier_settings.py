"""What a file of an earlier format means stays what it meant, whatever is usual today."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.spec import earlier_settings
from engine.spec.earlier_settings import (
    FORMER_DEFAULTS,
    with_former_choices,
    with_former_meaning,
    with_former_retunes,
)
from engine.spec.request import Request
from engine.spec.settings import DEFAULTS, PARAMETER, PARAMETERS, Settings, settings_from
from engine.spec.stored_settings import settings_and_notes

Weights = tuple[float, float, float]


def former_weights(named: dict[str, Any]) -> Weights:
    """In front of content, style and total variation, as earlier formats had it."""
    usual = {"content_weight": 1, "style_weight": 10, "style_strength": 1, "smoothness": 0}
    content, style, strength, smoothness = (float(named.get(n, usual[n])) for n in usual)
    return content, style * strength, smoothness


def weights_of(settings: Settings) -> Weights:
    return (
        settings.effective_content_weight(),
        settings.effective_style_weight(),
        settings.smoothness,
    )


def meant(named: dict[str, Any]) -> Settings:
    """The settings that a file's are today."""
    settings, notes = settings_and_notes(with_former_meaning({"settings": named})["settings"])
    assert notes == ()
    return settings


BALANCES = {
    "nothing named": {},
    "a strength alone": {"style_strength": 4.0},
    "a strength in words": {"style_strength": "0.3"},
    "a strength and smoothness": {"style_strength": 0.07, "smoothness": 9000.0},
    "no strength": {"style_strength": 0.0, "smoothness": 3.0},
    "all of them": {"content_weight": 0.3, "style_weight": 7, "style_strength": 3, "smoothness": 1},
    "no style weight": {"style_weight": 0.0, "style_strength": 5.0},
    "the heaviest": {"style_weight": 1e6, "style_strength": 1.0},
}


@pytest.mark.parametrize("named", BALANCES.values(), ids=BALANCES.keys())
def test_the_total_is_what_it_was_to_the_last_bit(named: dict[str, Any]) -> None:
    assert weights_of(meant(named)) == former_weights(named)


def test_what_would_be_too_heavy_keeps_its_balance() -> None:
    named = {"style_weight": 1e6, "style_strength": 1000.0, "smoothness": 5.0}
    found, wanted = weights_of(meant(named)), former_weights(named)
    assert [a / found[1] for a in found] == pytest.approx([b / wanted[1] for b in wanted])


def test_former_names_are_weighed_too() -> None:
    assert weights_of(meant({"beta": 7.0, "style_strength": 2.0})) == (1.0, 14.0, 0.0)


def test_what_a_file_leaves_unnamed_is_named_as_it_was_in_its_day() -> None:
    settings = with_former_meaning({"settings": {"steps": 7}})["settings"]
    assert set(settings) == set(PARAMETER)
    assert settings["steps"] == 7
    expected = {
        "content_weight": 1.0,
        "style_weight": 10.0,
        "content_layers": {"relu4_2": 1.0},
        "learning_rate": 0.02,
        "averaging": 0.9,
        "coarsest_size": 128,
        "steps_falloff": 0.6,
        "style_strength": 1.0,
    }
    assert {name: settings[name] for name in expected} == expected


def test_each_setting_has_what_it_was_before_it_could_be_named() -> None:
    """Whoever adds a setting says at which value a file that knew none of it keeps its picture."""
    assert set(PARAMETER) <= set(FORMER_DEFAULTS)
    known = {name: value for name, value in FORMER_DEFAULTS.items() if name in PARAMETER}
    assert settings_from(known).model_dump(mode="json") == known


def test_a_setting_is_named_from_when_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {**FORMER_DEFAULTS, "wand": "elder"}
    monkeypatch.setattr(earlier_settings, "FORMER_DEFAULTS", table)
    assert "wand" not in with_former_meaning({})["settings"]
    monkeypatch.setattr(
        earlier_settings, "PARAMETER", {**PARAMETER, "wand": PARAMETER["smoothness"]}
    )
    assert with_former_meaning({})["settings"]["wand"] == "elder"
    assert with_former_meaning({"settings": {"wand": "yew"}})["settings"]["wand"] == "yew"


def test_of_a_preset_only_what_it_carries_is_named() -> None:
    settings = with_former_meaning({"settings": {}}, preset=True)["settings"]
    assert set(settings) == {row.name for row in PARAMETERS if row.preset}


def test_last_settings_that_nobody_touched_follow_the_defaults_of_today() -> None:
    settings = copy.deepcopy(DEFAULTS.model_dump(mode="json")) | FORMER_DEFAULTS
    kept = with_former_choices({"theme": "dark", "settings": {**settings, "output_size": 768}})
    assert kept["theme"] == "dark"
    assert kept["settings"]["output_size"] == 768
    look = {row.name for row in PARAMETERS if row.preset}
    assert not look & set(kept["settings"])


@pytest.mark.parametrize("touched", [{"steps": 151}, {"style_strength": 2.0}, {"network": "draft"}])
def test_last_settings_that_were_touched_stay_as_they_were(touched: dict[str, Any]) -> None:
    settings = {**FORMER_DEFAULTS, **touched}
    assert with_former_choices({"settings": settings}) == with_former_meaning(
        {"settings": settings}
    )
    assert set(with_former_choices({"settings": touched})["settings"]) >= set(PARAMETER)


def retuned(*changes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"kind": "retuned", "settings": change} for change in changes]


def test_each_retune_leads_to_the_weights_it_led_to() -> None:
    asked = {"style_weight": 6.0, "smoothness": 0.5, "steps": 9}
    first = retuned({"style_strength": 3.0}, {"smoothness": 2.0}, {"style_weight": 4.0})
    then = retuned({"style_strength": 0.0}, {"content_weight": 0.2}, {"style_strength": 0.5})
    values = {"request": {"settings": asked}, "events": first, "script": then}
    before = copy.deepcopy(values)
    current = with_former_retunes(values, "events", "script")
    assert values == before
    settings, former = meant(asked), dict(asked)
    for old, new in zip(first + then, current["events"] + current["script"], strict=True):
        settings = settings.changed(**new["settings"])
        former |= old["settings"]
        assert weights_of(settings) == former_weights(former)
        assert new["kind"] == "retuned"
    assert current["events"][1]["settings"] == {"smoothness": 2.0}


def test_a_retune_that_cannot_be_used_costs_only_itself() -> None:
    events = retuned({"style_strength": -1, "content_weight": 2.0, "wand": 1}, {"style_weight": 3})
    values = {
        "request": {"settings": {"style_strength": 2}},
        "events": [*events, 7, {"kind": "stopped"}],
    }
    current = with_former_retunes(values, "events")
    assert [event["settings"] for event in current["events"][:2]] == [
        {"style_strength": -1, "content_weight": 2.0, "wand": 1}, {"style_weight": 6.0},
    ]  # fmt: skip
    assert current["events"][2:] == [7, {"kind": "stopped"}]


def test_a_request_of_the_first_format_asks_for_what_it_asked() -> None:
    asked = {**Request().to_values(), "settings": {"style_strength": 2.5}}
    for former in ({**asked, "format": 1}, {k: v for k, v in asked.items() if k != "format"}):
        read = Request.from_values(former, "it").settings
        assert weights_of(read) == former_weights({"style_strength": 2.5})
    today = Request.from_values(asked, "it").settings
    assert today == DEFAULTS.changed(style_strength=2.5)


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["settings", *PARAMETER]), inner, max_size=4)
    ),
    max_leaves=9,
)


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(("settings", "request", "events"), anything))
)
def test_no_values_are_beyond_a_migration(values: dict[str, Any]) -> None:
    text = json.dumps(values)
    for migrate in (
        with_former_meaning,
        with_former_choices,
        lambda values: with_former_retunes(values, "events"),
    ):
        assert isinstance(migrate(values), dict)
    assert json.dumps(values) == text
