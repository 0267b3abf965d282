"""Files of earlier formats become today's; one of a later format is told of and left alone."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from engine.spec.choices import NetworkName
from engine.spec.errors import InputError, NewerFormatError
from engine.spec.settings import DEFAULTS, FORMER_NAMES, PARAMETER, settings_from
from engine.spec.stored_settings import settings_and_notes, usable_values, with_present_names
from engine.spec.versions import migrated, newest, numbered, unknown_in


def double(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "size": 2 * values["size"]}


def name_by_size(values: dict[str, Any]) -> dict[str, Any]:
    return {"name": str(values["size"])}


CHAIN = (double, name_by_size)


@pytest.mark.parametrize(
    "values",
    [{"size": 3}, {"format": 1, "size": 3}, {"format": 2, "size": 6}, {"format": 3, "name": "6"}],
)
def test_a_file_goes_through_the_steps_that_it_lacks_in_their_order(values: dict[str, Any]) -> None:
    assert migrated(values, CHAIN, "The file") == {"name": "6"}


def test_what_is_written_is_of_the_newest_format_and_reads_back() -> None:
    written = numbered({"name": "6"}, CHAIN)
    assert written == {"format": 3, "name": "6"}
    assert newest(CHAIN) == 3
    assert migrated(written, CHAIN, "The file") == {"name": "6"}


def test_a_migration_leaves_the_files_own_values_as_they_were() -> None:
    values = {"format": 1, "settings": {"alpha": 3}}
    migrated(values, (with_present_names,), "The file")
    assert values == {"format": 1, "settings": {"alpha": 3}}


def test_a_newer_file_is_told_of_with_both_numbers() -> None:
    with pytest.raises(NewerFormatError, match=r"^The file was made by a newer version") as caught:
        migrated({"format": 4, "size": 3}, CHAIN, "The file")
    assert "format 4" in caught.value.message
    assert "knows 3" in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize("number", [0, -1, 1.0, True, "2", None, [1], 10**400, float("inf")])
def test_what_is_no_format_number_is_damage_or_newer(number: object) -> None:
    with pytest.raises(InputError) as caught:
        migrated({"format": number}, CHAIN, "The file")
    assert len(caught.value.message) < 200
    assert isinstance(caught.value, NewerFormatError) == (number == 10**400)


def test_each_former_name_leads_to_a_setting_of_today() -> None:
    assert set(FORMER_NAMES.values()) <= set(PARAMETER)
    assert not set(FORMER_NAMES) & set(PARAMETER)


def test_former_names_mean_what_the_present_ones_mean() -> None:
    formerly = {"alpha": 3, "beta": "7", "gamma": 0.01, "history": 9}
    today = {"content_weight": 3, "style_weight": 7, "step_size": 0.01, "lbfgs_history": 9}
    assert settings_from(formerly) == settings_from(today)
    assert DEFAULTS.changed(**formerly) == DEFAULTS.changed(**today)
    assert DEFAULTS.changed(alpha=3).content_weight == 3


@pytest.mark.parametrize("names", [("alpha", "content_weight"), ("content_weight", "alpha")])
def test_a_setting_given_by_both_its_names_is_refused(names: tuple[str, str]) -> None:
    values = dict.fromkeys(names, 3.0)
    for take in (settings_from, lambda values: DEFAULTS.changed(**values)):
        with pytest.raises(InputError, match="content_weight is given twice"):
            take(values)


def test_a_value_that_cannot_be_used_costs_only_itself() -> None:
    settings, notes = settings_and_notes(
        {"magic": 1, "steps": -5, "style_weight": 3.0, "pooling": "median", "seed": 9}
    )
    assert settings == DEFAULTS.changed(style_weight=3.0, seed=9)
    assert len(notes) == 3
    for note, name in zip(sorted(notes), ("pooling", "steps", "magic"), strict=True):
        assert name in note
        assert note.endswith(".")


def test_values_that_all_fit_bring_no_note() -> None:
    chosen = DEFAULTS.changed(network="vgg16", style_layers="relu3_3", steps=3)
    assert settings_and_notes(chosen.model_dump(mode="json")) == (chosen, ())


def test_of_a_network_and_layers_that_it_lacks_the_layers_are_lost() -> None:
    values = {"content_layers": {"relu3_4": 1}, "network": "vgg16", "style_layers": "relu3_1"}
    settings, (note,) = settings_and_notes(values)
    assert settings == DEFAULTS.changed(network="vgg16", style_layers="relu3_1")
    assert settings.network is NetworkName.VGG16
    assert "relu3_4" in note
    assert "content_layers" in note


def test_of_a_setting_under_both_its_names_the_present_one_counts() -> None:
    settings, (note,) = settings_and_notes({"alpha": 3.0, "content_weight": 4.0, "beta": 5.0})
    assert settings == DEFAULTS.changed(content_weight=4.0, style_weight=5.0)
    assert "alpha" in note


def test_only_what_a_file_names_is_taken_from_it() -> None:
    assert usable_values({"alpha": 3.0, "steps": True})[0] == {"content_weight": 3.0}


@pytest.mark.parametrize("values", [None, 3, "content_weight", [["content_weight", 1]]])
def test_settings_that_are_no_settings_at_all_are_told_of(values: object) -> None:
    settings, (note,) = settings_and_notes(values)
    assert settings == DEFAULTS
    assert note


def test_what_is_unknown_in_a_file_can_be_written_again() -> None:
    values = {"format": 2, "new": {"a": [1, None, "é", 0.5]}, "theme": "dark"}
    assert unknown_in(values, {"format", "theme"}) == {"new": {"a": [1, None, "é", 0.5]}}


DEEP = functools.reduce(lambda inner, _: [inner], range(900), 0)


@pytest.mark.parametrize(
    "value",
    ["\ud800", {"\ud800": 1}, float("nan"), [float("inf")], DEEP],
    ids=["half a character", "a name of one", "no number", "no end", "deep"],
)
def test_what_could_not_be_written_again_is_left_out(value: object) -> None:
    assert unknown_in({"a": value, "b": 1}, ()) == {"b": 1}
